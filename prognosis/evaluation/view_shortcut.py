"""The answer that the film's projection alone gives: the shortcut a model of portable films must beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case, Cohort, cohort_target

Floats = NDArray[np.float64]

PRIOR_CASES = 2.0


def index_view(case: Case) -> str:
    """The view position (AP, PA) of the film taken at the index, "" where there is none."""
    for study in reversed(case.record.studies):
        if study.time == case.index_time:
            return next((series.view for series in study.series if series.view), "")
    return ""


class ViewShortcut:
    """Predicts each class by how often it was seen with the same projection in training."""

    def __init__(self, training: Cohort) -> None:
        target = cohort_target(training)
        classes = len(target.causes)
        views = np.array([index_view(case) for case in training.cases])
        happened, answered = target.happened, np.broadcast_to(target.answered, (len(target), classes))
        overall = happened.sum(axis=0) / answered.sum(axis=0)
        self._overall: Floats = overall
        self._by_view: dict[str, Floats] = {
            str(view): (happened[views == view].sum(axis=0) + PRIOR_CASES * overall)
            / (answered[views == view].sum(axis=0) + PRIOR_CASES)
            for view in np.unique(views)
        }

    def cumulative_incidence(self, cases: Sequence[Case], days: Floats) -> Floats:
        """(n, K, T) the same at every day."""
        chance = np.stack([self._by_view.get(index_view(case), self._overall) for case in cases])
        return np.repeat(chance[:, :, None], len(days), axis=2)
