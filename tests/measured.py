"""A cohort whose later value is known: of the last value, of another fact, of a sentence, and of chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Cohort, Task, build_cohort
from prognosis.fusion import ModelConfig
from prognosis.record import PatientRecord
from tests.cohort.builders import INDEX, event, patient, task

NOISE = 0.5
LAST, OTHER, WORDS = 0.9, 0.6, 1.2
CONFIG = ModelConfig.model_validate(
    {
        "modalities": ["clinical", "text"],
        "folds": 2,
        "clinical": {"trees": None},
        "text": {"encoder": "none"},
        "fusion": {"bootstrap": 4},
    }
)


@dataclass(frozen=True, slots=True)
class Planted:
    """Records, and what is true of them.

    Attributes:
        records: One a patient, with a last value and another fact at the index; two in three have a note.
        expected: (n,) mean of the value on day 365, whether or not a note says it, in mg/dL.
        value: (n,) the value itself.
    """

    records: tuple[PatientRecord, ...]
    expected: NDArray[np.float64]
    value: NDArray[np.float64]

    def cohort(self, **outcome: object) -> Cohort:
        """The cases, every one of which has a value."""
        return build_cohort(measured_task(**outcome), self.records)


def planted(cases: int, seed: int = 0, unit: str = "mg/dL") -> Planted:
    """Independent patients; every fifth was measured later and again, further from the horizon."""
    rng = np.random.default_rng(seed)
    last, other = rng.normal(10.0, 2.0, cases), rng.normal(size=cases)
    wet = rng.random(cases) < 0.5
    expected = 2.0 + LAST * last + OTHER * other + WORDS * (wet - 0.5)
    value = expected + rng.normal(0.0, NOISE, cases)
    records = []
    for row in range(cases):
        facts = [event(0, "lab|x", float(last[row]), unit, "quantity"), event(0, "t|o", float(other[row]))]
        later = [event(360, "lab|x", float(value[row]), unit)]
        later += [event(390, "lab|x", 99.0, unit)] if row % 5 == 0 else []
        notes = [(0.0, "Congested vessels." if wet[row] else "Clear vessels.")] if row % 3 else []
        records.append(patient(f"s{seed}-{row:04d}", [event(0, INDEX), *facts, *later], notes))
    return Planted(tuple(records), expected, value)


def measured_task(**outcome: object) -> Task:
    """What is the quantity a year later?"""
    asked: dict[str, object] = {
        "kind": "measurement",
        "name": "quantity",
        "codes": ["lab|x"],
        "unit": "mg/dL",
        "horizon_days": 365,
        "window_days": 60,
    }
    return task(outcome={**asked, **outcome})
