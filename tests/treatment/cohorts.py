"""Cohorts of two arms whose true effects are known in closed form: exponential times, logistic assignment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from prognosis.treatment import ArmCases, Assignment, FollowUp

Floats = NDArray[np.float64]

TAU = 1000.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is planted.

    Attributes:
        effect: Log-hazard ratio of "new" against "old".
        modifier: What the second covariate adds to it, for one standard deviation.
        confounding: Log-odds of "new" per standard deviation of what also raises the hazard.
        competing: Hazard of the competing cause, as a multiple of the average own.
        censoring: Hazard of censoring, as a multiple of the average own; 0 for none at all.
        informative: Log-hazard of censoring per standard deviation of what raises the hazard, and by arm.
        width: Number of covariates; three matter.
    """

    effect: float = -0.7
    modifier: float = 0.0
    confounding: float = 0.0
    competing: float = 0.0
    censoring: float = 0.3
    informative: float = 0.3
    width: int = 5


@dataclass(frozen=True, slots=True)
class Cohort:
    """A drawn cohort with what would have come of every case under each arm.

    Attributes:
        cases: As an analyst sees them.
        followed: As an analyst sees it.
        true_mean: (n, 2) days of the first tau not lost to the cause, expected under each arm.
        true_incidence: (n, 2) chance of the event by tau under each arm.
    """

    cases: ArmCases
    followed: FollowUp
    true_mean: Floats
    true_incidence: Floats

    @property
    def effect(self) -> Floats:
        """(n,) days gained under "new"."""
        return self.true_mean[:, 1] - self.true_mean[:, 0]


def draw(plan: Plan, cases: int, seed: int) -> Cohort:
    """A cohort; the same seed gives the same one."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(cases, plan.width))
    arm = (rng.random(cases) < expit(plan.confounding * (x[:, 0] + 0.5 * x[:, 2]))).astype(np.int64)
    common = 0.8 * x[:, 0] + 0.4 * x[:, 2]
    log_hazard = np.column_stack([common, common + plan.effect + plan.modifier * x[:, 1]])
    hazard = np.exp(log_hazard) / 1000.0
    other = np.full(cases, plan.competing / 1000.0)
    own_days = rng.exponential(1.0 / hazard[np.arange(cases), arm])
    other_days = rng.exponential(1.0, cases) / np.maximum(other, 1e-12)
    lost = plan.censoring / 1000.0 * np.exp(plan.informative * (x[:, 0] + arm))
    end = np.minimum(
        rng.exponential(1.0, cases) / np.maximum(lost, 1e-12), 3.0 * TAU if lost.any() else np.inf
    )
    days = np.minimum(np.minimum(own_days, other_days), end)
    cause = np.where(days == own_days, 1, np.where(days == other_days, 2, 0))
    kind = Assignment.OBSERVATIONAL if plan.confounding else Assignment.RANDOMISED
    names = np.array([f"p{number}" for number in range(cases)])
    total = hazard + other[:, None]
    share = hazard / total
    gone = -np.expm1(-total * TAU)
    return Cohort(
        ArmCases(x, arm, ("old", "new"), kind, names),
        FollowUp(days, cause.astype(np.int64)),
        TAU - share * (TAU - gone / total),
        share * gone,
    )


def true_effect(plan: Plan) -> float:
    """Average days gained under "new", over so many cases that the draw does not matter."""
    return float(draw(plan, 200_000, 12345).effect.mean())
