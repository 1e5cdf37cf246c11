"""Without covariates the estimates are the textbook's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from prognosis.errors import CohortError
from prognosis.survival.curves import aalen_johansen, kaplan_meier
from prognosis.survival.restricted_mean import restricted_mean_lost, restricted_mean_survival
from prognosis.treatment import (
    ArmCases,
    Assignment,
    EffectSettings,
    FollowUp,
    Response,
    arm_values,
    cumulative_hazard_ratio,
    hazard_ratio,
    response_effects,
    survival_effects,
)
from tests.treatment.cohorts import TAU, Plan, draw

PLAIN = EffectSettings(adjusted=False, days=(250.0, 500.0))


def test_the_randomised_unadjusted_difference_is_kaplan_meiers_with_greenwoods_variance() -> None:
    cohort = draw(Plan(), 300, 1)
    found = survival_effects(cohort.cases, cohort.followed, TAU, PLAIN)
    by_hand = [
        restricted_mean_survival(cohort.followed.days[own], cohort.followed.own[own], TAU)
        for own in (cohort.cases.arm == 0, cohort.cases.arm == 1)
    ]
    gap = found.restricted_mean().difference("new", "old")
    assert gap.value == pytest.approx(by_hand[1].days - by_hand[0].days, abs=1e-8)
    together = np.sqrt(by_hand[0].variance + by_hand[1].variance)
    assert gap.standard_error == pytest.approx(together, rel=300 / 299 - 1)
    for number, name in enumerate(cohort.cases.arms):
        own = cohort.cases.arm == number
        curve = kaplan_meier(cohort.followed.days[own], cohort.followed.own[own])
        assert found.survival(500.0).of(name).value == pytest.approx(float(curve.at(500.0)), abs=1e-12)


def test_with_a_competing_cause_it_is_aalen_and_johansens() -> None:
    cohort = draw(Plan(competing=0.6), 400, 2)
    found = survival_effects(cohort.cases, cohort.followed, TAU, PLAIN)
    for number, name in enumerate(cohort.cases.arms):
        own = cohort.cases.arm == number
        days, cause = cohort.followed.days[own], cohort.followed.cause[own]
        curve = aalen_johansen(days, cause, 2)[0]
        np.testing.assert_allclose(found.curves().incidence[number], curve.at(found.scores.days), atol=1e-10)
        lost = restricted_mean_lost(days, cause, TAU)
        here = found.restricted_mean().of(name)
        assert here.value == pytest.approx(TAU - lost.days, abs=1e-8)
        assert here.standard_error == pytest.approx(np.sqrt(lost.variance), rel=2e-3)


def test_tied_days_change_nothing_of_this() -> None:
    cohort = draw(Plan(competing=0.4), 300, 4)
    coarse = FollowUp(np.ceil(cohort.followed.days / 50.0) * 50.0, cohort.followed.cause)
    found = survival_effects(cohort.cases, coarse, TAU - 25.0, PLAIN).incidence(500.0)
    own = cohort.cases.arm == 0
    curve = aalen_johansen(coarse.days[own], coarse.cause[own], 2)[0]
    assert found.of("old").value == pytest.approx(float(curve.at(500.0)), abs=1e-12)


def test_restricted_means_are_those_of_lifelines() -> None:
    lifelines = pytest.importorskip("lifelines")
    from lifelines.utils import restricted_mean_survival_time

    cohort = draw(Plan(), 300, 5)
    found = survival_effects(cohort.cases, cohort.followed, 800.0, PLAIN).restricted_mean()
    for number, name in enumerate(cohort.cases.arms):
        own = cohort.cases.arm == number
        fitted = lifelines.KaplanMeierFitter().fit(cohort.followed.days[own], cohort.followed.own[own])
        assert found.of(name).value == pytest.approx(restricted_mean_survival_time(fitted, 800.0), rel=1e-6)


@pytest.mark.filterwarnings("ignore:Starting with pandas version 4.0:DeprecationWarning")
def test_the_hazard_ratio_and_its_robust_interval_are_those_of_lifelines() -> None:
    lifelines = pytest.importorskip("lifelines")
    cohort = draw(Plan(competing=0.3), 300, 6)
    pairs = np.repeat(np.arange(150), 2).astype(str)
    cases = replace(cohort.cases, patients=pairs)
    table = pd.DataFrame(
        {
            "days": cohort.followed.days,
            "event": cohort.followed.own,
            "new": cases.arm.astype(float),
            "pair": pairs,
        }
    )
    fitted = lifelines.CoxPHFitter().fit(table, "days", "event", cluster_col="pair")
    found = hazard_ratio(cases, cohort.followed, "new", "old")
    assert np.log(found.value) == pytest.approx(float(fitted.params_["new"]), abs=1e-5)
    assert found.standard_error == pytest.approx(float(fitted.standard_errors_["new"]), rel=1e-3)


def test_where_hazards_are_proportional_the_curves_ratio_of_hazards_is_coxs() -> None:
    rng = np.random.default_rng(0)
    arm = np.repeat([0, 1], 2000)
    days = rng.exponential(1.0 / np.where(arm == 1, 0.0006, 0.001))
    end = rng.uniform(500.0, 2000.0, 4000)
    followed = FollowUp(np.minimum(days, end), (days <= end).astype(np.int64))
    cases = ArmCases(
        np.zeros((4000, 0)), arm, ("old", "new"), Assignment.RANDOMISED, np.arange(4000).astype(str)
    )
    survival = survival_effects(cases, followed, 1000.0, EffectSettings(adjusted=False)).survival()
    found = cumulative_hazard_ratio(survival, "new", "old")
    cox = hazard_ratio(cases, followed.until(1000.0), "new", "old")
    assert found.value == pytest.approx(cox.value, rel=0.05)
    assert found.standard_error == pytest.approx(cox.standard_error, rel=0.1)
    assert found.low < 0.6 < found.high
    assert cumulative_hazard_ratio(survival, "old", "new").value == pytest.approx(1.0 / found.value)


def test_a_ratio_of_hazards_needs_survivals_inside_their_bounds() -> None:
    survival = arm_values(np.ones((10, 2)), ("old", "new"), np.arange(10).astype(str), 1.0)
    with pytest.raises(CohortError, match="has a survival of 1 under new"):
        cumulative_hazard_ratio(survival, "new", "old")


def test_unadjusted_responses_are_the_shares_of_those_assessed() -> None:
    rng = np.random.default_rng(0)
    arm, known = rng.integers(0, 3, 200), rng.random(200) < 0.8
    value = (rng.random(200) < 0.3 + 0.1 * arm).astype(float)
    cases = ArmCases(
        np.zeros((200, 0)), arm, ("a", "b", "c"), Assignment.RANDOMISED, np.arange(200).astype(str)
    )
    found = response_effects(cases, Response(value, known), adjusted=False).mean()
    for number, name in enumerate(cases.arms):
        own = value[known & (arm == number)]
        assert found.of(name).value == pytest.approx(own.mean())
        error = np.sqrt(own.mean() * (1 - own.mean()) / len(own))
        assert found.of(name).standard_error == pytest.approx(error, rel=0.01)
        assert found.ratio(name, name).value == 1.0


def test_a_graded_response_is_a_mean_grade_or_the_chance_of_reaching_one() -> None:
    arm = np.tile([0, 1], 30)
    grade = np.tile([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 10)
    cases = ArmCases(np.zeros((60, 0)), arm, ("a", "b"), Assignment.RANDOMISED, np.arange(60).astype(str))
    response = Response(grade, np.ones(60, dtype=bool))
    assert not response.binary
    assert response_effects(cases, response).mean().difference("b", "a").value == pytest.approx(1.0)
    reached = response_effects(cases, response.at_least(5.0)).mean()
    assert reached.of("a").value == reached.of("b").value == pytest.approx(1 / 3)


def test_a_horizon_that_an_arm_does_not_reach_is_refused() -> None:
    cohort = draw(Plan(), 200, 7)
    with pytest.raises(CohortError, match="nobody followed beyond day"):
        survival_effects(cohort.cases, cohort.followed, float(cohort.followed.days.max()) + 1.0)


def test_an_arm_without_events_is_refused() -> None:
    cohort = draw(Plan(), 200, 7)
    none = FollowUp(cohort.followed.days, np.where(cohort.cases.arm == 1, 0, cohort.followed.cause))
    with pytest.raises(CohortError, match="arm new: has 0 events"):
        survival_effects(cohort.cases, none, 500.0)


def test_a_day_that_was_not_scored_is_refused() -> None:
    cohort = draw(Plan(), 200, 7)
    with pytest.raises(CohortError, match="was not scored"):
        survival_effects(cohort.cases, cohort.followed, 500.0, PLAIN).incidence(123.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"arms": ("old",)}, "fewer than two"),
        ({"covariates": np.full((200, 2), np.nan)}, "not finite"),
        ({"covariates": np.zeros((3, 2))}, "as many cases"),
        ({"arm": np.zeros(200, dtype=np.int64)}, "no case of new"),
        ({"arm": np.arange(200) % 3}, "outside their names"),
        ({"allocation": (0.5, 0.4)}, "no share of each arm"),
    ],
)
def test_cases_that_cannot_be_compared_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(CohortError, match=message):
        replace(draw(Plan(), 200, 7).cases, **change)
