"""Calibration and usefulness of predicted cumulative incidences: curves to draw, and tests over all days.

These have no bootstrap interval. A distance from calibration cannot be negative, so the interval of a model
that is right would exclude 0; the null distribution of a test says what chance alone brings about.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import CohortError
from prognosis.evaluation.held_out import JudgingDays
from prognosis.evaluation.results import CalibrationCurve, CalibrationTest, DecisionCurve
from prognosis.evaluation.survival_folds import Fold, Pooled, pool
from prognosis.survival.calibration import calibration_bins, smooth_calibration
from prognosis.survival.curves import Floats
from prognosis.survival.distribution_calibration import distribution_calibration
from prognosis.survival.incidence_calibration import (
    LEAST_CASES,
    incidence_calibration,
    incidence_calibration_by_risk,
)
from prognosis.survival.net_benefit import decision_curve

THRESHOLDS = tuple(round(0.02 * step, 2) for step in range(1, 50))
"""From 2% to 98% in steps of 2%: a report shows the range that its reader could act in."""

_SMOOTH_POINTS = 50


def calibration_curve(pooled: Pooled, horizon: float, of_cause: int, cause: str) -> CalibrationCurve:
    """Observed against predicted risk at a horizon, in bins and smoothed.

    Args:
        pooled: Predictions at the horizon alone.
        horizon: Days.
        of_cause: The number of the cause, from 1.
        cause: Its name.
    """
    risk = pooled.risk[:, 0]
    bins = calibration_bins(pooled.days, pooled.cause, risk, horizon, of_cause=of_cause)
    binned = CalibrationCurve(
        cause,
        horizon,
        tuple(each.predicted for each in bins),
        tuple(each.observed for each in bins),
        tuple(each.cases for each in bins),
        tuple(each.effective_cases for each in bins),
    )
    try:
        smooth = smooth_calibration(pooled.outcome[:, 0], pooled.known[:, 0], risk)
    except CohortError:  # risks that hardly vary (Kaplan-Meier) have bins but no curve
        return binned
    shown = np.linspace(0, len(smooth.predicted) - 1, _SMOOTH_POINTS).astype(int)
    return CalibrationCurve(
        cause,
        horizon,
        binned.predicted,
        binned.observed,
        binned.cases,
        binned.effective_cases,
        tuple(float(value) for value in smooth.predicted[shown]),
        tuple(float(value) for value in smooth.observed[shown]),
        smooth.ici,
        smooth.e90,
    )


def decisions_at(pooled: Pooled, horizon: float, of_cause: int, cause: str) -> DecisionCurve:
    """Net benefit over `THRESHOLDS` at a horizon; arguments as above."""
    found = decision_curve(pooled.days, pooled.cause, pooled.risk[:, 0], horizon, THRESHOLDS, of_cause)
    return DecisionCurve(
        cause,
        horizon,
        THRESHOLDS,
        tuple(float(value) for value in found.model),
        tuple(float(value) for value in found.treat_all),
    )


def calibration_tests(
    folds: Sequence[Fold], judged: JudgingDays, clusters: NDArray[np.str_]
) -> tuple[CalibrationTest, ...]:
    """D-calibration of surviving every cause, and AJ-calibration of each cause, overall and by risk.

    Args:
        folds: The held-out predictions.
        judged: D-calibration cuts follow-up at the last of its days, AJ-calibration runs over its grid.
        clusters: (n,) the patient of each case.
    """
    found = [_distribution(folds, float(judged.days[-1]))]
    for of_cause, cause in enumerate(folds[0].part.target.causes, start=1):
        found += _incidence(folds, judged.grid, clusters, of_cause, cause)
    return tuple(found)


def _distribution(folds: Sequence[Fold], last: float) -> CalibrationTest:
    survival = np.concatenate([fold.part.survival_at_own(last) for fold in folds])
    days = np.concatenate([fold.part.target.days for fold in folds])
    cause = np.concatenate([fold.part.target.cause for fold in folds])
    found = distribution_calibration(np.clip(survival, 0.0, 1.0), (cause > 0) & (days <= last))
    return CalibrationTest("d_calibration", "", "all", len(days), found.misplaced, found.p_value)


def _incidence(
    folds: Sequence[Fold], grid: Floats, clusters: NDArray[np.str_], of_cause: int, cause: str
) -> list[CalibrationTest]:
    pooled = pool(folds, grid, of_cause)
    cases = pooled.days, pooled.cause, pooled.risk, grid
    if len(pooled.days) < LEAST_CASES:
        return []
    overall = incidence_calibration(*cases, of_cause=of_cause, clusters=clusters)
    groups = incidence_calibration_by_risk(*cases, of_cause=of_cause, clusters=clusters)
    named = [("all", overall)]
    if len(groups) > 1:
        named += [(f"risk group {number}", group) for number, group in enumerate(groups, start=1)]
    return [
        CalibrationTest("aj_calibration", cause, name, each.cases, each.mean_absolute, each.p_value)
        for name, each in named
    ]
