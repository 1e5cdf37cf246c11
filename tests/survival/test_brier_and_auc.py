"""Brier scores and dynamic AUC: what censoring and competing events do to them."""

from __future__ import annotations

import numpy as np
import pytest

from prognosis.errors import CohortError
from prognosis.survival.auc import dynamic_auc
from prognosis.survival.brier import (
    brier_contributions,
    brier_scores,
    had_event,
    integrate,
    known_state_weights,
)
from prognosis.survival.censoring import estimate_censoring


def test_a_case_censored_before_the_horizon_has_no_weight() -> None:
    days, cause = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1, 0, 2, 0])
    weight = known_state_weights(days, cause, np.array([3.5]), estimate_censoring(days, cause > 0))
    np.testing.assert_allclose(weight[:, 0], [1.0, 0.0, 1.5, 1.5])


def test_weights_of_known_states_sum_to_the_number_of_cases_on_average() -> None:
    rng = np.random.default_rng(0)
    days, cause = rng.exponential(5.0, 4_000), rng.integers(0, 3, 4_000)
    weight = known_state_weights(days, cause, np.array([2.0, 6.0]), estimate_censoring(days, cause > 0))
    np.testing.assert_allclose(weight.mean(axis=0), 1.0, atol=0.02)


def test_ipcw_recovers_the_brier_score_of_the_uncensored_cohort() -> None:
    rng = np.random.default_rng(6)
    n, times = 20_000, np.array([1.0, 3.0])
    rate = np.exp(rng.normal(-1.0, 0.7, n))
    own, other, end = rng.exponential(1 / rate), rng.exponential(6.0, n), rng.exponential(6.0, n)
    days, cause = np.minimum(own, other), np.where(own < other, 1, 2)
    total = rate + 1.0 / 6.0
    risk = (rate / total)[:, None] * (1.0 - np.exp(-np.outer(total, times)))
    seen, seen_cause = np.minimum(days, end), np.where(days <= end, cause, 0)
    full = brier_scores(days, cause, risk, times, estimate_censoring(days, cause > 0))
    found = brier_scores(seen, seen_cause, risk, times, estimate_censoring(seen, seen_cause > 0))
    np.testing.assert_allclose(found, full, atol=0.006)


def test_the_mean_of_a_constant_curve_is_the_constant() -> None:
    assert integrate(np.full(4, 0.2), np.array([1.0, 2.0, 5.0, 9.0])) == pytest.approx(0.2)


def test_someone_who_died_of_another_cause_is_a_control_unless_censored() -> None:
    days, cause = np.array([1.0, 2.0, 9.0]), np.array([2, 1, 0])
    risk = np.array([0.9, 0.5, 0.1])
    censoring = estimate_censoring(days, cause > 0)
    assert dynamic_auc(days, cause, risk, 5.0, censoring) == 0.5
    assert dynamic_auc(days, cause, risk, 5.0, censoring, competing="censored") == 1.0


def test_a_horizon_before_the_first_event_has_no_auc() -> None:
    days, cause = np.array([3.0, 4.0]), np.array([1, 1])
    with pytest.raises(CohortError, match="horizon"):
        dynamic_auc(days, cause, np.array([1.0, 2.0]), 1.0, estimate_censoring(days, cause > 0))


def test_the_brier_score_is_the_mean_of_weighted_squares_however_many_cases() -> None:
    rng = np.random.default_rng(4)
    n, times = 5_000, np.array([2.0, 4.0, 7.0])
    days, cause = rng.integers(1, 10, n).astype(float), rng.integers(0, 3, n)
    risk = np.asfortranarray(rng.random((n, 3)))
    censoring = estimate_censoring(days, cause > 0)
    squares = (had_event(days, cause, times) - risk) ** 2
    expected = known_state_weights(days, cause, times, censoring) * squares
    np.testing.assert_array_equal(brier_contributions(days, cause, risk, times, censoring), expected)
    found = brier_scores(days, cause, risk, times, censoring)
    np.testing.assert_allclose(found, expected.mean(axis=0), rtol=1e-12)
