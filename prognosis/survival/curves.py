"""Non-parametric curves of right-censored follow-up: Kaplan-Meier, Nelson-Aalen, Aalen-Johansen.

Conventions: a censoring tied with an event happens just after it, and a curve is right-continuous, so
its value at an event time already includes that event.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StepFunction:
    """A right-continuous step function of days.

    Attributes:
        days: (J,) strictly increasing jump times.
        values: (J,) the value from each jump on.
        initial: The value before the first jump.
    """

    days: Floats
    values: Floats
    initial: float

    def at(self, days: ArrayLike) -> Floats:
        """The value at each of `days`, jumps at exactly that time included."""
        return self._look_up(days, "right")

    def before(self, days: ArrayLike) -> Floats:
        """The left limit at each of `days`: jumps at exactly that time are not yet included."""
        return self._look_up(days, "left")

    def _look_up(self, days: ArrayLike, side: str) -> Floats:
        wanted = np.asarray(days, dtype=np.float64)
        steps = np.concatenate([[self.initial], self.values])
        position = (
            np.searchsorted(self.days, wanted, side="left")
            if side == "left"
            else np.searchsorted(self.days, wanted, side="right")
        )
        found: Floats = steps[position]
        return found


@dataclass(frozen=True, slots=True)
class LifeTable:
    """Weighted counts at each distinct follow-up time.

    Attributes:
        days: (J,) distinct follow-up times, increasing.
        at_risk: (J,) weight followed up to at least that time.
        events: (K, J) weight of events of each cause at that time.
        censored: (J,) weight censored at that time.
    """

    days: Floats
    at_risk: Floats
    events: Floats
    censored: Floats


def life_table(
    days: Floats, cause: NDArray[np.int64], causes: int, weights: Floats | None = None
) -> LifeTable:
    """Counts of events, censorings and people at risk.

    Args:
        days: (n,) follow-up, > 0.
        cause: (n,) 0 when censored, else 1 to `causes`.
        causes: The number of causes, K.
        weights: (n,) non-negative case weights; 1 each when None.
    """
    weight = np.ones(len(days)) if weights is None else np.asarray(weights, dtype=np.float64)
    distinct, row = np.unique(days, return_inverse=True)
    left = np.bincount(row, weight, len(distinct))
    events = np.stack([np.bincount(row, weight * (cause == k), len(distinct)) for k in range(1, causes + 1)])
    at_risk = np.cumsum(left[::-1])[::-1]
    censored = np.bincount(row, weight * (cause == 0), len(distinct))
    return LifeTable(
        distinct, at_risk.astype(np.float64), events.astype(np.float64), censored.astype(np.float64)
    )


def _share(part: Floats, whole: Floats) -> Floats:
    shares: Floats = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return shares


def kaplan_meier(days: Floats, event: NDArray[np.bool_], weights: Floats | None = None) -> StepFunction:
    """Probability of no event yet (Kaplan and Meier 1958).

    Args:
        days: (n,) follow-up, > 0.
        event: (n,) True where the follow-up ended with the event.
        weights: (n,) non-negative case weights; 1 each when None.
    """
    table = life_table(days, event.astype(np.int64), 1, weights)
    hazard = _share(table.events[0], table.at_risk)
    return StepFunction(table.days, np.cumprod(1.0 - hazard, dtype=np.float64), 1.0)


def nelson_aalen(days: Floats, event: NDArray[np.bool_], weights: Floats | None = None) -> StepFunction:
    """Cumulative hazard, the sum of events over people at risk (Nelson 1969, Aalen 1978).

    Args:
        days: (n,) follow-up, > 0.
        event: (n,) True where the follow-up ended with the event.
        weights: (n,) non-negative case weights; 1 each when None.
    """
    table = life_table(days, event.astype(np.int64), 1, weights)
    return StepFunction(table.days, np.cumsum(_share(table.events[0], table.at_risk)), 0.0)


def aalen_johansen(
    days: Floats, cause: NDArray[np.int64], causes: int, weights: Floats | None = None
) -> tuple[StepFunction, ...]:
    """Cumulative incidence of each cause, allowing for the others (Aalen and Johansen 1978).

    One minus Kaplan-Meier per cause would treat a competing event as censoring, and overstate risk.

    Args:
        days: (n,) follow-up, > 0.
        cause: (n,) 0 when censored, else 1 to `causes`.
        causes: The number of causes, K.
        weights: (n,) non-negative case weights; 1 each when None.

    Returns:
        K curves; at any time they and the Kaplan-Meier curve of "any cause" sum to 1.
    """
    table = life_table(days, cause, causes, weights)
    hazard = np.stack([_share(events, table.at_risk) for events in table.events])
    free = np.cumprod(1.0 - hazard.sum(axis=0))
    free_before = np.concatenate([[1.0], free[:-1]])
    incidence = np.cumsum(hazard * free_before, axis=1)
    return tuple(StepFunction(table.days, curve, 0.0) for curve in incidence)


def incidence_at(
    days: Floats, cause: NDArray[np.int64], of_cause: int, time: float, weights: Floats
) -> Floats:
    """(R,) Aalen-Johansen estimate of the risk of `of_cause` by `time`, for each row of weights at once.

    Args:
        days: (n,) follow-up, > 0.
        cause: (n,) 0 when censored, else 1 to K.
        of_cause: The cause asked about.
        time: Days.
        weights: (R, n) non-negative case weights.
    """
    return incidences_at(days, cause, of_cause, np.array([time]), weights)[:, 0]


def incidences_at(
    days: Floats, cause: NDArray[np.int64], of_cause: int, times: Floats, weights: Floats
) -> Floats:
    """(R, T) Aalen-Johansen curve of `of_cause` at `times` (T,); otherwise as `incidence_at`."""
    order = np.argsort(days, kind="stable")
    ordered, kind = days[order], cause[order]
    last = float(np.max(times))
    starts = np.flatnonzero(np.diff(ordered, prepend=-np.inf) > 0)
    starts = starts[ordered[starts] <= last]
    if not len(starts):
        return np.zeros((len(weights), len(times)))
    weight = weights[:, order]
    at_risk = np.cumsum(weight[:, ::-1], axis=1)[:, ::-1][:, starts]
    within = weight[:, : int(np.searchsorted(ordered, last, side="right"))]
    kind = kind[: within.shape[1]]
    any_hazard = _share(np.add.reduceat(within * (kind > 0), starts, axis=1), at_risk)
    own_hazard = _share(np.add.reduceat(within * (kind == of_cause), starts, axis=1), at_risk)
    free_before = np.cumprod(1.0 - np.pad(any_hazard, ((0, 0), (1, 0)))[:, :-1], axis=1)
    incidence = np.pad(np.cumsum(own_hazard * free_before, axis=1), ((0, 0), (1, 0)))
    curve: Floats = incidence[:, np.searchsorted(ordered[starts], times, side="right")]
    return curve
