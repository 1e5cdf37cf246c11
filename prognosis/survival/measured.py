"""Statistics of predicted values: errors, the continuous ranked probability score, intervals and coverage.

All are functions of case weights, as a bootstrap over patients needs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import InputError
from prognosis.survival.curves import Floats
from prognosis.survival.statistic import Statistic

INTERVAL_LEVELS = (0.5, 0.8, 0.9, 0.95)
_ROUNDING = 1e-9  # of a weight, in patients
_NO_SPREAD = 1e-12  # as a share of a sum of squares, so that the unit of the values does not matter


def gaussian_crps(values: Floats, mean: Floats, error: Floats) -> Floats:
    """(n,) continuous ranked probability score of normal predictions, in the values' unit; 0 is best.

    Gneiting and Raftery 2007 (JASA 102:359), equation 21, with the sign that makes less better. For an error
    of zero, a point forecast, it is the absolute error.

    Args:
        values: (n,) what was measured.
        mean: (n,) of the predictions.
        error: (n,) their standard deviations, at least 0.
    """
    distance = np.abs(values - mean)
    spread = np.where(error > 0.0, error, 1.0)
    standard = distance / spread
    from scipy.stats import norm

    score = standard * (2.0 * norm.cdf(standard) - 1.0) + 2.0 * norm.pdf(standard) - 1.0 / np.sqrt(np.pi)
    return np.where(error > 0.0, spread * score, distance)


def root_mean_square(residual: Floats) -> Statistic:
    """The root of the mean squared residual (n,)."""
    squares = residual**2
    return lambda weights: np.sqrt(weights @ squares / weights.sum(axis=1))


def explained_share(values: Floats, residual: Floats) -> Statistic:
    """R2: 1 less the squared error over that of the judged cases' own mean; below 0 is worse than it."""
    squares, centred = residual**2, values - values.mean()

    def share(weights: Floats) -> Floats:
        total = weights.sum(axis=1)
        around = weights @ centred**2 - (weights @ centred) ** 2 / total
        least = _NO_SPREAD * (weights @ centred**2) + _NO_SPREAD**2 * (weights @ values**2)
        undefined = np.full(len(weights), np.nan)
        left = np.divide(weights @ squares, around, out=undefined, where=around > least)
        return np.asarray(1.0 - left)

    return share


def slope_on_predicted(values: Floats, mean: Floats) -> Statistic:
    """Slope of the values on what was predicted: 1 is right, below 1 predictions are too extreme."""
    x, y = mean - mean.mean(), values - values.mean()

    def slope(weights: Floats) -> Floats:
        total = weights.sum(axis=1)
        spread = weights @ x**2 - (weights @ x) ** 2 / total
        joint = weights @ (x * y) - (weights @ x) * (weights @ y) / total
        least = _NO_SPREAD * (weights @ (x**2 + y**2))
        return np.divide(joint, spread, out=np.full(len(weights), np.nan), where=spread > least)

    return slope


@dataclass(frozen=True, slots=True)
class ResidualIntervals:
    """Intervals of values from residuals of predictions that had not seen the case.

    Attributes:
        levels: (L,) confidence levels.
        low: (L,) lower ends, in errors from the predicted mean.
        high: (L,) upper ends, likewise.
    """

    levels: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def of(self, mean: Floats, error: Floats, level: float) -> tuple[Floats, Floats]:
        """(n,) lower and (n,) upper ends.

        Args:
            mean: (n,) predicted.
            error: (n,) standard deviation of the error.
            level: One of `levels`.

        Raises:
            InputError: The level was not calibrated.
        """
        if level not in self.levels:
            stated = ", ".join(f"{each:g}" for each in self.levels)
            raise InputError(f"level {level:g}", "has no calibrated interval", f"ask for one of {stated}")
        place = self.levels.index(level)
        return mean + self.low[place] * error, mean + self.high[place] * error


def fit_residual_intervals(
    score: Floats,
    patients: NDArray[np.str_],
    weights: Floats,
    levels: Sequence[float] = INTERVAL_LEVELS,
) -> ResidualIntervals:
    """Calibrate intervals on residuals in units of their predicted error, each tail by itself.

    Each end is the conformal quantile of the signed scores: the patient asked about counted as one more, at
    least 1 - (1 - level) / 2 of the patients lie on its inner side. Tails of their own let a skewed error
    have a skewed interval. A level that so few patients cannot support is left out.

    Args:
        score: (n,) (value - predicted mean) / predicted error, by models that had not seen the case.
        patients: (n,) the patient of each case: so many are counted.
        weights: (n,) how much each case counts among them.
        levels: Confidence levels, each in (0, 1).
    """
    people = len(np.unique(patients))
    weight = weights * people / weights.sum()
    kept, low, high = [], [], []
    for level in levels:
        wanted = (1.0 - (1.0 - level) / 2.0) * (people + 1)
        upper, lower = _quantile(score, weight, wanted), _quantile(-score, weight, wanted)
        if upper is not None and lower is not None:
            kept.append(level)
            low.append(-lower)
            high.append(upper)
    return ResidualIntervals(tuple(kept), tuple(low), tuple(high))


def _quantile(score: Floats, weight: Floats, wanted: float) -> float | None:
    """The smallest score at or below which at least `wanted` weight lies; None where there is not so much."""
    order = np.argsort(score, kind="stable")
    reached = np.cumsum(weight[order]) >= wanted - _ROUNDING
    return float(score[order][int(np.argmax(reached))]) if reached.any() else None
