"""Doubly robust scores of each case under each arm, with censoring allowed for.

The mean of a score over cases estimates what would be seen if every case were given the arm; it is right if
either the hazards of the event or both the propensity and the hazards of censoring are (Bang and Robins,
Biometrics 2005;61:962; Zhang and Schaubel, Biometrics 2012;68:999). For an arm a and a day t

    score = F(t) + 1(A = a) / e_a * sum over u <= t of
            [ dM_own(u) - (F(t) - F(u)) / S(u) dM(u) ] / G(u-)

with F the predicted incidence, S the predicted chance of no event of any cause, G that of not being censored,
dM = dN - dHazard the event's martingale and dM_own that of the cause asked about: Westling, Luedtke, Gilbert
and Carone, J Am Stat Assoc 2023, eq. (2), written for a cause among several. It equals the score of the
censored outcome's augmented inverse-probability-of-censoring pseudo-outcome (Rubin and van der Laan, Int J
Biostat 2007;3:5). Where nobody is censored G is 1, and the score is the plain augmented one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.treatment.nuisances import SurvivalNuisances
from prognosis.treatment.outcome import FollowUp

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_UNCENSORED = 0.05
"""A case weighs at most twenty for those who were censored before it."""
_LEAST_FREE = 1e-6  # where predicted hazards end, see `_Kernel.curves`
_ELEMENTS = 1_000_000


@dataclass(frozen=True, slots=True)
class SurvivalScores:
    """Scores and predictions of each case under each arm.

    Attributes:
        days: (T,) at which incidence is scored.
        incidence: (n, A, T) score of the incidence of the cause; higher is worse, and may leave 0 to 1.
        days_lost: (n, A) score of the days lost to the cause of the first tau.
        predicted_incidence: (n, A, T) the outcome model's own, 0 to 1.
        predicted_lost: (n, A) the outcome model's own days lost.
        uncensored: (n,) chance of not having been censored by the end of the case's follow-up, under its arm.
    """

    days: Floats
    incidence: Floats
    days_lost: Floats
    predicted_incidence: Floats
    predicted_lost: Floats
    uncensored: Floats


def survival_scores(
    followed: FollowUp, arm: Ints, propensity: Floats, nuisances: SurvivalNuisances, days: Floats, tau: float
) -> SurvivalScores:
    """The scores of every case, a few thousand case-days at a time.

    Args:
        followed: What came of each case, cut at tau.
        arm: (n,) arm given.
        propensity: (n, A) chance of each arm, above 0.
        nuisances: Hazards.
        days: (T,) at which incidence is asked, at most tau.
        tau: Days.
    """
    cases, arms = propensity.shape
    kernel = _Kernel(nuisances, followed, days, tau)
    incidence = np.zeros((cases, arms, len(days)))
    lost = np.zeros((cases, arms))
    plain, plain_lost, uncensored = np.zeros_like(incidence), np.zeros_like(lost), np.ones(cases)
    step = max(1, _ELEMENTS // max(1, len(nuisances.grid)))
    for number in range(arms):
        for first in range(0, cases, step):
            rows = np.arange(first, min(first + step, cases))
            curves = kernel.curves(rows, number)
            plain[rows, number] = kernel.at_days(curves.incidence)
            plain_lost[rows, number] = kernel.lost(curves.incidence)
            own = arm[rows] == number
            given = rows[own]
            if not len(given):
                continue
            term, free = kernel.augmentation(given, curves.take(own), number)
            uncensored[given] = free
            term /= propensity[given, number][:, None]
            incidence[given, number] = kernel.at_days(term)
            lost[given, number] = kernel.lost(term)
    return SurvivalScores(days, incidence + plain, lost + plain_lost, plain, plain_lost, uncensored)


@dataclass(frozen=True, slots=True)
class _Curves:
    """(m, J) each: predicted incidence of the cause, chance of no event, hazard of any, of the cause."""

    incidence: Floats
    free: Floats
    any_hazard: Floats
    own_hazard: Floats

    def take(self, rows: NDArray[np.bool_]) -> _Curves:
        return _Curves(self.incidence[rows], self.free[rows], self.any_hazard[rows], self.own_hazard[rows])


class _Kernel:
    """The arithmetic on one grid."""

    def __init__(self, nuisances: SurvivalNuisances, followed: FollowUp, days: Floats, tau: float) -> None:
        self._nuisances = nuisances
        self._own_event = followed.own
        self._any_event = followed.cause > 0
        grid = nuisances.grid
        # Events fall on the grid; whoever is censored is at risk up to the last grid day they reached.
        self._last = np.searchsorted(grid, followed.days, side="right")
        self._place = np.searchsorted(grid, days, side="right")
        inside = grid < tau
        self._widths = np.where(inside, np.diff(np.append(np.minimum(grid, tau), tau)), 0.0)

    def curves(self, rows: NDArray[np.intp], arm: int) -> _Curves:
        """What the hazards predict; they end where the chance of no event falls below `_LEAST_FREE`.

        S is a divisor, and a floor under it alone would part it from the incidence that cancels it: a case
        that lives on where S is 1e-9 would then have a score of minus its cumulative hazard, and decide its
        arm's mean.
        """
        own = self._nuisances.own.of(rows, arm)
        total = own
        if self._nuisances.competing is not None:
            total = own + self._nuisances.competing.of(rows, arm)
        stopped = np.minimum(total, -np.log(_LEAST_FREE))
        free = np.exp(-stopped)
        any_hazard = -np.expm1(-np.diff(stopped, axis=1, prepend=0.0))
        if self._nuisances.competing is None:
            return _Curves(1.0 - free, free, any_hazard, any_hazard)
        steps = np.diff(total, axis=1, prepend=0.0)
        share = np.divide(np.diff(own, axis=1, prepend=0.0), steps, out=np.zeros_like(steps), where=steps > 0)
        own_hazard = any_hazard * share
        before = np.concatenate([np.ones((len(rows), 1)), free[:, :-1]], axis=1)
        return _Curves(np.cumsum(before * own_hazard, axis=1), free, any_hazard, own_hazard)

    def augmentation(self, rows: NDArray[np.intp], curves: _Curves, arm: int) -> tuple[Floats, Floats]:
        """(m, J) what the case's own course adds, before division by the propensity; (m,) G at its end."""
        uncensored = np.exp(-self._nuisances.censoring.of(rows, arm))
        last = self._last[rows]
        reached = np.concatenate([np.ones((len(rows), 1)), uncensored], axis=1)[np.arange(len(rows)), last]
        weight = 1.0 / np.maximum(uncensored, LEAST_UNCENSORED)
        seen = np.arange(uncensored.shape[1]) < last[:, None]
        here = np.arange(len(rows))
        step, own_step = -curves.any_hazard * seen, -curves.own_hazard * seen
        ended, own = self._any_event[rows], self._own_event[rows]
        step[here[ended], last[ended] - 1] += 1.0
        own_step[here[own], last[own] - 1] += 1.0
        gained = np.cumsum(own_step * weight, axis=1)
        step *= weight / curves.free
        term = gained - curves.incidence * np.cumsum(step, axis=1)
        term += np.cumsum(curves.incidence * step, axis=1)
        return term, reached

    def at_days(self, values: Floats) -> Floats:
        """(m, T) values of the grid at the days asked about; 0 before the first event."""
        return np.concatenate([np.zeros((len(values), 1)), values], axis=1)[:, self._place]

    def lost(self, values: Floats) -> Floats:
        """(m,) area under the values up to tau."""
        return np.asarray(values @ self._widths)
