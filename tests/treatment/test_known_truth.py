"""Average effects beside the truth of simulated cohorts. A test of correctness, never clinical evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from prognosis.treatment import (
    ArmCases,
    ArmHazards,
    Assignment,
    EffectSettings,
    Estimate,
    Response,
    response_effects,
    survival_effects,
)
from prognosis.treatment.arm_models import HazardRows
from prognosis.treatment.nuisances import cross_fitted_hazards
from tests.treatment.cohorts import TAU, Cohort, Plan, draw, true_effect

CONFOUNDED = Plan(confounding=1.0)
UNADJUSTED = EffectSettings(adjusted=False)


def days_gained(cohort: Cohort, settings: EffectSettings | None = None) -> Estimate:
    found = survival_effects(cohort.cases, cohort.followed, TAU, settings)
    return found.restricted_mean().difference("new", "old")


def covering(found: list[Estimate], truth: float) -> float:
    return float(np.mean([each.low <= truth <= each.high for each in found]))


def test_confounding_that_hides_most_of_an_effect_is_undone() -> None:
    truth = true_effect(CONFOUNDED)
    cohorts = [draw(CONFOUNDED, 4000, seed) for seed in range(3)]
    naive = np.mean([days_gained(cohort, UNADJUSTED).value for cohort in cohorts])
    adjusted = np.mean([days_gained(cohort).value for cohort in cohorts])
    assert abs(naive - truth) > 0.5 * truth
    assert abs(adjusted - truth) < 0.1 * truth


@pytest.mark.parametrize("plan", [Plan(), CONFOUNDED, Plan(competing=0.5, confounding=0.6)], ids=str)
def test_nineteen_of_twenty_intervals_hold_the_truth(plan: Plan) -> None:
    truth = true_effect(plan)
    found = [days_gained(draw(plan, 400, seed)) for seed in range(40)]
    # Of 40 intervals at 95%, fewer than 34 hold the truth in three runs of a thousand.
    assert covering(found, truth) >= 34 / 40
    spread, stated = np.std([each.value for each in found]), np.mean([each.standard_error for each in found])
    assert 0.75 < spread / stated < 1.3


def without_covariates(
    rows: HazardRows, grid: NDArray[np.float64], folds: NDArray[np.int64], *, before: bool
) -> ArmHazards:
    """Hazards by arm alone: wrong on purpose where covariates matter."""
    return cross_fitted_hazards(replace(rows, covariates=rows.covariates[:, :0]), grid, folds, before=before)


def test_the_right_propensity_suffices_when_the_hazards_are_wrong() -> None:
    plan = replace(CONFOUNDED, informative=0.0)
    truth = true_effect(plan)
    wrong = EffectSettings(fit=without_covariates)
    found = [days_gained(draw(plan, 4000, seed), wrong).value for seed in range(3)]
    assert abs(np.mean(found) - truth) < 0.1 * truth


def test_the_right_hazards_suffice_when_the_propensity_is_wrong() -> None:
    truth = true_effect(CONFOUNDED)
    found = []
    for seed in range(3):
        cohort = draw(CONFOUNDED, 4000, seed)
        mistaken = replace(cohort.cases, assignment=Assignment.RANDOMISED)
        found.append(days_gained(replace(cohort, cases=mistaken)).value)
    assert abs(np.mean(found) - truth) < 0.1 * truth


def test_with_both_wrong_the_effect_is_missed() -> None:
    cohort = draw(CONFOUNDED, 4000, 0)
    mistaken = replace(cohort, cases=replace(cohort.cases, assignment=Assignment.RANDOMISED))
    found = days_gained(mistaken, EffectSettings(fit=without_covariates))
    assert abs(found.value - true_effect(CONFOUNDED)) > 0.5 * true_effect(CONFOUNDED)


def test_where_there_is_no_effect_none_is_found() -> None:
    plan = replace(CONFOUNDED, effect=0.0)
    found = [days_gained(draw(plan, 400, seed)) for seed in range(30)]
    assert sum(each.excludes(0.0) for each in found) <= 5  # of 1.5 expected; more in three runs of a thousand


def test_the_interval_of_influence_is_that_of_patients_drawn_again() -> None:
    cohort = draw(Plan(confounding=0.5), 400, 3)
    rng, drawn = np.random.default_rng(0), []
    for _ in range(30):
        rows = rng.integers(0, 400, 400)
        drawn.append(
            days_gained(replace(cohort, cases=cohort.cases.take(rows), followed=cohort.followed.take(rows)))
        )
    spread = np.std([each.value for each in drawn], ddof=1)
    assert spread == pytest.approx(days_gained(cohort).standard_error, rel=0.35)


def confounded_response(cases: int, seed: int) -> tuple[ArmCases, Response, float]:
    """A response that sicker patients give less often, are treated for more often, and miss more often."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(cases, 3))

    def chance(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1.0 / (1.0 + np.exp(-log_odds))

    arm = (rng.random(cases) < chance(x[:, 0])).astype(np.int64)
    under = [chance(-x[:, 0] + 0.8 * number) for number in (0, 1)]
    value = (rng.random(cases) < np.where(arm == 1, under[1], under[0])).astype(np.float64)
    known = rng.random(cases) < chance(1.5 - x[:, 0] * (1 + arm) / 2)
    names = np.arange(cases).astype(str)
    value[~known] = np.nan
    found = ArmCases(x, arm, ("old", "new"), Assignment.OBSERVATIONAL, names)
    return found, Response(value, known), float((under[1] - under[0]).mean())


def test_a_response_missing_at_random_is_estimated_where_the_arms_own_shares_mislead() -> None:
    truth, naive, adjusted = 0.0, [], []
    for seed in range(5):
        cases, response, truth = confounded_response(4000, seed)
        plain = response_effects(cases, response, adjusted=False).mean()
        naive.append(plain.difference("new", "old").value)
        adjusted.append(response_effects(cases, response).mean().difference("new", "old"))
    assert abs(np.mean(naive) - truth) > 0.5 * truth
    assert abs(np.mean([each.value for each in adjusted]) - truth) < 0.1 * truth
    assert covering(adjusted, truth) >= 0.6


def test_intervals_of_a_response_hold_the_truth() -> None:
    found = []
    for seed in range(40):
        cases, response, truth = confounded_response(400, 100 + seed)
        gap = response_effects(cases, response).mean().difference("new", "old")
        found.append(gap.low <= truth <= gap.high)
    assert np.mean(found) >= 34 / 40
