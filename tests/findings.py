"""A cohort with three findings of known log-odds, and the same question about one of them as a class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Cohort, Task, build_cohort
from prognosis.fusion import ModelConfig
from prognosis.record import PatientRecord
from tests.cohort.builders import INDEX, event, patient, task

FINDINGS = ("oedema", "effusion", "nodule")
EFFECTS = np.array([[1.5, 0.0, 0.0], [0.8, 1.2, 0.0], [0.0, 0.0, -1.5]])
UNKNOWN_SHARES = (0.0, 0.3, 0.3)
VALUES = {"present": ["1"], "absent": ["0"]}
CONFIG = ModelConfig.model_validate(
    {
        "modalities": ["clinical", "text"],
        "folds": 2,
        "clinical": {"trees": None},
        "text": {"encoder": "none"},
        "fusion": {"bootstrap": 10},
    }
)


@dataclass(frozen=True, slots=True)
class Planted:
    """Records, what is true of them, and what they state.

    Attributes:
        records: One a patient, with three measurements at the index; some have a note.
        columns: (n, 3) the measurements.
        log_odds: (n, 3) of each finding.
        present: (n, 3) the truth, also where it is not stated.
        known: (n, 3) True where it is stated.
    """

    records: tuple[PatientRecord, ...]
    columns: NDArray[np.float64]
    log_odds: NDArray[np.float64]
    present: NDArray[np.bool_]
    known: NDArray[np.bool_]

    def cohort(self, findings: tuple[str, ...] = FINDINGS) -> Cohort:
        """The cases in which one of the findings is known at least."""
        return build_cohort(findings_task(findings), self.records)


def planted(cases: int, seed: int = 0, unknown: tuple[float, ...] = UNKNOWN_SHARES) -> Planted:
    """Independent patients; whether a finding is stated has nothing to do with whether it is present."""
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=(cases, 3))
    log_odds = columns @ EFFECTS.T - 0.5
    present = rng.random((cases, 3)) < 1.0 / (1.0 + np.exp(-log_odds))
    known = rng.random((cases, 3)) >= np.array(unknown)
    wet = rng.random(cases) < np.where(present[:, 0], 0.8, 0.3)
    records = []
    for row in range(cases):
        facts = [event(0, f"t|{place}", float(columns[row, place])) for place in range(3)]
        stated = [
            event(0.5, f"finding|{name}", float(present[row, place]))
            for place, name in enumerate(FINDINGS)
            if known[row, place]
        ]
        notes = [(0.0, "Congested vessels." if wet[row] else "Clear vessels.")] if row % 3 else []
        records.append(patient(f"p{row:04d}", [event(0, INDEX), *facts, *stated], notes))
    return Planted(tuple(records), columns, log_odds, present, known)


def findings_task(findings: tuple[str, ...] = FINDINGS) -> Task:
    """Which of these findings are there?"""
    asked = {name: {"code": f"finding|{name}", **VALUES} for name in findings}
    return task(outcome={"kind": "findings", "findings": asked}, screening=HIDDEN)


def class_task(finding: str) -> Task:
    """The same question about one finding, as a class with two values."""
    outcome = {"kind": "value", "code": f"finding|{finding}", "classes": {"0": "none", "1": finding}}
    return task(outcome=outcome, screening=HIDDEN)


HIDDEN = {"exclude_codes": [f"finding|{name}" for name in FINDINGS]}
