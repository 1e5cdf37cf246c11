"""The program itself, and patients that no model of these tests was trained on."""

from __future__ import annotations

from pathlib import Path

import pytest

from prognosis.cli.sources import export_fhir_dicom
from prognosis.record import Quarantine
from prognosis.simulate import Dials, simulate_cohort
from tests.cli.program import Program


@pytest.fixture
def prognosis(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Program:
    """The command line."""
    monkeypatch.setenv("COLUMNS", "200")
    return Program(capsys, monkeypatch)


@pytest.fixture(scope="session")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of sixty other simulated patients."""
    folder = tmp_path_factory.mktemp("strangers") / "export"
    export_fhir_dicom(simulate_cohort(Dials(patients=60), seed=1).records, folder, Quarantine())
    return folder
