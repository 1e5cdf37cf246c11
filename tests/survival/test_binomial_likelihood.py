"""Proper scores: nothing scores better on average than the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from prognosis.survival.binomial_likelihood import LEAST_PROBABILITY, integrated_nbll, nbll
from prognosis.survival.brier import brier_scores
from prognosis.survival.censoring import estimate_censoring

NOBODY = np.array([False, False])


def test_without_censoring_it_is_the_mean_log_loss() -> None:
    rng = np.random.default_rng(0)
    days, risk = rng.exponential(5.0, 200), rng.uniform(0.05, 0.95, 200)
    everyone = np.ones(200, dtype=np.int64)
    found = nbll(days, everyone, risk[:, None], np.array([4.0]), estimate_censoring(days, everyone > 0))
    assert found[0] == pytest.approx(log_loss(days <= 4.0, risk), abs=1e-12)


def test_a_risk_of_one_half_costs_log_two() -> None:
    days, cause = np.array([1.0, 9.0]), np.array([1, 1])
    half = np.full((2, 2), 0.5)
    found = integrated_nbll(days, cause, half, np.array([2.0, 4.0]), estimate_censoring(days, cause > 0))
    assert found == pytest.approx(np.log(2.0))


def test_an_impossible_event_costs_much_but_not_infinity() -> None:
    days, cause = np.array([1.0, 9.0]), np.array([1, 1])
    never = np.zeros((2, 1))
    found = nbll(days, cause, never, np.array([2.0]), estimate_censoring(days, cause > 0))
    assert found[0] == pytest.approx(-np.log(LEAST_PROBABILITY) / 2.0, rel=1e-6)


def test_another_cause_by_then_counts_as_not_having_had_this_one() -> None:
    days, cause = np.array([1.0, 9.0]), np.array([2, 1])
    risk = np.array([[0.2], [0.2]])
    found = nbll(days, cause, risk, np.array([2.0]), estimate_censoring(days, cause > 0))
    assert found[0] == pytest.approx(-np.log(0.8))


@settings(deadline=None, derandomize=True, max_examples=20)
@given(st.integers(0, 1_000), st.sampled_from([-0.6, -0.3, 0.3, 0.6]))
def test_the_true_risk_beats_a_shifted_one_on_average_under_censoring(seed: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    rate, share = np.exp(rng.normal(-1.5, 0.7, 4_000)), rng.uniform(0.3, 0.9, 4_000)
    time, end = rng.exponential(1.0 / rate), rng.uniform(1.0, 12.0, 4_000)
    cause = np.where(time <= end, np.where(rng.random(4_000) < share, 1, 2), 0)
    times = np.array([1.0, 3.0, 5.0])
    truth = share[:, None] * (1.0 - np.exp(-rate[:, None] * times))
    odds = np.log(truth / (1.0 - truth)) + shift
    cases = np.minimum(time, end), cause
    censoring = estimate_censoring(cases[0], cause > 0)
    for score in (nbll, brier_scores):
        right = score(*cases, truth, times, censoring)
        wrong = score(*cases, 1.0 / (1.0 + np.exp(-odds)), times, censoring)
        assert (right < wrong).all()
