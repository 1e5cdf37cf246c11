"""An archive on loopback with three studies, and waits that take no time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.dicom.films import slices, write
from tests.connectors.dicom.web.double import SERIES, Archive, archive


@pytest.fixture
def pacs(tmp_path: Path) -> Iterator[Archive]:
    """Two films of two patients and a series of three slices."""
    folder = tmp_path / "dicom"
    files = {
        "2.25.1": [write(folder / "one.dcm", 1, "p1")],
        "2.25.2": [write(folder / "two.dcm", 2, "p2")],
        SERIES: sorted(slices(folder / "ct", [0.0, 5.0, 2.5]).iterdir()),
    }
    with archive(files) as running:
        yield running


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited, in no time."""
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    return waited
