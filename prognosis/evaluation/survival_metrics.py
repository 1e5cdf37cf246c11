"""Discrimination, overall error and calibration of predicted cumulative incidences, with intervals.

Pairs are formed within folds only, and each fold is weighted by the censoring distribution of its own
training cases; the bootstrap resamples patients over all folds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import CohortError
from prognosis.evaluation.held_out import HeldOut, JudgingDays
from prognosis.evaluation.results import CalibrationCurve, MetricSet
from prognosis.survival.auc import dynamic_auc_statistic
from prognosis.survival.bootstrap import Interval, clustered_bootstrap
from prognosis.survival.brier import brier_contributions, had_event, integrate, known_state_weights
from prognosis.survival.calibration import (
    calibration_bins,
    calibration_slope,
    observed_over_expected,
    smooth_calibration,
)
from prognosis.survival.censoring import Censoring, estimate_censoring
from prognosis.survival.concordance import harrell_statistic, uno_statistic
from prognosis.survival.curves import Floats, aalen_johansen
from prognosis.survival.statistic import (
    RatioStatistic,
    Statistic,
    Stratified,
    WeightedMean,
    ratio_of,
    relative_gain,
)

_SMOOTH_POINTS = 50
_SAME_FOR_ALL = "the predicted risk is the same for every case"
_NO_SPREAD = 1e-9
_AT_HORIZON = ("auc", "brier", "ipa", "calibration_slope", "observed_over_expected")


@dataclass(frozen=True, slots=True)
class PreparedMetrics:
    """Every metric as a function of case weights, over the cases of all folds laid end to end.

    Attributes:
        statistics: By name.
        refused: Why a metric has no statistic.
        clusters: (n,) the patient of each case.
        calibration: The curves.
    """

    statistics: dict[str, Statistic]
    clusters: NDArray[np.str_]
    refused: dict[str, str] = field(default_factory=dict)
    calibration: tuple[CalibrationCurve, ...] = ()

    def bootstrap(self, replicates: int, seed: int, level: float = 0.95) -> MetricSet:
        """Each metric with its interval; one that is not defined is refused with the reason."""
        metrics: dict[str, Interval] = {}
        refused = dict(self.refused)
        for name, statistic in self.statistics.items():
            try:
                metrics[name] = clustered_bootstrap(statistic, self.clusters, replicates, seed, level)
            except CohortError as error:
                refused[name] = error.problem
        return MetricSet(metrics, refused)


@dataclass(frozen=True, slots=True)
class _Fold:
    part: HeldOut
    rows: NDArray[np.intp]
    censoring: Censoring


def prepare_survival(parts: Sequence[HeldOut], judged: JudgingDays) -> PreparedMetrics:
    """Prepare all metrics of all causes.

    Args:
        parts: The held-out predictions, one element a fold.
        judged: The days at which they are judged.
    """
    sizes = np.cumsum([0, *(len(part.target) for part in parts)])
    folds = [
        _Fold(
            part,
            np.arange(sizes[number], sizes[number + 1]),
            estimate_censoring(part.training_target.days, part.training_target.cause > 0),
        )
        for number, part in enumerate(parts)
    ]
    prepared = PreparedMetrics({}, np.concatenate([part.clusters for part in parts]))
    curves: list[CalibrationCurve] = []
    for of_cause, cause in enumerate(parts[0].target.causes, start=1):
        suffix = "" if of_cause == 1 else f":{cause}"
        found = _overall(folds, judged, of_cause)
        for horizon in judged.horizons:
            reason = _unanswerable(folds, horizon, of_cause)
            names = [f"{kind}@{horizon:g}{suffix}" for kind in _AT_HORIZON]
            if reason:
                prepared.refused.update(dict.fromkeys(names, reason))
                continue
            values, curve = _at_horizon(folds, horizon, of_cause)
            if _alike(folds, horizon, of_cause):
                values.pop("calibration_slope")
                prepared.refused[f"calibration_slope@{horizon:g}{suffix}"] = _SAME_FOR_ALL
            found.update({f"{kind}@{horizon:g}": value for kind, value in values.items()})
            curves.append(curve)
        prepared.statistics.update({f"{name}{suffix}": value for name, value in found.items()})
    return PreparedMetrics(prepared.statistics, prepared.clusters, prepared.refused, tuple(curves))


def _stratified(folds: Sequence[_Fold], make: Callable[[_Fold], RatioStatistic]) -> Stratified:
    return Stratified(tuple(fold.rows for fold in folds), tuple(make(fold) for fold in folds))


def _overall(folds: Sequence[_Fold], judged: JudgingDays, of_cause: int) -> dict[str, Statistic]:
    def harrell(fold: _Fold) -> RatioStatistic:
        target, risk = fold.part.target, fold.part.expected_days_lost(judged.tau, of_cause)
        return harrell_statistic(target.days, target.cause, risk, of_cause=of_cause)

    def uno(fold: _Fold) -> RatioStatistic:
        target, risk = fold.part.target, fold.part.expected_days_lost(judged.tau, of_cause)
        return uno_statistic(target.days, target.cause, risk, fold.censoring, judged.tau, of_cause=of_cause)

    def error(fold: _Fold) -> RatioStatistic:
        return _integrated(fold, fold.part.risk_at(judged.grid, of_cause), judged.grid, of_cause)

    def reference(fold: _Fold) -> RatioStatistic:
        return _integrated(fold, _reference_risk(fold, judged.grid, of_cause), judged.grid, of_cause)

    brier = _stratified(folds, error)
    return {
        "uno_c": ratio_of(_stratified(folds, uno)),
        "harrell_c": ratio_of(_stratified(folds, harrell)),
        "ibs": ratio_of(brier),
        "ipa": relative_gain(brier, _stratified(folds, reference)),
    }


def _integrated(fold: _Fold, risk: Floats, grid: Floats, of_cause: int) -> WeightedMean:
    target = fold.part.target
    each = brier_contributions(target.days, target.cause, risk, grid, fold.censoring, of_cause)
    return WeightedMean(integrate(each, grid))


def _reference_risk(fold: _Fold, days: Floats, of_cause: int) -> Floats:
    """(n, T) the training cases' Aalen-Johansen curve, the same for everyone."""
    training = fold.part.training_target
    curve = aalen_johansen(training.days, training.cause, len(training.causes))[of_cause - 1]
    return np.tile(curve.at(days), (len(fold.part.target), 1))


