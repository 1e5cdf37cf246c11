"""One method's cross-validations of one cohort, judged together: metrics averaged over repeats.

Each repeat deals the patients to other folds. A metric is computed within each repeat and averaged; the
bootstrap draws patients once for all repeats, so that an interval holds the sampling of patients and is not
made narrower by judging the same patients again. Curves are those of the first repeat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from prognosis.cohort import Cohort
from prognosis.errors import CohortError
from prognosis.evaluation.cross_validation import CrossValidated, held_out_parts
from prognosis.evaluation.held_out import JudgingDays
from prognosis.evaluation.results import CalibrationCurve, CalibrationTest, DecisionCurve, MetricSet
from prognosis.evaluation.survival_metrics import PreparedMetrics, prepare_survival
from prognosis.survival.bootstrap import Interval, interval_of, replicate_values
from prognosis.survival.curves import Floats
from prognosis.survival.statistic import Statistic, once

COMPARED = ("uno_c", "harrell_c", "ibs")
SECONDARY_REPLICATES = 200
"""At most as many resamples for metrics by which methods are not compared: the intervals only describe."""


@dataclass(frozen=True, slots=True)
class JudgedRuns:
    """What one method did on one cohort.

    Attributes:
        result: Its metrics.
        drawn: (replicates,) bootstrap values of each compared metric, from the same samples for every method.
        fold_values: Each compared metric in each fold, (repeats, folds); NaN where a fold does not define it.
        calibration: Curves of the first repeat.
        decisions: Net benefit in the first repeat.
        tests: Tests of calibration over all days, in the first repeat.
    """

    result: MetricSet
    drawn: Mapping[str, Floats]
    fold_values: Mapping[str, Floats]
    calibration: tuple[CalibrationCurve, ...]
    decisions: tuple[DecisionCurve, ...]
    tests: tuple[CalibrationTest, ...]


def is_compared(metric: str) -> bool:
    """True for the compared metrics, of the first cause ("ibs") and of each other one ("ibs:death")."""
    return metric.partition(":")[0] in COMPARED


def judge_runs(
    runs: Sequence[CrossValidated], cohort: Cohort, judged: JudgingDays, replicates: int, seed: int
) -> JudgedRuns:
    """Judge all repeats of one method.

    Args:
        runs: One element a repeat.
        cohort: The cohort that they predict.
        judged: The days at which they are judged.
        replicates: Bootstrap samples of patients.
        seed: Of the bootstrap.

    Raises:
        CohortError: The predictions end before the last day judged.
    """
    prepared = [prepare_survival(held_out_parts(run, cohort, judged), judged) for run in runs]
    metrics: dict[str, Interval] = {}
    drawn: dict[str, Floats] = {}
    refused = {name: reason for each in prepared for name, reason in each.refused.items()}
    fewer = _fewer(prepared[0], replicates, len(runs))
    for name in prepared[0].statistics:
        if any(name not in each.statistics for each in prepared):
            continue
        statistic = _averaged(name, prepared, runs)
        try:
            value = float(statistic(once(len(cohort)))[0])
            if not np.isfinite(value):
                refused[name] = "is not defined on these cases"
                continue
            values = replicate_values(statistic, cohort.patients, fewer.get(name, replicates), seed)
            metrics[name] = interval_of(value, values)
        except CohortError as error:
            refused[name] = error.problem
            continue
        if is_compared(name):
            drawn[name] = values
    by_fold = {
        name: np.array(
            [_by_fold(each.statistics[name], run) for each, run in zip(prepared, runs, strict=True)]
        )
        for name in drawn
    }
    first = prepared[0]
    return JudgedRuns(
        MetricSet(metrics, refused, fewer), drawn, by_fold, first.calibration, first.decisions, first.tests
    )


def _fewer(prepared: PreparedMetrics, replicates: int, repeats: int) -> dict[str, int]:
    """How many resamples each metric gets that does not get all; what is costly is shared over repeats."""
    most = {
        name: min(
            replicates if is_compared(name) else SECONDARY_REPLICATES,
            max(1, prepared.most_replicates.get(name, replicates * repeats) // repeats),
        )
        for name in prepared.statistics
    }
    return {name: count for name, count in most.items() if count < replicates}


def _averaged(name: str, prepared: Sequence[PreparedMetrics], runs: Sequence[CrossValidated]) -> Statistic:
    """The mean over repeats, as a function of case weights in cohort order."""
    each = [(one.statistics[name], run.order) for one, run in zip(prepared, runs, strict=True)]

    def mean(weights: Floats) -> Floats:
        values: Floats = np.mean([statistic(weights[:, order]) for statistic, order in each], axis=0)
        return values

    return mean


def _by_fold(statistic: Statistic, run: CrossValidated) -> Floats:
    """(folds,) the metric in each fold: with a weight of 0 for everybody outside it."""
    within = run.fold[run.order][None, :] == np.unique(run.fold)[:, None]
    return statistic(within.astype(np.float64))
