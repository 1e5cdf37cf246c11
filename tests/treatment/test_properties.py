"""What must hold of any cohort."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prognosis.treatment import EffectSettings, FollowUp, survival_effects, tabled_hazards
from prognosis.treatment.hazards import marginal_hazards
from prognosis.treatment.nuisances import SurvivalNuisances, gathered, grid_of
from prognosis.treatment.overlap import differences_from_reference, standardised_differences
from prognosis.treatment.scores import survival_scores
from tests.treatment.cohorts import TAU, Plan, draw

seeds = st.integers(0, 1000)
few = settings(max_examples=6)


@few
@given(seeds, st.booleans())
def test_arms_under_each_others_names_turn_the_sign_of_the_difference(seed: int, adjusted: bool) -> None:
    cohort = draw(Plan(confounding=0.5, competing=0.3), 150, seed)
    how = EffectSettings(adjusted=adjusted)
    turned = replace(cohort.cases, arm=1 - cohort.cases.arm, arms=("new", "old"))
    first = survival_effects(cohort.cases, cohort.followed, 500.0, how).restricted_mean()
    second = survival_effects(turned, cohort.followed, 500.0, how).restricted_mean()
    ours, theirs = first.difference("new", "old"), second.difference("old", "new")
    # Folds are dealt by arm, so an adjusted estimate under other numbers has other folds.
    tolerance = 1e-9 if not adjusted else 1.5 * ours.standard_error
    assert ours.value == pytest.approx(-theirs.value, abs=tolerance)
    assert first.difference("old", "new").value == -ours.value


@few
@given(seeds)
def test_the_order_of_cases_does_not_matter(seed: int) -> None:
    cohort = draw(Plan(competing=0.3), 150, seed)
    order = np.random.default_rng(seed).permutation(150)
    how = EffectSettings(adjusted=False)
    first = survival_effects(cohort.cases, cohort.followed, 500.0, how)
    second = survival_effects(cohort.cases.take(order), cohort.followed.take(order), 500.0, how)
    np.testing.assert_allclose(first.mean_scores[order], second.mean_scores, atol=1e-8)


@few
@given(seeds, st.booleans())
def test_curves_are_chances_that_never_turn_back(seed: int, adjusted: bool) -> None:
    cohort = draw(Plan(confounding=1.5, competing=0.5), 120, seed)
    found = survival_effects(cohort.cases, cohort.followed, 500.0, EffectSettings(adjusted=adjusted)).curves()
    for curve in (found.incidence, found.low, found.high):
        assert (np.diff(curve, axis=1) >= -1e-12).all()
        assert (curve >= 0.0).all()
        assert (curve <= 1.0).all()
    assert (found.low <= found.incidence + 1e-12).all()
    assert (found.incidence <= found.high + 1e-12).all()
    assert (np.diff(found.survival, axis=1) <= 1e-12).all()


@few
@given(seeds)
def test_where_nobody_is_censored_the_score_is_the_plain_augmented_one(seed: int) -> None:
    plan = Plan(confounding=0.5, censoring=0.0)
    cohort = draw(plan, 200, seed)
    found = survival_effects(cohort.cases, cohort.followed, TAU)
    assert (found.scores.uncensored == 1.0).all()
    rows = np.arange(200)
    kept = np.minimum(cohort.followed.days, TAU)
    predicted = TAU - found.scores.predicted_lost
    chance = found.propensity[rows, cohort.cases.arm]
    expected = predicted.copy()
    expected[rows, cohort.cases.arm] += (kept - predicted[rows, cohort.cases.arm]) / chance
    np.testing.assert_allclose(found.mean_scores, expected, atol=1e-6)


@few
@given(seeds)
def test_scores_of_incidence_add_up_to_the_scores_of_days_lost(seed: int) -> None:
    cohort = draw(Plan(confounding=0.5, competing=0.4), 100, seed)
    cut = cohort.followed.until(TAU)
    grid = grid_of(cut)
    found = survival_effects(cohort.cases, cohort.followed, TAU, EffectSettings(days=tuple(grid)))
    widths = np.diff(np.append(grid, TAU))
    days = found.scores.days
    incidence = found.scores.incidence[:, :, np.searchsorted(days, grid)]
    np.testing.assert_allclose(incidence @ widths, found.scores.days_lost, atol=1e-6)


def test_curves_of_any_other_model_can_stand_in_for_the_hazards() -> None:
    cohort = draw(Plan(), 200, 0)
    cut = cohort.followed.until(TAU)
    grid = grid_of(cut)
    kind = cut.cause
    own, lost = (
        marginal_hazards(cut.days, kind, cohort.cases.arm, 2, grid, of_kind=number) for number in (1, 0)
    )
    tabled = [
        tabled_hazards(np.stack([each.of(np.arange(200), arm) for arm in (0, 1)], axis=1))
        for each in (own, lost)
    ]
    share = np.full((200, 2), 0.5)
    first, second = (
        survival_scores(cut, cohort.cases.arm, share, SurvivalNuisances(grid, a, None, c), grid[-1:], TAU)
        for a, c in ((own, lost), tabled)
    )
    np.testing.assert_allclose(first.days_lost, second.days_lost, atol=1e-9)


def test_a_case_that_lives_on_against_every_prediction_counts_as_one_case() -> None:
    cohort = draw(Plan(censoring=0.0), 200, 0)
    cut = cohort.followed.until(TAU)
    grid = grid_of(cut)
    sure = np.full((200, 2, 1), 60.0) * (grid / TAU)  # everybody is predicted dead a hundred times over
    none = tabled_hazards(np.zeros((200, 2, len(grid))))
    share = np.full((200, 2), 0.5)
    nuisances = SurvivalNuisances(grid, tabled_hazards(sure), None, none)
    found = survival_scores(cut, cohort.cases.arm, share, nuisances, np.array([TAU]), TAU)
    assert not cut.own.all()
    for arm in (0, 1):
        own = cohort.cases.arm == arm
        predicted = found.predicted_incidence[own, arm, 0]
        plain = predicted + (cut.own[own] - predicted) / 0.5
        np.testing.assert_allclose(found.incidence[own, arm, 0], plain, atol=1e-6)


def test_many_days_are_gathered_without_moving_the_estimate() -> None:
    cohort = draw(Plan(), 600, 0)
    cut = cohort.followed.until(TAU)
    coarse = gathered(cut, 150)
    assert len(grid_of(coarse)) <= 150 < len(grid_of(cut))
    assert (coarse.days >= cut.days).all()
    how = EffectSettings(adjusted=False)
    fine = survival_effects(cohort.cases, cohort.followed, TAU, how).restricted_mean()
    moved = FollowUp(np.where(cut.days < TAU, coarse.days, cohort.followed.days), cohort.followed.cause)
    rough = survival_effects(cohort.cases, moved, TAU, how).restricted_mean()
    gap, other = (each.difference("new", "old") for each in (fine, rough))
    assert abs(gap.value - other.value) < 0.05 * gap.standard_error


def test_a_difference_from_the_reference_is_signed_and_told_only_of_what_enough_have() -> None:
    rng = np.random.default_rng(1)
    arm = np.repeat([0, 1, 2], 500)
    values = rng.normal(size=(1500, 4)) + np.outer(arm, [0.5, 0.0, 0.0, 0.0])
    values[arm == 1, 1] = np.nan
    values[:9, 2] = 0.0
    values[9:500, 2] = np.nan
    values[:, 3] = 7.0
    found = differences_from_reference(values, arm, 3)
    np.testing.assert_allclose(found[0], [0.5, 1.0], atol=0.15)
    assert np.isnan(found[1, 0])
    assert abs(found[1, 1]) < 0.15
    assert np.isnan(found[2:]).all()
    largest = standardised_differences(values[:, :1], (arm[:, None] == np.arange(3)).astype(float))
    assert largest[0] == pytest.approx(np.abs(found[0]).max(), rel=0.05)