def _unanswerable(folds: Sequence[_Fold], horizon: float, of_cause: int) -> str:
    """Why the horizon cannot be judged; empty when it can."""
    target_days = np.concatenate([fold.part.target.days for fold in folds])
    cause = np.concatenate([fold.part.target.cause for fold in folds])
    if any(fold.censoring.free_weight(horizon) <= 0 for fold in folds) or not (target_days > horizon).any():
        return f"nobody is followed past {horizon:g} days"
    if not ((cause == of_cause) & (target_days <= horizon)).any():
        return f"no event within {horizon:g} days"
    return ""


def _alike(folds: Sequence[_Fold], horizon: float, of_cause: int) -> bool:
    """True when no fold's predictions vary: a slope would compare the folds' baselines with each other."""
    times = np.array([horizon])
    return all(np.ptp(fold.part.risk_at(times, of_cause)) < _NO_SPREAD for fold in folds)


def _at_horizon(
    folds: Sequence[_Fold], horizon: float, of_cause: int
) -> tuple[dict[str, Statistic], CalibrationCurve]:
    times = np.array([horizon])

    def auc(fold: _Fold) -> RatioStatistic:
        target, risk = fold.part.target, fold.part.risk_at(times, of_cause)[:, 0]
        return dynamic_auc_statistic(
            target.days, target.cause, risk, horizon, fold.censoring, of_cause=of_cause
        )

    def error(fold: _Fold) -> RatioStatistic:
        return _squared_error(fold, fold.part.risk_at(times, of_cause), times, of_cause)

    def reference(fold: _Fold) -> RatioStatistic:
        return _squared_error(fold, _reference_risk(fold, times, of_cause), times, of_cause)

    brier = _stratified(folds, error)
    pooled = _pool(folds, times, of_cause)
    statistics = {
        "auc": ratio_of(_stratified(folds, auc)),
        "brier": ratio_of(brier),
        "ipa": relative_gain(brier, _stratified(folds, reference)),
        "calibration_slope": calibration_slope(pooled.outcome, pooled.known, pooled.risk),
        "observed_over_expected": observed_over_expected(
            pooled.days, pooled.cause, pooled.risk, horizon, of_cause
        ),
    }
    return statistics, _curve(pooled, horizon, of_cause, folds[0].part.target.causes[of_cause - 1])


def _squared_error(fold: _Fold, risk: Floats, times: Floats, of_cause: int) -> WeightedMean:
    target = fold.part.target
    each = brier_contributions(target.days, target.cause, risk, times, fold.censoring, of_cause)
    return WeightedMean(each[:, 0])


@dataclass(frozen=True, slots=True)
class _Pooled:
    days: Floats
    cause: NDArray[np.int64]
    risk: Floats
    outcome: NDArray[np.bool_]
    known: Floats


def _pool(folds: Sequence[_Fold], times: Floats, of_cause: int) -> _Pooled:
    targets = [fold.part.target for fold in folds]
    days = np.concatenate([target.days for target in targets])
    cause = np.concatenate([target.cause for target in targets])
    known = [
        known_state_weights(target.days, target.cause, times, fold.censoring)[:, 0]
        for target, fold in zip(targets, folds, strict=True)
    ]
    return _Pooled(
        days,
        cause,
        np.concatenate([fold.part.risk_at(times, of_cause)[:, 0] for fold in folds]),
        had_event(days, cause, times, of_cause)[:, 0],
        np.concatenate(known),
    )


def _curve(pooled: _Pooled, horizon: float, of_cause: int, cause: str) -> CalibrationCurve:
    bins = calibration_bins(pooled.days, pooled.cause, pooled.risk, horizon, of_cause=of_cause)
    binned = CalibrationCurve(
        cause,
        horizon,
        tuple(each.predicted for each in bins),
        tuple(each.observed for each in bins),
        tuple(each.cases for each in bins),
    )
    try:
        smooth = smooth_calibration(pooled.outcome, pooled.known, pooled.risk)
    except CohortError:  # risks that hardly vary (Kaplan-Meier) have bins but no curve
        return binned
    shown = np.linspace(0, len(smooth.predicted) - 1, _SMOOTH_POINTS).astype(int)
    return CalibrationCurve(
        cause,
        horizon,
        binned.predicted,
        binned.observed,
        binned.cases,
        tuple(float(value) for value in smooth.predicted[shown]),
        tuple(float(value) for value in smooth.observed[shown]),
        smooth.ici,
        smooth.e90,
    )
