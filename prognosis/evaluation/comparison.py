"""Differences between methods judged on the same cases: paired bootstrap, and the corrected t-test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from prognosis.errors import CohortError
from prognosis.evaluation.results import Comparison
from prognosis.evaluation.survival_metrics import PreparedMetrics
from prognosis.survival.bootstrap import Interval, paired_difference
from prognosis.survival.curves import Floats


def compare(
    a: str,
    b: str,
    first: PreparedMetrics,
    second: PreparedMetrics,
    metrics: Sequence[str],
    seed: int,
    replicates: int,
) -> tuple[Comparison, ...]:
    """First minus second for each metric that both have, on the same resampled patients.

    Args:
        a: Name of the first.
        b: Name of the second.
        first: Metrics of the first method's predictions.
        second: Metrics of the second's, for the same cases in the same order.
        metrics: Which metrics; one that either lacks is left out.
        seed: Of the bootstrap.
        replicates: Number of bootstrap samples.

    Raises:
        CohortError: The two do not hold the same patients in the same order.
    """
    if not np.array_equal(first.clusters, second.clusters):
        raise CohortError(f"{a} against {b}", "are predictions for different cases", "use the same folds")
    found: list[Comparison] = []
    for metric in metrics:
        if metric not in first.statistics or metric not in second.statistics:
            continue
        pair = first.statistics[metric], second.statistics[metric]
        try:
            difference = paired_difference(*pair, first.clusters, replicates, seed)
        except CohortError:  # refused for one of the two, which its own metrics already say
            continue
        found.append(Comparison(a, b, metric, difference))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class CorrectedDifference:
    """A mean difference over folds with the interval of the corrected resampled t-test.

    Attributes:
        difference: The mean and its interval.
        p_value: Two-sided.
    """

    difference: Interval
    p_value: float


def nadeau_bengio(
    differences: Floats | NDArray[np.float64], training: int, held_out: int, level: float = 0.95
) -> CorrectedDifference:
    """The mean difference over cross-validation folds, allowing for their overlapping training sets.

    The variance is multiplied by (1/k + n_test/n_train) instead of 1/k (Nadeau and Bengio, Machine
    Learning 2003;52:239), because folds share most of their training cases.

    Args:
        differences: (k,) the difference of a metric in each fold.
        training: Training cases of a fold.
        held_out: Test cases of a fold.
        level: Coverage, 0 to 1.

    Raises:
        CohortError: There are fewer than two folds.
    """
    k = len(differences)
    if k < 2:
        raise CohortError("comparison", "has fewer than two folds", "use at least two")
    mean = float(np.mean(differences))
    error = float(np.sqrt((1.0 / k + held_out / training) * np.var(differences, ddof=1)))
    margin = float(student.ppf((1.0 + level) / 2.0, k - 1)) * error
    if error == 0.0:
        p_value = 1.0 if mean == 0.0 else 0.0
    else:
        p_value = float(2.0 * student.sf(abs(mean) / error, k - 1))
    return CorrectedDifference(Interval(mean, mean - margin, mean + margin, level), p_value)
