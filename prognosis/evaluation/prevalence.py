"""The answer without any evidence: how common each class or finding was in training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case, Cohort, cohort_target
from prognosis.cohort.target import ONE_BIN

Floats = NDArray[np.float64]


class Prevalence:
    """Predicts for everyone the share of the training cases that had each class or finding."""

    def __init__(self, training: Cohort) -> None:
        target = cohort_target(training, edges=ONE_BIN)
        self._share: Floats = target.happened.sum(axis=0) / target.answered.sum(axis=0)

    def cumulative_incidence(self, cases: Sequence[Case], days: Floats) -> Floats:
        """(n, K, T) the same for every case at every day."""
        return np.tile(self._share[:, None], (len(cases), 1, len(days)))
