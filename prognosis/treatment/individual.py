"""One patient's curve under each arm, with its band: the T-learner.

Each arm's hazards are learned by themselves, beside what all arms share (`arm_models`), from all cases; bands
are those of the same fit on patients drawn again, its penalties held. What shrinking takes from an effect the
bands do not show; the interval of `LinearEffect` does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from prognosis.survival.bootstrap import cluster_weights
from prognosis.treatment.arm_models import (
    ArmModels,
    ArmPenalties,
    HazardRows,
    choose_arm_penalties,
    fit_arm_models,
)
from prognosis.treatment.assignment import ArmCases
from prognosis.treatment.estimate import Estimate, estimate, within
from prognosis.treatment.nuisances import gathered, grid_of
from prognosis.treatment.outcome import FollowUp

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_GRID_DAYS = 120
_FURTHEST = 20.0
_SUREST = 0.999  # where an interval ends at most: that an event comes is never certain


@dataclass(frozen=True, slots=True)
class PatientCurves:
    """What is predicted for one patient under each arm.

    Attributes:
        arms: Names.
        days: (T,) increasing, the last one tau.
        incidence: (A, T) chance that the event asked about has happened, 0 to 1; higher is worse.
        low: (A, T) where its pointwise interval begins.
        high: (A, T) where it ends.
        restricted_mean: (A,) days of the first tau not lost to the event.
        drawn: (R, A) the same of each bootstrap sample.
        level: Coverage of intervals.
    """

    arms: tuple[str, ...]
    days: Floats
    incidence: Floats
    low: Floats
    high: Floats
    restricted_mean: Floats
    drawn: Floats
    level: float

    def mean(self, arm: str) -> Estimate:
        """Days not lost under an arm."""
        place = self.arms.index(arm)
        found = estimate(float(self.restricted_mean[place]), _spread(self.drawn[:, place]), self.level)
        return within(found, 0.0, float(self.days[-1]))

    def difference(self, arm: str, reference: str) -> Estimate:
        """Days gained under `arm` beside `reference`."""
        first, second = self.arms.index(arm), self.arms.index(reference)
        value = float(self.restricted_mean[first] - self.restricted_mean[second])
        return estimate(value, _spread(self.drawn[:, first] - self.drawn[:, second]), self.level)


@dataclass(frozen=True, slots=True)
class CauseModels:
    """Models of the event asked about, and of all competing ones together; None where none occurred."""

    own: ArmModels
    competing: ArmModels | None


@dataclass(frozen=True, slots=True)
class IndividualCurves:
    """Per-arm models for patients to come.

    Attributes:
        arms: Names.
        grid: (J,) days on which curves are reckoned, the last one tau.
        models: Of all cases.
        replicates: Of patients drawn again.
        level: Coverage of intervals.
    """

    arms: tuple[str, ...]
    grid: Floats
    models: CauseModels
    replicates: tuple[CauseModels, ...]
    level: float

    def of(self, covariates: Floats) -> PatientCurves:
        """The curves of one patient, of `covariates` (p,)."""
        one = covariates[None, :]
        mine = self._incidence(self.models, one)[0]
        again = np.stack([self._incidence(each, one)[0] for each in self.replicates])
        low, high = band(mine, again, self.level)
        lost = self._lost(np.concatenate([mine[None], again]))
        kept = float(self.grid[-1]) - lost
        return PatientCurves(self.arms, self.grid, mine, low, high, kept[0], kept[1:], self.level)

    def restricted_means(self, covariates: Floats) -> Floats:
        """(n, A) days of the first tau not lost to the event, of many patients."""
        return np.asarray(self.grid[-1] - self._lost(self._incidence(self.models, covariates)))

    def drawn_restricted_means(self, covariates: Floats) -> Floats:
        """(R, n, A) the same of each bootstrap sample."""
        lost = [self._lost(self._incidence(each, covariates)) for each in self.replicates]
        return np.asarray(self.grid[-1] - np.stack(lost))

    def log_hazard_terms(self, covariates: Floats) -> Floats:
        """(A, p) what each covariate adds to the log-hazard of the event under each arm.

        With the arm's baseline they sum to the log-hazard; the difference of two rows is what the covariate
        adds to the log-hazard ratio of the arms: the modifiers that speak for one of them and against.
        """
        own = self.models.own
        standard = own.standardised(covariates[None, :])[0]
        return np.stack([standard * own.coefficients(arm) for arm in range(len(self.arms))])

    def _incidence(self, models: CauseModels, covariates: Floats) -> Floats:
        """(n, A, J) by the product over days of the chance of no event."""
        own = _cumulative(models.own, covariates, self.grid)
        if models.competing is None:
            return np.asarray(-np.expm1(-own))
        total = own + _cumulative(models.competing, covariates, self.grid)
        steps = np.diff(total, axis=2, prepend=0.0)
        own_steps = np.diff(own, axis=2, prepend=0.0)
        share = np.divide(own_steps, steps, out=np.zeros_like(steps), where=steps > 0)
        free = np.exp(-np.pad(total, ((0, 0), (0, 0), (1, 0)))[:, :, :-1])
        return np.cumsum(free * -np.expm1(-steps) * share, axis=2)

    def _lost(self, incidence: Floats) -> Floats:
        """(.., A) area under incidences that step on the days of the grid."""
        return np.asarray(incidence[..., :-1] @ np.diff(self.grid))


def fit_individual_curves(
    cases: ArmCases,
    followed: FollowUp,
    tau_days: float,
    folds: Ints,
    *,
    replicates: int = 50,
    seed: int = 0,
    level: float = 0.95,
) -> IndividualCurves:
    """Learn each arm's hazards from all cases, and again from patients drawn with replacement.

    Args:
        cases: Who was given which arm.
        followed: What came of it.
        tau_days: The last day of the curves.
        folds: (n,) folds by patient, by which penalties are chosen.
        replicates: Bootstrap samples, two or more.
        seed: Of the draws.
        level: Coverage of intervals.
    """
    cut = followed.until(tau_days)
    grid = np.unique(np.append(grid_of(gathered(cut, _GRID_DAYS)), tau_days))
    kinds = [cut.own, *([cut.competing] if cut.competing.any() else [])]
    ones = np.ones(len(cases))
    rows = [HazardRows(cases.covariates, cases.arm, len(cases.arms), cut.days, kind, ones) for kind in kinds]
    penalties = [choose_arm_penalties(each, folds) for each in rows]
    drawn = cluster_weights(cases.patients, replicates, seed).astype(np.float64)
    again = tuple(_fitted([each.weighed(weights) for each in rows], penalties) for weights in drawn)
    return IndividualCurves(cases.arms, grid, _fitted(rows, penalties), again, level)


def _fitted(rows: list[HazardRows], penalties: list[ArmPenalties]) -> CauseModels:
    found = [fit_arm_models(each, own) for each, own in zip(rows, penalties, strict=True)]
    return CauseModels(found[0], found[1] if len(found) > 1 else None)


def _cumulative(models: ArmModels, covariates: Floats, grid: Floats) -> Floats:
    """(n, A, J) hazard up to each day of the grid."""
    ratio = np.exp(np.clip(models.log_ratio(covariates), -_FURTHEST, _FURTHEST))
    return np.asarray(models.baseline(grid, before=False) * ratio[:, :, None])


def band(value: Floats, drawn: Floats, level: float) -> tuple[Floats, Floats]:
    """Intervals that are symmetric in log(-log(1 - incidence)), so that they stay within 0 and 1.

    The spread on that scale is that of the incidence itself, by its slope there: a sample without the first
    event of an arm has an incidence of 0, whose logarithm says nothing.

    Args:
        value: (.., J) incidences.
        drawn: (R, .., J) the same of bootstrap samples.
        level: Coverage.
    """
    reach = ndtri(0.5 + level / 2.0)
    free = np.clip(1.0 - value, 1e-9, 1.0 - 1e-9)
    centre = np.log(-np.log(free))
    spread = reach * drawn.std(axis=0, ddof=1) / (free * -np.log(free))
    # A sum of monotone curves may turn back at its edge by a little; its running extreme does not.
    low = np.maximum.accumulate(-np.expm1(-np.exp(centre - spread)), axis=-1)
    most = np.log(-np.log1p(-_SUREST))
    high = np.maximum.accumulate(-np.expm1(-np.exp(np.minimum(centre + spread, most))), axis=-1)
    none = value <= 0.0
    return np.where(none, 0.0, np.minimum(low, value)), np.maximum(high, value)


def _spread(drawn: Floats) -> float:
    return float(drawn.std(ddof=1))
