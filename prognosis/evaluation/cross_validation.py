"""Cross-validation by patient: every case is predicted once, by a model that never saw its patient."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Cohort, cohort_target
from prognosis.evaluation.entrant import Fit
from prognosis.evaluation.held_out import HeldOut, JudgingDays


@dataclass(frozen=True, slots=True)
class CrossValidated:
    """Held-out predictions of every case, fold by fold, and what they cost.

    Attributes:
        parts: One element a fold, in fold order; rows in cohort order within a fold.
        fit_seconds: Wall-clock time of all fits together.
        predict_seconds: Wall-clock time of all predictions together.
    """

    parts: tuple[HeldOut, ...]
    fit_seconds: float
    predict_seconds: float


def cross_validate(
    cohort: Cohort,
    fit: Fit,
    fold: NDArray[np.int64],
    judged: JudgingDays,
    timer: Callable[[], float] = time.perf_counter,
) -> CrossValidated:
    """Fit on all folds but one and predict that one, for each fold in turn.

    Args:
        cohort: Labelled cases of a time-to-event task.
        fit: The method; everything it learns (imputation, scaling, penalty) it learns inside the fold.
        fold: (n,) fold of each case, equal for all cases of a patient.
        judged: The days at which predictions are wanted.
        timer: Seconds of a clock that only runs forward.

    Raises:
        PrognosisError: Whatever the method raises.
    """
    target = cohort_target(cohort)
    days = judged.days
    fit_seconds = predict_seconds = 0.0
    parts: list[HeldOut] = []
    for number in np.unique(fold):
        inside, outside = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        held_out = cohort.take(outside)
        started = timer()
        predictor = fit(cohort.take(inside))
        fitted = timer()
        incidence = predictor.cumulative_incidence(held_out.cases, days)
        predict_seconds += timer() - fitted
        fit_seconds += fitted - started
        known = target.take(outside), target.take(inside)
        parts.append(HeldOut(incidence, days, *known, held_out.patients))
    return CrossValidated(tuple(parts), fit_seconds, predict_seconds)
