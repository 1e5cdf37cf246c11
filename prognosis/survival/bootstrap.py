"""Intervals by resampling patients: the unit drawn is the patient with all of their cases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.compiled import threads_allowed
from prognosis.errors import CohortError
from prognosis.survival.curves import Floats
from prognosis.survival.statistic import Statistic, once

_CHUNK_ELEMENTS = 1_000_000
_LEAST_DEFINED = 0.9


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and its percentile bootstrap interval at `level` (0 to 1)."""

    value: float
    low: float
    high: float
    level: float = 0.95


def cluster_weights(clusters: NDArray[np.str_], replicates: int, seed: int) -> NDArray[np.int64]:
    """(replicates, n) how often each case is drawn when clusters are drawn with replacement.

    Args:
        clusters: (n,) the patient of each case.
        replicates: Number of bootstrap samples.
        seed: Of the draw; the same seed gives the same samples, so that differences are paired.
    """
    names, member = np.unique(clusters, return_inverse=True)
    drawn = np.random.default_rng(seed).integers(0, len(names), size=(replicates, len(names)))
    return _times_drawn(drawn, member)


def _times_drawn(drawn: NDArray[np.int64], member: NDArray[np.intp]) -> NDArray[np.int64]:
    """(R, n) weights of cases from the (R, clusters) numbers drawn and the (n,) number of each case's."""
    return np.stack([np.bincount(sample, minlength=drawn.shape[1])[member] for sample in drawn])


def replicate_values(statistic: Statistic, clusters: NDArray[np.str_], replicates: int, seed: int) -> Floats:
    """(replicates,) the statistic of each bootstrap sample; arguments as in `clustered_bootstrap`.

    Samples are drawn in order, a few at a time, so that memory does not grow with their number, and the
    statistic is evaluated in as many threads as are allowed; it is given the same samples either way.
    """
    names, member = np.unique(clusters, return_inverse=True)
    rng = np.random.default_rng(seed)
    step = max(1, _CHUNK_ELEMENTS // max(1, len(member)))
    sizes = [min(step, replicates - first) for first in range(0, replicates, step)]

    def evaluate(drawn: NDArray[np.int64]) -> Floats:
        return statistic(_times_drawn(drawn, member).astype(np.float64))

    threads = threads_allowed()
    values: list[Floats] = []
    with ThreadPoolExecutor(threads) as pool:
        for first in range(0, len(sizes), threads):
            drawn = [
                rng.integers(0, len(names), size=(size, len(names)))
                for size in sizes[first : first + threads]
            ]
            values += pool.map(evaluate, drawn)
    return np.concatenate(values)


def clustered_bootstrap(
    statistic: Statistic,
    clusters: NDArray[np.str_],
    replicates: int,
    seed: int,
    level: float = 0.95,
) -> Interval:
    """The statistic of the sample, with a percentile interval over resampled patients.

    Samples in which the statistic is not defined (no event drawn) are left out; when they are more than
    a tenth, the statistic is refused instead of being reported on a selection.

    Args:
        statistic: From (R, n) case weights to (R,) values.
        clusters: (n,) the patient of each case.
        replicates: Number of bootstrap samples.
        seed: Of the draw.
        level: Coverage aimed at, 0 to 1.

    Raises:
        CohortError: The statistic is not defined on the sample, or on too many resamples.
    """
    value = float(statistic(once(len(clusters)))[0])
    if not np.isfinite(value):
        raise CohortError("bootstrap", "the statistic is not defined on these cases", "use more cases")
    return interval_of(value, replicate_values(statistic, clusters, replicates, seed), level)


def interval_of(value: float, drawn: Floats, level: float = 0.95) -> Interval:
    """A value with the percentile interval of its resamples; those in which it is not defined are left out.

    Args:
        value: The statistic of the sample.
        drawn: (replicates,) the statistic of each resample; NaN where not defined.
        level: Coverage aimed at, 0 to 1.

    Raises:
        CohortError: More than a tenth of the resamples do not define it.
    """
    defined = drawn[np.isfinite(drawn)]
    if len(defined) < _LEAST_DEFINED * len(drawn):
        raise CohortError(
            "bootstrap",
            f"the statistic is defined in only {len(defined)} of {len(drawn)} resamples",
            "use more patients with events",
        )
    low, high = np.quantile(defined, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return Interval(value, float(low), float(high), level)


def paired_difference(
    first: Statistic,
    second: Statistic,
    clusters: NDArray[np.str_],
    replicates: int,
    seed: int,
    level: float = 0.95,
) -> Interval:
    """First minus second on the same resampled patients; arguments as in `clustered_bootstrap`.

    Raises:
        CohortError: The difference is not defined on the sample, or on too many resamples.
    """

    def difference(weights: Floats) -> Floats:
        gap: Floats = first(weights) - second(weights)
        return gap

    return clustered_bootstrap(difference, clusters, replicates, seed, level)
