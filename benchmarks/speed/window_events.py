"""Simulated events, and the columns that every candidate makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SPANS = (np.inf, 365.0, 30.0)
INSIDE = ("count", "mean", "min", "max", "slope")
NAMES = ("last", "days_since", *(f"{what}_{number}" for number in range(len(SPANS)) for what in INSIDE))


@dataclass(frozen=True, slots=True)
class Events:
    """N events sorted by patient and time.

    Attributes:
        patient: (N,) from 0.
        code: (N,) from 0.
        age_days: (N,) days before the index; falling within a patient.
        value: (N,) the number measured.
        place: (N,) 0 to N - 1, by which the last of several at one time is known.
    """

    patient: NDArray[np.int64]
    code: NDArray[np.int64]
    age_days: NDArray[np.float64]
    value: NDArray[np.float64]
    place: NDArray[np.int64]


def simulate(events: int, patients: int, codes: int, seed: int = 0) -> Events:
    """Patients seen unequally often over two years, half of it lately; times in whole hours, some tied."""
    rng = np.random.default_rng(seed)
    patient = np.sort(rng.choice(patients, events, p=rng.dirichlet(np.full(patients, 5.0))))
    age = np.where(rng.random(events) < 0.5, rng.exponential(60.0, events), rng.uniform(0.0, 730.0, events))
    age = np.round(age * 24.0) / 24.0
    age = age[np.lexsort((-age, patient))]
    code = rng.integers(0, codes, events)
    return Events(patient, code, age, rng.normal(100.0, 15.0, events), np.arange(events))
