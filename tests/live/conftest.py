"""What tests of several files share: a hospital's servers, and the command line that may use them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.program import Program
from tests.live.hospital import Hospital, running
from tests.live.sekmet import BEARER


@pytest.fixture(scope="session")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    """A FHIR server and an archive that hold 200 patients; each test that writes has patients of its own."""
    with running(tmp_path_factory.mktemp("hospital")) as found:
        yield found


@pytest.fixture
def prognosis(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Program:
    """The command line, with the FHIR server's token."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("PROGNOSIS_FHIR_TOKEN", BEARER)
    return Program(capsys, monkeypatch)
