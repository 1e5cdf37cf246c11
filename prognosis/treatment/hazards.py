"""Cumulative hazards of every case under every arm, on one grid of days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.survival.curves import life_table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LARGEST = 27.0  # exp(-27) is 2e-12; a hazard of 1 would be infinite
_FURTHEST = 20.0  # of a log-hazard ratio


@dataclass(frozen=True, slots=True)
class ArmHazards:
    """A baseline for each fold and arm, and each case's log-hazard ratio to it.

    Curves of any other model (the fused one's, out of fold) fit in as they are: a baseline for each case, and
    ratios of 0.

    Attributes:
        cumulative: (F, A, J) cumulative hazard at the days of the grid, in the model that did not see fold F.
        log_ratio: (n, A) of each case under each arm.
        fold: (n,) whose baseline is each case's.
    """

    cumulative: Floats
    log_ratio: Floats
    fold: Ints

    def of(self, rows: slice | NDArray[np.intp], arm: int) -> Floats:
        """(m, J) cumulative hazard of the cases at `rows` under `arm`."""
        ratio = np.exp(np.clip(self.log_ratio[rows, arm], -_FURTHEST, _FURTHEST))
        return np.asarray(self.cumulative[self.fold[rows], arm] * ratio[:, None])


def tabled_hazards(cumulative: Floats) -> ArmHazards:
    """Cumulative hazards (n, A, J) predicted by any model for cases that it had not seen."""
    cases, arms, _ = cumulative.shape
    return ArmHazards(cumulative, np.zeros((cases, arms)), np.arange(cases))


def marginal_hazards(
    days: Floats, kind: Ints, arm: Ints, arms: int, grid: Floats, *, of_kind: int
) -> ArmHazards:
    """Each arm's own curve without covariates, whose product is Kaplan-Meier's.

    Args:
        days: (n,) follow-up in days.
        kind: (n,) 0 for none, 1 the event asked about, 2 a competing one.
        arm: (n,) arm given.
        arms: Their number.
        grid: (J,) days.
        of_kind: 0 asks for the hazard of censoring just before each day, 1 or 2 for that of an event.
    """
    cumulative = np.zeros((1, arms, len(grid)))
    for number in range(arms):
        own = arm == number
        table = life_table(days[own], kind[own], 2)
        if of_kind == 0:
            total = share = table.censored
            at_risk = table.at_risk - table.events.sum(axis=0)
        else:
            total, share, at_risk = table.events.sum(axis=0), table.events[of_kind - 1], table.at_risk
        hazard = np.divide(total, at_risk, out=np.zeros_like(total), where=at_risk > 0)
        # On the scale on which exp(-cumulative) is the product of 1 - hazard.
        steps = np.minimum(-np.log(np.maximum(1.0 - hazard, 1e-300)), _LARGEST)
        own_steps = np.divide(share, total, out=np.zeros_like(share), where=total > 0) * steps
        upto = np.concatenate([[0.0], np.cumsum(own_steps)])
        place = (
            np.searchsorted(table.days, grid, side="left")
            if of_kind == 0
            else np.searchsorted(table.days, grid, side="right")
        )
        cumulative[0, number] = upto[place]
    return ArmHazards(cumulative, np.zeros((len(days), arms)), np.zeros(len(days), dtype=np.int64))
