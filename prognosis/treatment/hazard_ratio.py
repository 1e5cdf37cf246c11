"""The hazard ratio of each arm, for comparison with papers; restricted means say what it means in days."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import CohortError
from prognosis.survival.cox import fit_cox_ridge
from prognosis.survival.partial_likelihood import RiskSets
from prognosis.treatment.assignment import ArmCases
from prognosis.treatment.effects import ArmValues
from prognosis.treatment.estimate import Estimate, ratio_estimate
from prognosis.treatment.outcome import FollowUp

Floats = NDArray[np.float64]


def hazard_ratio(
    cases: ArmCases, followed: FollowUp, arm: str, reference: str, level: float = 0.95
) -> Estimate:
    """Cox's hazard ratio of two arms without covariates, competing causes and all else as censoring.

    The interval is of Lin and Wei (J Am Stat Assoc 1989;84:1074), its score residuals summed within patients.
    Ties by Efron's method, those of the residuals by Breslow's.

    Args:
        cases: Who was given which arm.
        followed: What came of it, with all of its follow-up.
        arm: The arm asked about.
        reference: The arm that it is compared with.
        level: Coverage of the interval.

    Raises:
        CohortError: An arm is not known or has no event.
    """
    rows = np.isin(cases.arm, [_number(cases, arm), _number(cases, reference)])
    own, days = followed.own[rows], followed.days[rows]
    treated = (cases.arm[rows] == _number(cases, arm)).astype(np.float64)
    for name, kept in ((arm, treated == 1.0), (reference, treated == 0.0)):
        if not own[kept].any():
            raise CohortError(f"hazard ratio of {arm}", f"has no event under {name}", "read the risks")
    model = fit_cox_ridge(treated[:, None], days, own, 0.0, standardise=False)
    log_ratio = float(model.coefficients[0])
    curvature = RiskSets(days, own, np.ones(len(days))).slope_and_curvature(
        treated[:, None], log_ratio * treated
    )[1]
    residual = _score_residuals(days, own, treated, log_ratio)
    _, member = np.unique(cases.patients[rows], return_inverse=True)
    meat = float((np.bincount(member, residual) ** 2).sum())
    return ratio_estimate(float(np.exp(log_ratio)), float(np.sqrt(meat) / curvature[0, 0]), level)


def cumulative_hazard_ratio(survival: ArmValues, arm: str, reference: str) -> Estimate:
    """The ratio of two arms' cumulative hazards by the day of the survivals, -log S over -log S.

    Of doubly robust survivals it is the hazard ratio of the arms if everybody were given each: the one number
    of Cox's model where hazards are proportional between arms, and an average up to that day where they are
    not. The interval is of its logarithm, by the survivals' covariance. Of survivals beside competing causes
    it is a ratio of subdistribution hazards.

    Args:
        survival: What `SurvivalEffects.survival` gave.
        arm: The arm asked about.
        reference: The arm that it is compared with.

    Raises:
        CohortError: An arm is not known, or its survival is not between 0 and 1.
    """
    first, second = survival.of(arm), survival.of(reference)
    for name, own in ((arm, first), (reference, second)):
        if not 0.0 < own.value < 1.0:
            raise CohortError(
                f"hazard ratio of {arm}",
                f"has a survival of {own.value:g} under {name}",
                "choose another day",
            )
    hazards = [-float(np.log(own.value)) for own in (first, second)]
    slope = np.zeros(len(survival.arms))
    slope[survival.arms.index(arm)] -= 1.0 / (first.value * hazards[0])
    slope[survival.arms.index(reference)] += 1.0 / (second.value * hazards[1])
    error = float(np.sqrt(max(float(slope @ survival.covariance @ slope), 0.0)))
    return ratio_estimate(hazards[0] / hazards[1], error, survival.level)


def _number(cases: ArmCases, arm: str) -> int:
    if arm not in cases.arms:
        raise CohortError(f"arm {arm}", "is not compared", f"ask about one of {', '.join(cases.arms)}")
    return cases.arms.index(arm)


def _score_residuals(days: Floats, event: NDArray[np.bool_], treated: Floats, log_ratio: float) -> Floats:
    """(n,) each case's part of the slope of the partial likelihood, less what its time at risk expected."""
    times = np.unique(days[event])
    order = np.argsort(days, kind="stable")
    risk = np.exp(log_ratio * treated)
    start = np.searchsorted(days[order], times, side="left")
    at_risk = np.cumsum(risk[order][::-1])[::-1][start]
    share = np.cumsum((risk * treated)[order][::-1])[::-1][start] / at_risk
    deaths = np.bincount(np.searchsorted(times, days[event]), minlength=len(times))
    hazard = np.concatenate([[0.0], np.cumsum(deaths / at_risk)])
    shared = np.concatenate([[0.0], np.cumsum(share * deaths / at_risk)])
    last = np.searchsorted(times, days, side="right")
    seen = np.zeros(len(days))
    seen[event] = treated[event] - share[np.searchsorted(times, days[event])]
    return np.asarray(seen - risk * (treated * hazard[last] - shared[last]))
