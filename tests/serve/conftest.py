"""A service that asks who its clients are, and one that does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from prognosis.serve.settings import ServiceSettings
from tests.cli.program import Program
from tests.serve.hospital import FHIR, Hospital, running, settings_of
from tests.simulated import Simulated


@pytest.fixture(scope="session")
def hospital(small: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    """A service with clients."""
    folder = tmp_path_factory.mktemp("hospital")
    with running(small, folder, settings_of(folder)) as found:
        yield found


@pytest.fixture(scope="session")
def desk(small: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    """A service without clients, for this machine only."""
    settings = ServiceSettings.model_validate({"fhir_servers": [{"base": FHIR, "same_patients": True}]})
    with running(small, tmp_path_factory.mktemp("desk"), settings) as found:
        yield found


@pytest.fixture
def patient(small: Simulated) -> str:
    """A patient with every modality."""
    return small.complete[0].record.patient_id


@pytest.fixture
def prognosis(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Program:
    """The command line."""
    monkeypatch.setenv("COLUMNS", "200")
    return Program(capsys, monkeypatch)
