"""A proportional-hazards model whose every coefficient may differ by arm: shared part and an arm's own.

The arm enters as interactions and as a baseline of its own, never as one plain feature. A ridge holds the
shared part; a second ridge, with a penalty of its own, holds each arm's deviation from it, so that a small
arm borrows what all arms together know and a large one goes its own way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.survival.cox import CoxRidge, choose_penalty, fit_cox_ridge

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

PENALTIES = (3.0, 30.0, 300.0, 3000.0, 30000.0)
NO_DEVIATION = 1e9
FEWEST_EVENTS = 20
"""Events over all arms below which covariates are left out: each arm keeps its own curve."""
_HARDLY_SHRUNK = 100.0  # times its 0 or 1, so that the ridge leaves an arm's level alone


@dataclass(frozen=True, slots=True)
class HazardRows:
    """What one kind of hazard is learned from.

    Attributes:
        covariates: (n, p).
        arm: (n,) arm given.
        arms: Number of arms.
        days: (n,) follow-up in days.
        event: (n,) True where this kind of event ended it.
        weights: (n,) case weights.
    """

    covariates: Floats
    arm: Ints
    arms: int
    days: Floats
    event: Bools
    weights: Floats

    def take(self, rows: Bools) -> HazardRows:
        """The cases at `rows`."""
        return HazardRows(
            self.covariates[rows],
            self.arm[rows],
            self.arms,
            self.days[rows],
            self.event[rows],
            self.weights[rows],
        )

    def weighed(self, weights: Floats) -> HazardRows:
        """The same cases under other weights, those of weight 0 left out."""
        kept = weights > 0
        own = self.take(kept)
        return HazardRows(own.covariates, own.arm, own.arms, own.days, own.event, weights[kept])


@dataclass(frozen=True, slots=True)
class ArmPenalties:
    """Of the shared coefficients, and of each arm's deviation from them."""

    shared: float
    own: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ArmModels:
    """One hazard model a fold: log-hazard ratio = shared + own by arm, over the arm's baseline.

    Attributes:
        means: (p,) subtracted from each covariate.
        scales: (p,) each is then divided by.
        shared: (p,) log-hazard per standard deviation, in every arm.
        own: Each arm's deviation and baseline; None for an arm without an event, whose hazard is 0.
    """

    means: Floats
    scales: Floats
    shared: Floats
    own: tuple[CoxRidge | None, ...]

    def standardised(self, covariates: Floats) -> Floats:
        """(n, p) covariates in standard deviations from their means."""
        return np.asarray((covariates - self.means) / self.scales)

    def log_ratio(self, covariates: Floats) -> Floats:
        """(n, A) log-hazard ratio of each case to the baseline of each arm."""
        standard = self.standardised(covariates)
        common = standard @ self.shared
        each = [common if own is None else common + own.log_hazard(standard) for own in self.own]
        return np.stack(each, axis=1)

    def coefficients(self, arm: int) -> Floats:
        """(p,) log-hazard per standard deviation under an arm."""
        own = self.own[arm]
        return self.shared if own is None else self.shared + own.per_unit

    def baseline(self, days: Floats, *, before: bool) -> Floats:
        """(A, J) baseline cumulative hazard at each day, or just before it."""
        found = np.zeros((len(self.own), len(days)))
        asked = np.nextafter(days, -np.inf) if before else days
        for place, own in enumerate(self.own):
            if own is not None:
                found[place] = own.baseline.at(asked)
        return found


def choose_arm_penalties(rows: HazardRows, folds: Ints) -> ArmPenalties:
    """Penalties that predict the cases of the other folds best; no deviation where none is spoken for.

    A penalty is one number from all cases: the folds that it serves have seen their own outcome through it
    and through nothing else.

    Args:
        rows: What happened.
        folds: (n,) folds by patient.
    """
    if rows.event.sum() < FEWEST_EVENTS or not rows.covariates.shape[1]:
        return ArmPenalties(NO_DEVIATION, (NO_DEVIATION,) * rows.arms)
    means, scales = _spread(rows.covariates, rows.weights)
    standard = (rows.covariates - means) / scales
    pooled = choose_penalty(
        _with_levels(standard, rows), rows.days, rows.event, folds, PENALTIES, rows.weights, standardise=False
    )
    shared = _shared(standard, rows, pooled.penalty)
    own = []
    for number in range(rows.arms):
        of_arm = rows.arm == number
        if rows.event[of_arm].sum() < FEWEST_EVENTS:
            own.append(NO_DEVIATION)
            continue
        choice = choose_penalty(
            standard[of_arm],
            rows.days[of_arm],
            rows.event[of_arm],
            folds[of_arm],
            PENALTIES,
            rows.weights[of_arm],
            standardise=False,
            offset=standard[of_arm] @ shared,
        )
        gained = choice.likelihoods.max() > choice.null_likelihood
        own.append(choice.penalty if gained else NO_DEVIATION)
    return ArmPenalties(pooled.penalty, tuple(own))


def fit_arm_models(rows: HazardRows, penalties: ArmPenalties) -> ArmModels:
    """The shared coefficients, then each arm's deviation and baseline beside them.

    Args:
        rows: What happened.
        penalties: Of both ridges.
    """
    means, scales = _spread(rows.covariates, rows.weights)
    standard = (rows.covariates - means) / scales
    width = standard.shape[1]
    shared = np.zeros(width)
    if width and penalties.shared < NO_DEVIATION and rows.event.any():
        shared = _shared(standard, rows, penalties.shared)
    own: list[CoxRidge | None] = []
    for number, penalty in enumerate(penalties.own):
        of_arm = rows.arm == number
        if not rows.event[of_arm].any():
            own.append(None)
            continue
        fitted = fit_cox_ridge(
            standard[of_arm],
            rows.days[of_arm],
            rows.event[of_arm],
            penalty,
            rows.weights[of_arm],
            standardise=False,
            offset=standard[of_arm] @ shared,
        )
        own.append(fitted)
    return ArmModels(means, scales, shared, tuple(own))


def _shared(standard: Floats, rows: HazardRows, penalty: float) -> Floats:
    """(p,) coefficients of all arms together, each arm at a level of its own."""
    design = _with_levels(standard, rows)
    fitted = fit_cox_ridge(design, rows.days, rows.event, penalty, rows.weights, standardise=False)
    return np.asarray(fitted.coefficients[: standard.shape[1]])


def _with_levels(standard: Floats, rows: HazardRows) -> Floats:
    levels = rows.arm[:, None] == np.arange(1, rows.arms)
    return np.column_stack([standard, _HARDLY_SHRUNK * levels])


def _spread(covariates: Floats, weights: Floats) -> tuple[Floats, Floats]:
    means = np.average(covariates, axis=0, weights=weights)
    scales = np.sqrt(np.average((covariates - means) ** 2, axis=0, weights=weights))
    return means, np.where(scales > 1e-9 * np.maximum(np.abs(means), 1.0), scales, 1.0)
