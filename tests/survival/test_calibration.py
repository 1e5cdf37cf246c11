"""Calibration: predictions that are right have slope 1, O/E 1 and a curve on the diagonal."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from prognosis.errors import CohortError
from prognosis.survival.brier import known_state_weights
from prognosis.survival.calibration import (
    calibration_bins,
    calibration_slope,
    log_odds,
    observed_over_expected,
    smooth_calibration,
    wilson_interval,
)
from prognosis.survival.censoring import estimate_censoring
from prognosis.survival.logistic import logistic_slope, weighted_logistic
from prognosis.survival.statistic import once

N, HORIZON = 6_000, 3.0
Floats = NDArray[np.float64]


def censored_cohort() -> tuple[Floats, NDArray[np.int64], Floats]:
    """Exponential times whose true risk by the horizon is known, a third of them censored."""
    rng = np.random.default_rng(11)
    rate = np.exp(rng.normal(-1.5, 0.8, N))
    time, end = rng.exponential(1.0 / rate), rng.exponential(8.0, N)
    return np.minimum(time, end), (time <= end).astype(np.int64), 1.0 - np.exp(-rate * HORIZON)


def known(days: Floats, cause: NDArray[np.int64]) -> tuple[NDArray[np.bool_], Floats]:
    censoring = estimate_censoring(days, cause > 0)
    weight = known_state_weights(days, cause, np.array([HORIZON]), censoring)[:, 0]
    return (days <= HORIZON) & (cause == 1), weight


def test_true_risks_have_slope_one_and_observed_equal_to_expected() -> None:
    days, cause, risk = censored_cohort()
    slope = calibration_slope(*known(days, cause), risk)(once(N))[0]
    ratio = observed_over_expected(days, cause, risk, HORIZON)(once(N))[0]
    assert slope == pytest.approx(1.0, abs=0.05)
    assert ratio == pytest.approx(1.0, abs=0.03)


def test_risks_twice_as_extreme_on_the_log_odds_have_slope_one_half() -> None:
    days, cause, risk = censored_cohort()
    extreme = 1.0 / (1.0 + np.exp(-2.0 * log_odds(risk)))
    honest = calibration_slope(*known(days, cause), risk)(once(N))[0]
    doubled = calibration_slope(*known(days, cause), extreme)(once(N))[0]
    assert doubled == pytest.approx(honest / 2.0, rel=1e-4)


def test_halved_risks_show_twice_as_many_events_as_expected() -> None:
    days, cause, risk = censored_cohort()
    right = observed_over_expected(days, cause, risk, HORIZON)(once(N))[0]
    halved = observed_over_expected(days, cause, risk / 2.0, HORIZON)(once(N))[0]
    assert halved == pytest.approx(2.0 * right)


def test_bins_and_curve_of_true_risks_lie_on_the_diagonal() -> None:
    days, cause, risk = censored_cohort()
    bins = calibration_bins(days, cause, risk, HORIZON)
    smooth = smooth_calibration(*known(days, cause), risk)
    assert sum(each.cases for each in bins) == N
    assert max(abs(each.predicted - each.observed) for each in bins) < 0.06
    assert smooth.ici < 0.02
    assert smooth.e50 <= smooth.e90


def test_tied_predictions_share_a_bin() -> None:
    bins = calibration_bins(np.arange(1.0, 9.0), np.ones(8, dtype=np.int64), np.full(8, 0.3), 4.0)
    assert [each.cases for each in bins] == [8]
    assert bins[0].observed == pytest.approx(0.5)


def test_none_of_24_observed_leaves_room_for_a_risk_of_one_in_eight() -> None:
    low, high = wilson_interval(np.array([0.0, 1.0, 0.5]), np.array([24.0, 24.0, 24.0]))
    z2 = 1.959964**2
    assert low == pytest.approx([0.0, 24.0 / (24.0 + z2), 0.5 - 0.5 * np.sqrt(z2 / (24.0 + z2))], abs=1e-6)
    assert high == pytest.approx([z2 / (24.0 + z2), 1.0, 0.5 + 0.5 * np.sqrt(z2 / (24.0 + z2))], abs=1e-6)
    nothing = wilson_interval(np.array([0.0]), np.array([0.0]))
    assert [float(end[0]) for end in nothing] == pytest.approx([0.0, 1.0])


def test_a_group_counts_for_fewer_cases_where_some_were_censored_before_the_horizon() -> None:
    days, risk = np.arange(1.0, 9.0), np.full(8, 0.3)
    followed = calibration_bins(days, np.ones(8, dtype=np.int64), risk, 4.0)[0]
    assert followed.effective_cases == pytest.approx(8.0)
    # Censored on days 1 and 3 of 8: weights 8/7 (day 2), 8/7 * 6/5 (day 4 and the four seen beyond).
    one, two = 8.0 / 7.0, 8.0 / 7.0 * 6.0 / 5.0
    censored = calibration_bins(days, np.array([0, 1, 0, 1, 1, 1, 1, 1]), risk, 4.0)[0]
    assert censored.effective_cases == pytest.approx((one + 5 * two) ** 2 / (one**2 + 5 * two**2))


def test_the_slope_is_that_of_a_weighted_logistic_regression() -> None:
    rng = np.random.default_rng(3)
    risk = rng.uniform(0.05, 0.95, 300)
    outcome = rng.random(300) < risk
    weights = rng.integers(0, 3, (3, 300)).astype(float)
    found = calibration_slope(outcome, np.ones(300), risk)(weights)
    odds = log_odds(risk)[:, None]
    expected = [
        LogisticRegression(C=np.inf, tol=1e-10).fit(odds, outcome, sample_weight=row).coef_[0, 0]
        for row in weights
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_slope_that_does_not_exist_is_not_a_number_of_any_kind() -> None:
    risk = np.array([0.1, 0.2, 0.8, 0.9])
    separated = calibration_slope(np.array([False, False, True, True]), np.ones(4), risk)(once(4))
    one_class = calibration_slope(np.ones(4, dtype=bool), np.ones(4), risk)(once(4))
    constant = calibration_slope(risk > 0.5, np.ones(4), np.full(4, 0.3))(once(4))
    assert np.isnan([separated[0], one_class[0], constant[0]]).all()


def test_a_curve_of_constant_risks_is_refused() -> None:
    with pytest.raises(CohortError):
        smooth_calibration(np.arange(40) % 2 == 0, np.ones(40), np.full(40, 0.5))


def test_a_regression_whose_coefficients_are_large_is_fitted_all_the_same() -> None:
    """Cutting Newton's steps in each coordinate went round for ever on such columns."""
    rng = np.random.default_rng(8)
    narrow = rng.normal(0.0, 0.02, 500)
    design = np.column_stack([np.ones(500), narrow, narrow**2])
    outcome = (rng.random(500) < 1.0 / (1.0 + np.exp(1.0 - 80.0 * narrow))).astype(float)
    found = weighted_logistic(design, outcome, np.ones(500))
    mean = 1.0 / (1.0 + np.exp(-design @ found))
    np.testing.assert_allclose(design.T @ (outcome - mean), 0.0, atol=1e-6)
    assert found[1] == pytest.approx(80.0, rel=0.3)


def test_a_replicate_whose_slope_is_not_reached_has_none() -> None:
    """All risks but one nearly equal: the slope of a replicate is thousands of spreads from the sample's."""
    rng = np.random.default_rng(9)
    odds = np.append(rng.normal(0.0, 1e-4, 400), 13.0)
    outcome = np.append(rng.random(400) < 1.0 / (1.0 + np.exp(-1e4 * odds[:400])), True)
    first_half = np.append(np.repeat([1.0, 0.0], 200), 1.0)
    slopes = logistic_slope(odds, outcome.astype(float), np.stack([np.ones(401), first_half]))
    assert np.isnan(slopes[1])
