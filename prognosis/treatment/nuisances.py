"""Hazards of the event, of competing events and of censoring, each case's from models that never saw it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from prognosis.treatment.arm_models import HazardRows, choose_arm_penalties, fit_arm_models
from prognosis.treatment.assignment import ArmCases
from prognosis.treatment.hazards import ArmHazards, marginal_hazards
from prognosis.treatment.outcome import FollowUp

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_DAYS = 2000
"""Distinct event days beyond which they are gathered into quantiles: finer than any curve can be read."""


@dataclass(frozen=True, slots=True)
class SurvivalNuisances:
    """What the estimate needs beside the propensity.

    Attributes:
        grid: (J,) distinct days of events of any cause, up to tau.
        own: Hazard of the event asked about.
        competing: Hazard of any other cause; None where none occurred.
        censoring: Hazard of the end of observation, just before each day of the grid.
    """

    grid: Floats
    own: ArmHazards
    competing: ArmHazards | None
    censoring: ArmHazards


class HazardFit(Protocol):
    """How one kind of hazard is learned, out of fold."""

    def __call__(self, rows: HazardRows, grid: Floats, folds: Ints, *, before: bool) -> ArmHazards:
        """Hazards of each row's case by the folds that do not hold it.

        Args:
            rows: What happened.
            grid: (J,) days.
            folds: (n,) folds by patient.
            before: True to read the hazard just before each day, as that of censoring is.
        """
        ...


def survival_nuisances(
    cases: ArmCases, followed: FollowUp, folds: Ints, fit: HazardFit | None = None
) -> SurvivalNuisances:
    """Cross-fitted hazards.

    Args:
        cases: Who was given which arm.
        followed: What came of it, already cut at tau and gathered on `grid_of` its days.
        folds: (n,) folds by patient.
        fit: How one hazard is learned; None for the ridge models of `arm_models`.
    """
    grid = grid_of(followed)
    learn = fit or cross_fitted_hazards
    censored = (followed.cause == 0) & (followed.days < followed.days.max())

    def hazards(event: NDArray[np.bool_], *, before: bool) -> ArmHazards:
        ones = np.ones(len(cases))
        rows = HazardRows(cases.covariates, cases.arm, len(cases.arms), followed.days, event, ones)
        return learn(rows, grid, folds, before=before)

    competing = hazards(followed.competing, before=False) if followed.competing.any() else None
    return SurvivalNuisances(
        grid, hazards(followed.own, before=False), competing, hazards(censored, before=True)
    )


def unadjusted_nuisances(cases: ArmCases, followed: FollowUp) -> SurvivalNuisances:
    """Each arm's own curves: with a randomised arm the estimate is then Kaplan-Meier's (Aalen-Johansen's)."""
    grid = grid_of(followed)
    kind = np.where(followed.own, 1, np.where(followed.competing, 2, 0))

    def hazards(of_kind: int) -> ArmHazards:
        return marginal_hazards(followed.days, kind, cases.arm, len(cases.arms), grid, of_kind=of_kind)

    competing = hazards(2) if followed.competing.any() else None
    return SurvivalNuisances(grid, hazards(1), competing, hazards(0))


def cross_fitted_hazards(rows: HazardRows, grid: Floats, folds: Ints, *, before: bool) -> ArmHazards:
    """Hazards of each case from ridge models of the other folds; arguments as in `HazardFit`."""
    penalties = choose_arm_penalties(rows, folds)
    names = np.unique(folds)
    cumulative = np.zeros((len(names), rows.arms, len(grid)))
    log_ratio = np.zeros((len(folds), rows.arms))
    for place, fold in enumerate(names):
        held = folds == fold
        models = fit_arm_models(rows.take(~held), penalties)
        log_ratio[held] = models.log_ratio(rows.covariates[held])
        cumulative[place] = models.baseline(grid, before=before)
    return ArmHazards(cumulative, log_ratio, np.searchsorted(names, folds))


def grid_of(followed: FollowUp) -> Floats:
    """(J,) distinct days on which an event of any cause happened."""
    return np.unique(followed.days[followed.cause > 0])


def gathered(followed: FollowUp, most: int = MOST_DAYS) -> FollowUp:
    """The follow-up with its days moved up to the next of `most` quantiles, where events fall on more days.

    Events and the ends of observation move alike, so that within a step events still come first.
    """
    days = grid_of(followed)
    if len(days) <= most:
        return followed
    edges = np.unique(np.quantile(days, np.linspace(0.0, 1.0, most + 1)[1:], method="higher"))
    place = np.minimum(np.searchsorted(edges, followed.days, side="left"), len(edges) - 1)
    moved = np.maximum(edges[place], followed.days)
    return FollowUp(moved, followed.cause, followed.of_cause)
