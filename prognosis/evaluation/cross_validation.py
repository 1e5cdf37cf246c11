"""Cross-validation by patient: every case is predicted once, by a model that never saw its patient."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Cohort, cohort_target
from prognosis.evaluation.entrant import Fit
from prognosis.evaluation.held_out import HeldOut, JudgingDays
from prognosis.survival.curves import Floats


@dataclass(frozen=True, slots=True)
class CrossValidated:
    """The held-out prediction of every case, and what they cost.

    Attributes:
        incidence: (n, K, T) cumulative incidence of each case, in cohort order and single precision: what is
            kept on disk is exactly what is judged.
        fold: (n,) the fold in which each case was held out.
        fit_seconds: Wall-clock time of all fits together.
        predict_seconds: Wall-clock time of all predictions together.
        peak_mib: Memory in MiB at its highest, less what was in use before; None where not measured.
    """

    incidence: NDArray[np.float32]
    fold: NDArray[np.int64]
    fit_seconds: float
    predict_seconds: float
    peak_mib: float | None = None

    @property
    def order(self) -> NDArray[np.intp]:
        """(n,) the cases fold by fold, in cohort order within a fold: the order of `held_out_parts`."""
        return np.argsort(self.fold, kind="stable")


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
    days = judged.days
    incidence = np.empty((len(cohort), len(cohort.task.causes), len(days)), dtype=np.float32)
    fit_seconds = predict_seconds = 0.0
    for number in np.unique(fold):
        inside, outside = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        started = timer()
        predictor = fit(cohort.take(inside))
        fitted = timer()
        incidence[outside] = predictor.cumulative_incidence(cohort.take(outside).cases, days)
        predict_seconds += timer() - fitted
        fit_seconds += fitted - started
    return CrossValidated(incidence, fold, fit_seconds, predict_seconds)


def held_out_parts(run: CrossValidated, cohort: Cohort, judged: JudgingDays) -> tuple[HeldOut, ...]:
    """The predictions with what happened, one element a fold, in the order of `CrossValidated.order`."""
    target, patients = cohort_target(cohort), cohort.patients
    parts: list[HeldOut] = []
    for number in np.unique(run.fold):
        outside, inside = np.flatnonzero(run.fold == number), np.flatnonzero(run.fold != number)
        incidence: Floats = run.incidence[outside].astype(np.float64)
        known = target.take(outside), target.take(inside)
        parts.append(HeldOut(incidence, judged.days, *known, patients[outside]))
    return tuple(parts)


def averaged_runs(runs: Sequence[CrossValidated]) -> CrossValidated:
    """The plain average of several methods' predictions on the same folds, at the cost of all of them."""
    mean = np.mean(np.stack([run.incidence for run in runs]), axis=0, dtype=np.float64)
    incidence = np.asarray(mean, dtype=np.float32)
    peaks = [run.peak_mib for run in runs if run.peak_mib is not None]
    return CrossValidated(
        incidence,
        runs[0].fold,
        sum(run.fit_seconds for run in runs),
        sum(run.predict_seconds for run in runs),
        max(peaks) if peaks else None,
    )
