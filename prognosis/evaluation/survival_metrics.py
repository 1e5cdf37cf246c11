"""Discrimination, overall error and calibration of predicted cumulative incidences, with intervals.

Pairs are formed within folds only, and each fold is weighted by the censoring distribution of its own
training cases; the bootstrap resamples patients over all folds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import CohortError
from prognosis.evaluation.held_out import HeldOut, JudgingDays
from prognosis.evaluation.results import CalibrationCurve, CalibrationTest, DecisionCurve, MetricSet
from prognosis.evaluation.survival_calibration import calibration_curve, calibration_tests, decisions_at
from prognosis.evaluation.survival_folds import Fold, Pooled, folds_of, pool, stratified
from prognosis.survival.antolini import antolini_statistic
from prognosis.survival.auc import dynamic_auc_statistic
from prognosis.survival.binomial_likelihood import nbll_contributions
from prognosis.survival.bootstrap import Interval, clustered_bootstrap
from prognosis.survival.brier import brier_contributions, integrate
from prognosis.survival.calibration import calibration_slope, observed_over_expected
from prognosis.survival.concordance import harrell_statistic, uno_statistic
from prognosis.survival.curves import Floats
from prognosis.survival.statistic import RatioStatistic, Statistic, WeightedMean, ratio_of, relative_gain

_SAME_FOR_ALL = "the predicted risk is the same for every case"
_NO_SPREAD = 1e-9
_AT_HORIZON = ("auc", "brier", "ipa", "nbll", "calibration_slope", "observed_over_expected")
_MOST_COMPARISONS = 5e10
_LEAST_REPLICATES = 100


@dataclass(frozen=True, slots=True)
class PreparedMetrics:
    """Every metric as a function of case weights, over the cases of all folds laid end to end.

    Attributes:
        statistics: By name.
        clusters: (n,) the patient of each case.
        refused: Why a metric has no statistic.
        calibration: Observed against predicted risk, one curve a cause and horizon.
        decisions: Net benefit, one curve a cause and horizon.
        tests: Tests of calibration over all days.
        most_replicates: Of a metric that costs too much to be resampled at will, the most samples.
    """

    statistics: dict[str, Statistic]
    clusters: NDArray[np.str_]
    refused: dict[str, str] = field(default_factory=dict)
    calibration: tuple[CalibrationCurve, ...] = ()
    decisions: tuple[DecisionCurve, ...] = ()
    tests: tuple[CalibrationTest, ...] = ()
    most_replicates: dict[str, int] = field(default_factory=dict)

    def bootstrap(self, replicates: int, seed: int, level: float = 0.95) -> MetricSet:
        """Each metric with its interval; one that is not defined is refused with the reason."""
        metrics: dict[str, Interval] = {}
        refused = dict(self.refused)
        fewer = {name: most for name, most in self.most_replicates.items() if most < replicates}
        for name, statistic in self.statistics.items():
            drawn = fewer.get(name, replicates)
            try:
                metrics[name] = clustered_bootstrap(statistic, self.clusters, drawn, seed, level)
            except CohortError as error:
                refused[name] = error.problem
        return MetricSet(metrics, refused, fewer)


def prepare_survival(parts: Sequence[HeldOut], judged: JudgingDays) -> PreparedMetrics:
    """Prepare all metrics of all causes.

    Args:
        parts: The held-out predictions, one element a fold.
        judged: The days at which they are judged.
    """
    folds = folds_of(parts)
    clusters = np.concatenate([part.clusters for part in parts])
    statistics: dict[str, Statistic] = {}
    refused: dict[str, str] = {}
    calibration: list[CalibrationCurve] = []
    decisions: list[DecisionCurve] = []
    most: dict[str, int] = {}
    for of_cause, cause in enumerate(parts[0].target.causes, start=1):
        suffix = "" if of_cause == 1 else f":{cause}"
        overall = _overall(folds, judged, of_cause)
        statistics.update({f"{name}{suffix}": value for name, value in overall.items()})
        most[f"antolini_c{suffix}"] = _affordable(folds, of_cause)
        for horizon in judged.horizons:
            reason = _unanswerable(folds, horizon, of_cause)
            if reason:
                refused.update({f"{kind}@{horizon:g}{suffix}": reason for kind in _AT_HORIZON})
                continue
            pooled = pool(folds, np.array([horizon]), of_cause)
            values = _at_horizon(folds, pooled, horizon, of_cause)
            if _alike(folds, horizon, of_cause):
                values.pop("calibration_slope")
                refused[f"calibration_slope@{horizon:g}{suffix}"] = _SAME_FOR_ALL
            statistics.update({f"{kind}@{horizon:g}{suffix}": value for kind, value in values.items()})
            calibration.append(calibration_curve(pooled, horizon, of_cause, cause))
            decisions.append(decisions_at(pooled, horizon, of_cause, cause))
    tests = calibration_tests(folds, judged, clusters)
    return PreparedMetrics(statistics, clusters, refused, tuple(calibration), tuple(decisions), tests, most)


def _affordable(folds: Sequence[Fold], of_cause: int) -> int:
    """How often Antolini's C, whose pairs cannot be sorted once for all days, may be recomputed."""
    targets = [fold.part.target for fold in folds]
    comparisons = sum(float((target.cause == of_cause).sum()) * len(target) for target in targets)
    return max(_LEAST_REPLICATES, int(_MOST_COMPARISONS / max(comparisons, 1.0)))


