"""Non-parametric curves: definitions, conventions and conservation of probability."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from prognosis.survival.censoring import estimate_censoring
from prognosis.survival.curves import (
    StepFunction,
    aalen_johansen,
    incidence_at,
    kaplan_meier,
    life_table,
    nelson_aalen,
)

seeds = st.integers(0, 10_000)


def test_a_step_function_jumps_at_the_event_and_its_left_limit_does_not() -> None:
    curve = StepFunction(np.array([2.0, 5.0]), np.array([0.8, 0.3]), 1.0)
    np.testing.assert_array_equal(curve.at([1.0, 2.0, 4.9, 5.0, 9.0]), [1.0, 0.8, 0.8, 0.3, 0.3])
    np.testing.assert_array_equal(curve.before([2.0, 5.0, 9.0]), [1.0, 0.8, 0.3])


def test_a_censoring_on_the_day_of_a_death_was_at_risk_of_it() -> None:
    survival = kaplan_meier(np.array([3.0, 3.0]), np.array([True, False]))
    assert survival.at(3.0) == 0.5


def test_a_death_on_the_day_of_a_censoring_is_not_at_risk_of_being_censored() -> None:
    censoring = estimate_censoring(np.array([3.0, 3.0, 5.0]), np.array([True, False, True]))
    assert censoring.uncensored.at(3.0) == 0.5
    assert censoring.uncensored.before(3.0) == 1.0


def test_without_censoring_the_weights_are_one() -> None:
    censoring = estimate_censoring(np.array([1.0, 2.0, 3.0]), np.ones(3, dtype=bool))
    np.testing.assert_array_equal(censoring.event_weight([1.0, 2.0, 3.0]), [1.0, 1.0, 1.0])


def test_nobody_followed_means_no_weight_instead_of_an_infinite_one() -> None:
    censoring = estimate_censoring(np.array([1.0, 2.0]), np.array([True, False]))
    assert censoring.free_weight(2.0) == 0.0
    assert censoring.last_day(0.5) == 1.0


def test_the_last_day_is_zero_when_nobody_is_followed_that_surely() -> None:
    censoring = estimate_censoring(np.array([1.0, 1.0]), np.array([False, False]))
    assert censoring.last_day(0.5) == 0.0


@settings(deadline=None, derandomize=True, max_examples=40)
@given(seeds)
def test_incidences_and_survival_sum_to_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    days, cause = rng.integers(1, 12, 40).astype(float), rng.integers(0, 4, 40)
    times = np.arange(0.0, 14.0)
    risks = sum(curve.at(times) for curve in aalen_johansen(days, cause, 3))
    np.testing.assert_allclose(risks + kaplan_meier(days, cause > 0).at(times), 1.0, atol=1e-12)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(seeds)
def test_survival_never_rises_and_hazard_never_falls(seed: int) -> None:
    rng = np.random.default_rng(seed)
    days, event = rng.exponential(5.0, 30), rng.random(30) < 0.6
    times = np.linspace(0.0, 20.0, 50)
    assert (np.diff(kaplan_meier(days, event).at(times)) <= 0).all()
    assert (np.diff(nelson_aalen(days, event).at(times)) >= 0).all()


@settings(deadline=None, derandomize=True, max_examples=40)
@given(seeds)
def test_survival_never_exceeds_what_its_hazard_allows(seed: int) -> None:
    """Product limit against exponential of the hazard: 1 - x <= exp(-x) in every step."""
    rng = np.random.default_rng(seed)
    days, event = rng.integers(1, 9, 30).astype(float), rng.random(30) < 0.6
    times = np.arange(10.0)
    bound = np.exp(-nelson_aalen(days, event).at(times))
    assert (kaplan_meier(days, event).at(times) <= bound + 1e-12).all()


def test_integer_weights_are_copies() -> None:
    days, event = np.array([1.0, 2.0, 2.0, 4.0]), np.array([True, False, True, True])
    weights = np.array([2.0, 1.0, 3.0, 0.0])
    copied = kaplan_meier(np.repeat(days, weights.astype(int)), np.repeat(event, weights.astype(int)))
    np.testing.assert_allclose(kaplan_meier(days, event, weights).at(days), copied.at(days))


def test_the_life_table_counts_everyone_once() -> None:
    table = life_table(np.array([1.0, 1.0, 3.0]), np.array([1, 0, 2]), 2)
    np.testing.assert_array_equal(table.at_risk, [3.0, 1.0])
    assert table.events.sum() + table.censored.sum() == 3.0


def test_nothing_has_happened_before_the_first_follow_up_ends() -> None:
    risk = incidence_at(np.array([5.0, 6.0]), np.array([1, 1]), 1, 4.0, np.ones((2, 2)))
    np.testing.assert_array_equal(risk, [0.0, 0.0])
