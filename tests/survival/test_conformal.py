"""The lower bound on event-free time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prognosis.errors import InputError
from prognosis.survival.censoring import estimate_censoring
from prognosis.survival.conformal import (
    LEVELS,
    SurvivalBound,
    day_of_probability,
    fit_bound,
    missed_weights,
    probability_at,
)
from prognosis.survival.curves import kaplan_meier

GRID = np.linspace(0.0, 60.0, 601)


def exponential_curves(rate: np.ndarray) -> np.ndarray:
    return 1.0 - np.exp(-rate[:, None] * GRID)


def alone(n: int) -> np.ndarray:
    return np.array([f"p{i}" for i in range(n)])


@given(st.integers(10, 60), st.integers(0, 10_000), st.sampled_from([0.5, 0.8, 0.9, 0.95]))
def test_without_censoring_the_bound_is_the_rank_of_split_conformal_prediction(
    n: int, seed: int, level: float
) -> None:
    score = np.random.default_rng(seed).random(n)
    days, cause = 1.0 + score, np.ones(n, dtype=np.int64)
    bound = fit_bound(score, days, cause, cause > 0, alone(n))
    rank = int(np.floor((1.0 - level) * (n + 1) + 1e-9))  # the rank-th smallest of n + 1 exchangeable scores
    expected = np.sort(score)[rank - 1] if rank else 0.0
    assert bound.probability[np.searchsorted(LEVELS, level)] == expected


def test_with_one_curve_for_all_the_bound_is_the_kaplan_meier_quantile() -> None:
    rng = np.random.default_rng(3)
    event_days, censored_days = rng.exponential(10.0, 2000), rng.uniform(0.0, 40.0, 2000)
    days, event = np.minimum(event_days, censored_days), event_days <= censored_days
    curve = exponential_curves(np.array([0.02]))  # wrong by a factor of five, and the same for everyone
    score = probability_at(np.tile(curve, (2000, 1)), GRID, days)
    bound = fit_bound(score, days, event.astype(np.int64), event, alone(2000))
    for level in (0.6, 0.8, 0.9):
        (reached,) = bound.days(curve, GRID, level)
        free = kaplan_meier(days, event)
        assert free.before(reached) >= level
        assert free.at(reached + 0.1) <= level + 0.01


def test_new_patients_are_covered_although_the_predictions_are_wrong_and_most_are_censored() -> None:
    rng = np.random.default_rng(11)
    covered = {0.8: [], 0.9: []}
    for _ in range(40):
        rate = rng.uniform(0.02, 0.4, 900)
        event_days = rng.exponential(1.0 / rate)
        curves = exponential_curves(1.6 * rate**1.3)
        censored_days = rng.exponential(9.0, 900)
        days, event = np.minimum(event_days, censored_days), event_days <= censored_days
        old = slice(0, 500)
        score = probability_at(curves[old], GRID, days[old])
        bound = fit_bound(score, days[old], event[old].astype(np.int64), event[old], alone(500))
        for level, found in covered.items():
            found.append(np.mean(event_days[500:] >= bound.days(curves[500:], GRID, level)))
    for level, found in covered.items():
        error = np.std(found) / np.sqrt(len(found))
        assert level - 3 * error - 0.002 <= np.mean(found) <= level + 3 * error + 0.01


def test_a_patient_with_many_cases_counts_as_one() -> None:
    rng = np.random.default_rng(5)
    days = rng.exponential(10.0, 80)
    cause = np.ones(80, dtype=np.int64)
    score = rng.random(80)
    once = fit_bound(score, days, cause, cause > 0, alone(80))
    rows = np.concatenate([np.arange(80), np.zeros(40, dtype=np.int64)])
    repeated = fit_bound(score[rows], days[rows], cause[rows], cause[rows] > 0, alone(80)[rows])
    assert np.array_equal(once.probability, repeated.probability)


def test_a_confidence_that_so_few_patients_cannot_support_gives_zero_days() -> None:
    score = np.linspace(0.1, 0.9, 9)
    bound = fit_bound(score, 1.0 + score, np.ones(9, dtype=np.int64), np.ones(9, dtype=bool), alone(9))
    curves = exponential_curves(np.array([0.01, 1.0]))
    assert (bound.days(curves, GRID, 0.95) == 0.0).all()
    assert (bound.days(curves, GRID, 0.9) > 0.0).all()


def test_no_bound_lies_beyond_the_last_day_on_which_enough_are_followed() -> None:
    rng = np.random.default_rng(2)
    event_days, censored_days = rng.exponential(500.0, 400), rng.uniform(10.0, 20.0, 400)
    days, event = np.minimum(event_days, censored_days), event_days <= censored_days
    score = np.full(400, 0.01)
    bound = fit_bound(score, days, event.astype(np.int64), event, alone(400))
    assert bound.last_day < 20.0
    assert (bound.days(exponential_curves(np.full(3, 1e-6)), GRID, 0.5) == bound.last_day).all()


def test_a_competing_event_first_leaves_the_patient_free_of_the_cause() -> None:
    days = np.array([1.0, 2.0, 3.0, 4.0])
    censoring = estimate_censoring(days, np.ones(4, dtype=bool))
    first = np.array([True, False, True, False])
    assert missed_weights(days, first, np.full(4, 2.5), censoring).tolist() == [1.0, 0.0, 0.0, 0.0]


@settings(max_examples=50)
@given(st.integers(0, 1000))
def test_more_confidence_never_gives_a_later_day(seed: int) -> None:
    rng = np.random.default_rng(seed)
    days = np.round(rng.exponential(10.0, 60)) + 1.0
    cause = rng.integers(0, 3, 60)
    bound = fit_bound(np.round(rng.random(60), 1), days, cause, cause == 1, alone(60))
    assert (np.diff(bound.probability) <= 0).all()
    curves = exponential_curves(rng.uniform(0.01, 1.0, 5))
    asked = [bound.days(curves, GRID, level) for level in (0.5, 0.8, 0.801, 0.9, 0.995)]
    assert (np.diff(asked, axis=0) <= 0).all()


@given(st.floats(0.001, 2.0), st.floats(0.0, 59.0))
def test_the_day_of_a_probability_undoes_the_probability_of_a_day(rate: float, day: float) -> None:
    curve = exponential_curves(np.array([rate]))
    probability = probability_at(curve, GRID, np.array([day]))
    if probability[0] < 1.0 - 1e-9:
        assert day_of_probability(curve, GRID, float(probability[0]))[0] == pytest.approx(day, abs=1e-6)


def test_a_probability_that_is_never_reached_has_no_day() -> None:
    assert np.isinf(day_of_probability(np.array([[0.0, 0.1, 0.1]]), np.array([0.0, 1.0, 2.0]), 0.2))[0]


@pytest.mark.parametrize("level", [0.3, 0.999, 1.5])
def test_a_level_that_was_not_calibrated_is_refused(level: float) -> None:
    bound = SurvivalBound(LEVELS, np.full(len(LEVELS), 0.1), 10.0)
    with pytest.raises(InputError, match="has no calibrated bound"):
        bound.days(exponential_curves(np.array([0.1])), GRID, level)