def _overall(folds: Sequence[Fold], judged: JudgingDays, of_cause: int) -> dict[str, Statistic]:
    def harrell(fold: Fold) -> RatioStatistic:
        target, risk = fold.part.target, fold.part.expected_days_lost(judged.tau, of_cause)
        return harrell_statistic(target.days, target.cause, risk, of_cause=of_cause)

    def uno(fold: Fold) -> RatioStatistic:
        target, risk = fold.part.target, fold.part.expected_days_lost(judged.tau, of_cause)
        return uno_statistic(target.days, target.cause, risk, fold.censoring, judged.tau, of_cause=of_cause)

    def antolini(fold: Fold) -> RatioStatistic:
        target = fold.part.target
        return antolini_statistic(
            target.days,
            target.cause,
            lambda days: fold.part.risk_at(days, of_cause),
            tau=judged.tau,
            of_cause=of_cause,
        )

    errors = _errors(folds, judged.grid, of_cause)
    return {
        "uno_c": ratio_of(stratified(folds, uno)),
        "harrell_c": ratio_of(stratified(folds, harrell)),
        "antolini_c": ratio_of(stratified(folds, antolini)),
        "ibs": errors.pop("brier"),
        **errors,
    }


def _errors(folds: Sequence[Fold], times: Floats, of_cause: int) -> dict[str, Statistic]:
    """Brier score, its gain over the reference and the log-likelihood; over a grid, their mean over time."""

    def mean(each: Floats) -> WeightedMean:
        return WeightedMean(integrate(each, times) if len(times) > 1 else each[:, 0])

    def squared(fold: Fold, risk: Floats) -> WeightedMean:
        target = fold.part.target
        return mean(brier_contributions(target.days, target.cause, risk, times, fold.censoring, of_cause))

    def surprise(fold: Fold) -> WeightedMean:
        target, risk = fold.part.target, fold.part.risk_at(times, of_cause)
        return mean(nbll_contributions(target.days, target.cause, risk, times, fold.censoring, of_cause))

    brier = stratified(folds, lambda fold: squared(fold, fold.part.risk_at(times, of_cause)))
    reference = stratified(folds, lambda fold: squared(fold, fold.reference_risk(times, of_cause)))
    return {
        "brier": ratio_of(brier),
        "ipa": relative_gain(brier, reference),
        "nbll": ratio_of(stratified(folds, surprise)),
    }


def _unanswerable(folds: Sequence[Fold], horizon: float, of_cause: int) -> str:
    """Why the horizon cannot be judged; empty when it can."""
    target_days = np.concatenate([fold.part.target.days for fold in folds])
    cause = np.concatenate([fold.part.target.cause for fold in folds])
    if any(fold.censoring.free_weight(horizon) <= 0 for fold in folds) or not (target_days > horizon).any():
        return f"nobody is followed past {horizon:g} days"
    if not ((cause == of_cause) & (target_days <= horizon)).any():
        return f"no event within {horizon:g} days"
    return ""


def _alike(folds: Sequence[Fold], horizon: float, of_cause: int) -> bool:
    """True when no fold's predictions vary: a slope would compare the folds' baselines with each other."""
    times = np.array([horizon])
    return all(np.ptp(fold.part.risk_at(times, of_cause)) < _NO_SPREAD for fold in folds)


def _at_horizon(folds: Sequence[Fold], pooled: Pooled, horizon: float, of_cause: int) -> dict[str, Statistic]:
    times = np.array([horizon])

    def auc(fold: Fold) -> RatioStatistic:
        target, risk = fold.part.target, fold.part.risk_at(times, of_cause)[:, 0]
        return dynamic_auc_statistic(
            target.days, target.cause, risk, horizon, fold.censoring, of_cause=of_cause
        )

    risk = pooled.risk[:, 0]
    return {
        "auc": ratio_of(stratified(folds, auc)),
        **_errors(folds, times, of_cause),
        "calibration_slope": calibration_slope(pooled.outcome[:, 0], pooled.known[:, 0], risk),
        "observed_over_expected": observed_over_expected(pooled.days, pooled.cause, risk, horizon, of_cause),
    }
