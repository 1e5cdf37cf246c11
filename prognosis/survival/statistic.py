"""A statistic that can be recomputed for many case weightings: what a bootstrap needs of it.

A bootstrap replicate is a vector of integer case weights, so a statistic is a function from (R, n)
weights to (R,) values. Those that are ratios of sums say so, because ratios add up over folds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from prognosis.survival.curves import Floats

Statistic = Callable[[Floats], Floats]
"""From (R, n) case weights to (R,) values; NaN marks a replicate in which the value is not defined."""


@dataclass(frozen=True, slots=True)
class Sums:
    """(R,) numerator and denominator of a ratio statistic, for each weighting."""

    numerator: Floats
    denominator: Floats

    def ratio(self) -> Floats:
        """(R,) numerator over denominator; NaN where the denominator is 0."""
        undefined = np.full_like(self.numerator, np.nan)
        value: Floats = np.divide(self.numerator, self.denominator, out=undefined, where=self.denominator > 0)
        return value


class RatioStatistic(Protocol):
    """A statistic that is one weighted sum over another."""

    def sums(self, weights: Floats) -> Sums:
        """The two sums for each row of (R, n) `weights`."""
        ...


@dataclass(frozen=True, slots=True)
class WeightedMean:
    """The mean over cases of a fixed contribution, e.g. an IPCW squared error.

    Attributes:
        contributions: (n,) one value a case.
    """

    contributions: Floats

    def sums(self, weights: Floats) -> Sums:
        """See `RatioStatistic`."""
        return Sums(weights @ self.contributions, weights.sum(axis=1))


@dataclass(frozen=True, slots=True)
class Stratified:
    """One ratio over several strata (folds): sums are added, so no pair is ever formed across strata.

    Predictions of two folds come from two models; comparing their levels would measure the difference
    between the models' baselines and not discrimination.

    Attributes:
        rows: For each stratum, the rows of its cases.
        parts: For each stratum, its statistic over those rows.
    """

    rows: tuple[NDArray[np.intp], ...]
    parts: tuple[RatioStatistic, ...]

    def sums(self, weights: Floats) -> Sums:
        """See `RatioStatistic`."""
        each = [part.sums(weights[:, rows]) for rows, part in zip(self.rows, self.parts, strict=True)]
        return Sums(
            np.sum([sums.numerator for sums in each], axis=0),
            np.sum([sums.denominator for sums in each], axis=0),
        )


def ratio_of(statistic: RatioStatistic) -> Statistic:
    """The ratio as a plain function of the case weights."""
    return lambda weights: statistic.sums(weights).ratio()


def relative_gain(statistic: RatioStatistic, reference: RatioStatistic) -> Statistic:
    """1 - statistic / reference: the share of the reference's error that is removed (higher = better)."""

    def gain(weights: Floats) -> Floats:
        gained: Floats = 1.0 - statistic.sums(weights).ratio() / reference.sums(weights).ratio()
        return gained

    return gain


def once(n: int) -> Floats:
    """(1, n) weights of one each: the sample itself."""
    return np.ones((1, n))
