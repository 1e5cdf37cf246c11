"""Statistics of predicted values, against numerical integration, least squares and ranks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from prognosis.errors import InputError
from prognosis.survival.measured import (
    ResidualIntervals,
    explained_share,
    fit_residual_intervals,
    gaussian_crps,
    root_mean_square,
    slope_on_predicted,
)
from prognosis.survival.statistic import once


def alone(n: int) -> np.ndarray:
    return np.array([f"p{i}" for i in range(n)])


@given(st.floats(-4.0, 4.0), st.floats(-2.0, 2.0), st.floats(0.2, 3.0))
@settings(max_examples=20)
def test_the_score_is_the_integral_of_the_squared_distance_of_the_distributions(
    value: float, mean: float, error: float
) -> None:
    below, _ = quad(lambda x: norm.cdf(x, mean, error) ** 2, -40.0, value, limit=200)
    above, _ = quad(lambda x: norm.sf(x, mean, error) ** 2, value, 40.0, limit=200)
    (found,) = gaussian_crps(np.array([value]), np.array([mean]), np.array([error]))
    assert found == pytest.approx(below + above, abs=1e-6)


def test_the_score_of_a_point_forecast_is_its_absolute_error() -> None:
    values, mean = np.array([1.0, -2.0]), np.array([3.0, -2.0])
    np.testing.assert_allclose(gaussian_crps(values, mean, np.zeros(2)), [2.0, 0.0])
    np.testing.assert_allclose(gaussian_crps(values, mean, np.full(2, 1e-9)), [2.0, 0.0], atol=1e-8)


def test_weights_count_as_repetitions() -> None:
    rng = np.random.default_rng(0)
    values, mean = rng.normal(size=30), rng.normal(size=30)
    drawn = rng.integers(0, 3, size=(1, 30)).astype(float)
    again = np.repeat(np.arange(30), drawn[0].astype(int))
    y, x = values[again], mean[again]
    assert root_mean_square(values - mean)(drawn)[0] == pytest.approx(np.sqrt(((y - x) ** 2).mean()))
    r2 = 1.0 - ((y - x) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    assert explained_share(values, values - mean)(drawn)[0] == pytest.approx(r2)
    assert slope_on_predicted(values, mean)(drawn)[0] == pytest.approx(np.polyfit(x, y, 1)[0])


def test_what_never_varies_has_no_slope_and_no_explained_share() -> None:
    values, mean = np.array([1.0, 2.0, 4.0]), np.full(3, 2.0)
    assert np.isnan(slope_on_predicted(values, mean)(once(3))[0])
    assert np.isnan(explained_share(mean, mean - values)(once(3))[0])
    rounded = np.array([0.3, 0.1 + 0.2, 0.3])
    assert np.isnan(slope_on_predicted(values, rounded)(once(3))[0])
    assert np.isnan(explained_share(rounded, rounded - values)(once(3))[0])
    drawn = np.array([[0.0, 0.0, 5.0]])  # a bootstrap sample of one patient alone
    assert np.isnan(explained_share(values, values - mean)(drawn)[0])
    assert np.isnan(slope_on_predicted(mean, values)(drawn)[0])


@pytest.mark.parametrize("unit", [1e-12, 1e-9, 1e-6, 1e6, 1e12])
def test_the_slope_and_the_explained_share_do_not_depend_on_the_unit(unit: float) -> None:
    rng = np.random.default_rng(3)
    mean = rng.normal(5.0, 1.0, 300)
    values, weights = mean + rng.normal(0.0, 0.3, 300), rng.integers(0, 3, size=(4, 300)).astype(float)
    for told, expected in (
        (slope_on_predicted(unit * values, unit * mean), slope_on_predicted(values, mean)),
        (explained_share(unit * values, unit * (values - mean)), explained_share(values, values - mean)),
    ):
        np.testing.assert_allclose(told(weights), expected(weights), rtol=1e-9)


@given(st.integers(20, 60), st.integers(0, 10_000), st.sampled_from([0.5, 0.8, 0.9]))
@settings(max_examples=20)
def test_the_ends_are_the_ranks_of_split_conformal_prediction(n: int, seed: int, level: float) -> None:
    score = np.random.default_rng(seed).normal(size=n)
    found = fit_residual_intervals(score, alone(n), np.ones(n), (level,))
    rank = int(np.ceil((1.0 + level) / 2.0 * (n + 1) - 1e-9))
    assert found.high == (np.sort(score)[rank - 1],)
    assert found.low == (np.sort(score)[n - rank],)


def test_skewed_errors_of_new_patients_are_covered_on_average() -> None:
    rng = np.random.default_rng(5)
    covered = {level: [] for level in (0.5, 0.8, 0.9)}
    for _ in range(200):
        score, new = rng.exponential(size=40) - 1.0, rng.exponential(size=200) - 1.0
        found = fit_residual_intervals(score, alone(40), np.ones(40), tuple(covered))
        for level, shares in covered.items():
            low, high = found.of(np.zeros(1), np.ones(1), level)
            shares.append(((low <= new) & (new <= high)).mean())
    for level, shares in covered.items():
        assert level - 0.01 <= np.mean(shares) <= level + 0.06


def test_a_patient_s_repetitions_make_no_more_patients() -> None:
    score = np.random.default_rng(1).normal(size=30)
    once_each = fit_residual_intervals(score, alone(30), np.ones(30))
    twice, who = np.repeat(score, 2), np.repeat(alone(30), 2)
    assert fit_residual_intervals(twice, who, np.full(60, 0.5)) == once_each


def test_a_level_that_too_few_patients_support_is_not_given() -> None:
    score = np.random.default_rng(2).normal(size=10)
    found = fit_residual_intervals(score, alone(10), np.ones(10))
    assert found.levels == (0.5, 0.8)
    with pytest.raises(InputError, match=r"ask for one of 0\.5, 0\.8"):
        found.of(np.zeros(1), np.ones(1), 0.95)


def test_an_interval_is_the_mean_and_so_many_errors() -> None:
    intervals = ResidualIntervals((0.8,), (-1.0,), (2.0,))
    low, high = intervals.of(np.array([10.0, 0.0]), np.array([1.0, 3.0]), 0.8)
    np.testing.assert_allclose(low, [9.0, -3.0])
    np.testing.assert_allclose(high, [12.0, 6.0])
