"""The whole estimate for a time to an event: nuisances, scores, and what is read from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import CohortError
from prognosis.treatment.assignment import ArmCases
from prognosis.treatment.curves import ArmCurves, arm_curves
from prognosis.treatment.effects import ArmValues, arm_values
from prognosis.treatment.nuisances import (
    HazardFit,
    SurvivalNuisances,
    gathered,
    survival_nuisances,
    unadjusted_nuisances,
)
from prognosis.treatment.outcome import FollowUp
from prognosis.treatment.propensity import LEAST_DIVISOR, PropensityModel, fit_propensity, propensities
from prognosis.treatment.scores import LEAST_UNCENSORED, SurvivalScores, survival_scores

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_EVENTS = 5
"""Events of an arm up to tau below which its hazard cannot be learned at all."""
LEAST_AT_TAU = 5
"""Cases of an arm still followed at tau: beyond, its curve would rest on nobody."""
_CURVE_DAYS = 40


@dataclass(frozen=True, slots=True)
class EffectSettings:
    """How the estimate is made.

    Attributes:
        adjusted: False compares the arms as they are, without covariates.
        folds: Of patients, for cross-fitting.
        seed: Of the folds.
        level: Coverage of intervals.
        days: At which incidence is scored; None for 40 steps up to tau.
        fit: How a hazard is learned; None for ridge models by arm.
    """

    adjusted: bool = True
    folds: int = 5
    seed: int = 0
    level: float = 0.95
    days: tuple[float, ...] | None = None
    fit: HazardFit | None = None


@dataclass(frozen=True, slots=True)
class SurvivalEffects:
    """What each arm would do on average, with everything that later questions rest on.

    Attributes:
        cases: Who was given which arm.
        followed: What came of it, cut at tau.
        tau_days: The horizon.
        folds: (n,) folds by patient.
        propensity: (n, A) chance of each arm, out of fold.
        propensity_model: The same for patients to come.
        scores: Doubly robust scores.
        settings: How they were made.
    """

    cases: ArmCases
    followed: FollowUp
    tau_days: float
    folds: Ints
    propensity: Floats
    propensity_model: PropensityModel
    scores: SurvivalScores
    settings: EffectSettings

    @property
    def mean_scores(self) -> Floats:
        """(n, A) scores of the days of the first tau not lost to the cause; higher is better."""
        return np.asarray(self.tau_days - self.scores.days_lost)

    @property
    def predicted_mean(self) -> Floats:
        """(n, A) the same days by the outcome models of the other folds, without their correction."""
        return np.asarray(self.tau_days - self.scores.predicted_lost)

    def restricted_mean(self) -> ArmValues:
        """Days of the first tau free of the event; beside competing causes, days not lost to this one."""
        return self._values(self.mean_scores, self.tau_days)

    def incidence(self, day: float | None = None) -> ArmValues:
        """Risk of the event by a day that was scored, tau when None; higher is worse.

        Raises:
            CohortError: The day was not scored.
        """
        asked = self.tau_days if day is None else day
        place = np.flatnonzero(np.isclose(self.scores.days, asked))
        if not len(place):
            raise CohortError(f"risk by day {asked:g}", "was not scored", "name the day in the settings")
        return self._values(self.scores.incidence[:, :, place[0]], 1.0)

    def survival(self, day: float | None = None) -> ArmValues:
        """Chance of no event of the cause by a day that was scored; higher is better."""
        found = self.incidence(day)
        return ArmValues(found.arms, 1.0 - found.values, found.covariance, 1.0, found.level)

    def curves(self) -> ArmCurves:
        """Each arm's cumulative incidence with its band."""
        return arm_curves(
            self.scores.incidence,
            self.scores.days,
            self.cases.arms,
            self.cases.patients,
            self.settings.level,
        )

    @property
    def raised(self) -> float:
        """Share of cases whose weight was held down: propensity or chance of being uncensored too small."""
        rows = np.arange(len(self.cases))
        small = self.propensity[rows, self.cases.arm] < LEAST_DIVISOR
        return float((small | (self.scores.uncensored < LEAST_UNCENSORED)).mean())

    def _values(self, scores: Floats, highest: float) -> ArmValues:
        return arm_values(scores, self.cases.arms, self.cases.patients, highest, self.settings.level)


def survival_effects(
    cases: ArmCases, followed: FollowUp, tau_days: float, settings: EffectSettings | None = None
) -> SurvivalEffects:
    """Estimate what each arm would do to every case.

    Args:
        cases: Who was given which arm, and what was known before.
        followed: What came of it.
        tau_days: The horizon of the restricted mean and the last day of curves.
        settings: How; the defaults when None.

    Raises:
        CohortError: An arm has too few events, or nobody followed to tau.
    """
    settings = settings or EffectSettings()
    check_horizon(cases, followed, tau_days)
    cut = gathered(followed.until(tau_days))
    folds = cases.folds(cut.cause > 0, settings.folds, settings.seed)
    model = fit_propensity(cases, folds, adjusted=settings.adjusted)
    chance = propensities(cases, folds, model)
    nuisances = _nuisances(cases, cut, folds, settings)
    days = _days(tau_days, settings)
    divisor = np.maximum(chance, LEAST_DIVISOR)
    scores = survival_scores(cut, cases.arm, divisor, nuisances, days, tau_days)
    return SurvivalEffects(cases, cut, tau_days, folds, chance, model, scores, settings)


def _nuisances(cases: ArmCases, cut: FollowUp, folds: Ints, settings: EffectSettings) -> SurvivalNuisances:
    if settings.adjusted:
        return survival_nuisances(cases, cut, folds, settings.fit)
    return unadjusted_nuisances(cases, cut)


def _days(tau: float, settings: EffectSettings) -> Floats:
    asked = settings.days if settings.days is not None else np.linspace(0.0, tau, _CURVE_DAYS + 1)[1:]
    return np.unique(np.append(np.asarray(asked, dtype=np.float64), tau))


def check_horizon(cases: ArmCases, followed: FollowUp, tau: float) -> None:
    """Check that every arm can be judged by a day.

    Raises:
        CohortError: An arm has too few events by then, or nobody followed beyond it.
    """
    if len(cases) != len(followed):
        raise CohortError("follow-up", "does not speak of the same cases as the arms", "give one row a case")
    for number, name in enumerate(cases.arms):
        own = cases.arm == number
        events = int((followed.own & own & (followed.days <= tau)).sum())
        if events < LEAST_EVENTS:
            raise CohortError(
                f"arm {name}",
                f"has {events} events by day {tau:g}, of at least {LEAST_EVENTS}",
                "choose a later horizon, or leave the arm out",
            )
        reached = int((followed.days[own] >= tau).sum()) + int(
            (followed.competing & own & (followed.days < tau)).sum()
        )
        if reached < LEAST_AT_TAU or not (followed.days[own] > tau).any():
            raise CohortError(
                f"arm {name}", f"has nobody followed beyond day {tau:g}", "choose an earlier horizon"
            )
