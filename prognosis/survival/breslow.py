"""Breslow's baseline hazard of a Cox model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import CohortError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BaselineHazard:
    """Breslow's cumulative hazard of a case whose log-hazard is zero (Breslow 1972, discussion of Cox).

    Attributes:
        days: (E,) distinct event times, increasing.
        cumulative: (E,) cumulative hazard just after each, non-decreasing.
    """

    days: Floats
    cumulative: Floats

    def at(self, days: Floats) -> Floats:
        """The cumulative hazard at `days`: a right-continuous step, 0 before the first event."""
        steps = np.concatenate([[0.0], self.cumulative])
        return steps[np.searchsorted(self.days, np.asarray(days, dtype=float), side="right")]


def breslow_baseline(
    days: Floats, event: NDArray[np.bool_], log_hazard: Floats, weights: Floats | None = None
) -> BaselineHazard:
    """Breslow's estimate of the cumulative hazard of a case whose log-hazard is zero.

    Args:
        days: (n,) follow-up in days.
        event: (n,) True where the event ended it.
        log_hazard: (n,) of each case.
        weights: (n,) case weights; None for ones.

    Raises:
        CohortError: There is no event.
    """
    if not event.any():
        raise CohortError("baseline hazard", "has no event", "use a longer follow-up")
    weights = np.ones(len(days)) if weights is None else weights
    times = np.unique(days[event])
    order = np.argsort(days, kind="stable")
    risk = weights[order] * np.exp(log_hazard[order])
    at_risk = np.cumsum(risk[::-1])[::-1][np.searchsorted(days[order], times, side="left")]
    deaths = np.bincount(np.searchsorted(times, days[event]), weights=weights[event], minlength=len(times))
    return BaselineHazard(times, np.cumsum(deaths / at_risk))
