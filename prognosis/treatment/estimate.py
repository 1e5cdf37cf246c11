"""A number with the interval that its standard error gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value, its standard error and the interval made of them.

    Attributes:
        value: The estimate.
        standard_error: Of `value`; for a ratio, of its logarithm.
        low: Where the interval begins.
        high: Where it ends.
        level: Coverage aimed at, 0 to 1.
    """

    value: float
    standard_error: float
    low: float
    high: float
    level: float = 0.95

    def excludes(self, null: float = 0.0) -> bool:
        """True when `null` (0 for a difference, 1 for a ratio) lies outside the interval."""
        return not self.low <= null <= self.high


def estimate(value: float, standard_error: float, level: float = 0.95) -> Estimate:
    """A value with the interval of the normal distribution."""
    reach = float(ndtri(0.5 + level / 2.0)) * standard_error
    return Estimate(value, standard_error, value - reach, value + reach, level)


def ratio_estimate(value: float, log_standard_error: float, level: float = 0.95) -> Estimate:
    """A ratio above 0 with the interval that is symmetric on its logarithm."""
    reach = float(np.exp(ndtri(0.5 + level / 2.0) * log_standard_error))
    return Estimate(value, log_standard_error, value / reach, value * reach, level)


def within(found: Estimate, lowest: float, highest: float) -> Estimate:
    """The estimate and its interval cut at what the quantity can be; the standard error stays."""
    value, low, high = (float(np.clip(x, lowest, highest)) for x in (found.value, found.low, found.high))
    return Estimate(value, found.standard_error, low, high, found.level)
