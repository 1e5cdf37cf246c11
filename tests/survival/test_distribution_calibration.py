"""D-calibration: who belongs to which tenth, and what the test finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from prognosis.errors import CohortError
from prognosis.survival.distribution_calibration import distribution_calibration, spread_over_bins

Floats = NDArray[np.float64]


def exponential(n: int, seed: int, censored: bool) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Follow-up, event, and the true rate of each person."""
    rng = np.random.default_rng(seed)
    rate = np.exp(rng.normal(-1.0, 0.7, n))
    time = rng.exponential(1.0 / rate)
    end = rng.uniform(0.0, 10.0, n) if censored else np.full(n, np.inf)
    return np.minimum(time, end), time <= end, rate


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 20))
def test_every_person_is_placed_exactly_once(seed: int, bins: int) -> None:
    rng = np.random.default_rng(seed)
    survival = np.concatenate([rng.random(20), [0.0, 1.0, 0.5]])
    placed = spread_over_bins(survival, rng.random(23) < 0.5, bins)
    np.testing.assert_allclose(placed.sum(axis=1), 1.0)
    assert (placed >= 0.0).all()


def test_a_censored_person_is_spread_over_lower_survival_only() -> None:
    """At S = 0.25 in five bins: 0.05 of 0.25 left in the second, 0.2 of 0.25 in the first."""
    placed = spread_over_bins(np.array([0.25]), np.array([False]), 5)
    np.testing.assert_allclose(placed, [[0.8, 0.2, 0.0, 0.0, 0.0]])


def test_someone_censored_at_once_says_nothing() -> None:
    np.testing.assert_allclose(spread_over_bins(np.array([1.0]), np.array([False]), 4), [[0.25] * 4])


@pytest.mark.parametrize("censored", [False, True])
def test_true_curves_pass_and_curves_of_twice_the_hazard_do_not(censored: bool) -> None:
    days, event, rate = exponential(3_000, 5, censored)
    right = distribution_calibration(np.exp(-rate * days), event)
    doubled = distribution_calibration(np.exp(-2.0 * rate * days), event)
    assert right.p_value > 0.05
    assert right.misplaced < 0.03
    assert doubled.p_value < 1e-6
    assert doubled.misplaced > right.misplaced


def test_it_rejects_the_truth_no_more_often_than_it_says() -> None:
    rejected = 0
    for seed in range(200):
        days, event, rate = exponential(200, seed, censored=False)
        rejected += distribution_calibration(np.exp(-rate * days), event).p_value < 0.05
    assert rejected / 200 < 0.05 + 3.0 * np.sqrt(0.05 * 0.95 / 200)


def test_a_weight_of_two_is_a_case_given_twice() -> None:
    days, event, rate = exponential(50, 1, censored=True)
    survival, weights = np.exp(-rate * days), np.arange(50) % 3
    weighted = distribution_calibration(survival, event, weights=weights.astype(np.float64))
    repeated = distribution_calibration(np.repeat(survival, weights), np.repeat(event, weights))
    np.testing.assert_allclose(weighted.people, repeated.people)
    assert weighted.p_value == pytest.approx(repeated.p_value)


def test_one_bin_or_nobody_is_refused() -> None:
    with pytest.raises(CohortError, match="two bins"):
        distribution_calibration(np.array([0.5]), np.array([True]), bins=1)
    with pytest.raises(CohortError, match="one person"):
        distribution_calibration(np.zeros(0), np.zeros(0, dtype=bool))
