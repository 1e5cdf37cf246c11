"""The chance of still being followed up, and the inverse-probability weights made from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prognosis.survival.curves import Floats, StepFunction, life_table

LEAST_UNCENSORED = 0.05


@dataclass(frozen=True, slots=True)
class Censoring:
    """G(t), the probability of not being censored by t, estimated without covariates.

    Attributes:
        uncensored: G as a step function.
        left_limit: An event at t is weighted by 1/G(t-) when True, by 1/G(t) when False. The left limit
            is the probability of having been seen at t at all (Gerds and Schumacher 2006); some packages
            use G(t), and the two differ where censorings and events are tied.
    """

    uncensored: StepFunction
    left_limit: bool = True

    def event_weight(self, days: ArrayLike) -> Floats:
        """1/G for an event at each of `days`; 0 where nobody is followed that long."""
        return _inverse(self.uncensored.before(days) if self.left_limit else self.uncensored.at(days))

    def free_weight(self, days: ArrayLike) -> Floats:
        """1/G(t) for someone seen to be free of events after each of `days`; 0 where nobody is."""
        return _inverse(self.uncensored.at(days))

    def last_day(self, least: float = LEAST_UNCENSORED) -> float:
        """The last observed day on which G is at least `least` (0 to 1); 0 when there is none.

        Beyond the default a single case would weigh more than twenty.
        """
        enough = self.uncensored.days[self.uncensored.values >= least]
        return float(enough[-1]) if len(enough) else 0.0


def _inverse(probability: Floats) -> Floats:
    inverse: Floats = np.divide(1.0, probability, out=np.zeros_like(probability), where=probability > 0)
    return inverse


def estimate_censoring(days: Floats, event: NDArray[np.bool_], *, left_limit: bool = True) -> Censoring:
    """Reverse Kaplan-Meier: censoring is the event, and events tied with it come first.

    Args:
        days: (n,) follow-up of the TRAINING cases, > 0.
        event: (n,) True where any cause occurred.
        left_limit: See `Censoring`.
    """
    table = life_table(days, event.astype(np.int64), 1)
    at_risk = table.at_risk - table.events[0]
    hazard = np.divide(table.censored, at_risk, out=np.zeros_like(at_risk), where=at_risk > 0)
    return Censoring(StepFunction(table.days, np.cumprod(1.0 - hazard), 1.0), left_limit)
