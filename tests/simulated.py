"""A small simulated cohort as a hospital would send it, and settings that train a model in seconds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from prognosis.cli.sources import export_fhir_dicom, read_records
from prognosis.cohort import Case, Cohort, Task, build_cohort
from prognosis.fusion import FusionModel, ModelConfig, save_model
from prognosis.fusion.cross_fitting import CrossFitted, cross_fit
from prognosis.fusion.train import train_on
from prognosis.prediction import Prediction, predict_cases
from prognosis.record import PatientRecord, Quarantine
from prognosis.simulate import Dials, simulate_cohort

TASK_PATH = Path(__file__).parents[1] / "configs" / "tasks" / "simulated_progression.yaml"
PATIENTS = 120
TINY: dict[str, Any] = {
    "clinical": {"trees": {"rounds": 20}},
    "text": {"encoder": "none"},
    "imaging": {
        "size": 32,
        "contrast_scales": [1.0, 2.0],
        "channels": [4, 4],
        "strides": [2, 2],
        "epochs": 1,
    },
    "fusion": {"bins": 5, "bootstrap": 20},
}


@dataclass(frozen=True, slots=True)
class Simulated:
    """A cohort that was written, read back, and trained on.

    Attributes:
        written: The records before they were written.
        folder: Their FHIR and DICOM files.
        cohort: Of the records as they were read back.
        evidence: Every modality fitted on all of it.
        model: Trained on that, and saved.
        model_folder: Where.
    """

    written: tuple[PatientRecord, ...]
    folder: Path
    cohort: Cohort
    evidence: CrossFitted
    model: FusionModel
    model_folder: Path

    @property
    def uris(self) -> tuple[str, str]:
        """The sources that name the folder."""
        return hospital(self.folder)

    @property
    def complete(self) -> list[Case]:
        """The cases that have every modality."""
        return [case for case in self.cohort.cases if case.record.notes and case.record.studies]


def hospital(folder: Path) -> tuple[str, str]:
    """The sources that name an export."""
    return f"fhir-folder:{folder}", f"dicom-folder:{folder}"


def simulated(folder: Path) -> Simulated:
    """Simulate, write, read back, train and save."""
    written = simulate_cohort(Dials(patients=PATIENTS), seed=0).records
    export_fhir_dicom(written, folder / "export", Quarantine())
    task = Task.load(TASK_PATH)
    records = read_records(hospital(folder / "export"), task, Quarantine())
    cohort = build_cohort(task, records)
    evidence = cross_fit(cohort, tiny_config())
    model = train_on(cohort, tiny_config(), evidence)
    model = save_model(model, folder / "model", "# A test's model\n", {"measured": False})
    return Simulated(written, folder / "export", cohort, evidence, model, folder / "model")


def tiny_config(**changes: object) -> ModelConfig:
    """Settings of seconds, with some sections replaced."""
    return ModelConfig.from_statement({**TINY, **changes}, "tests")


def write_tiny_config(folder: Path) -> Path:
    """The same as a file; JSON is YAML."""
    path = folder / "tiny.yaml"
    path.write_text(json.dumps(TINY), encoding="utf-8")
    return path


def largest_difference(
    model: FusionModel, other: FusionModel, cases: Sequence[Case], others: Sequence[Case]
) -> float:
    """Largest absolute difference between two models' curves and intervals, patient by patient."""
    return largest_apart(predict_cases(model, cases), predict_cases(other, others))


def largest_apart(predictions: Iterable[Prediction], others: Iterable[Prediction]) -> float:
    """Largest absolute difference between curves and intervals, patient by patient."""
    mine = {(p.patient_id, p.index_time): p for p in predictions}
    theirs = {(p.patient_id, p.index_time): p for p in others}
    assert mine.keys() == theirs.keys()
    return max(
        float(np.abs(getattr(p, curves)[cause] - getattr(theirs[key], curves)[cause]).max())
        for key, p in mine.items()
        for curves in ("cumulative_incidence", "low", "high")
        for cause in p.cumulative_incidence
    )
