"""Restricted means, and how each person moves them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prognosis.errors import CohortError
from prognosis.survival.curves import aalen_johansen
from prognosis.survival.influence import days_lost_influence, incidence_influence
from prognosis.survival.restricted_mean import (
    predicted_days_lost,
    restricted_mean_lost,
    restricted_mean_survival,
)

seeds = st.integers(0, 10_000)


def test_without_an_event_all_days_are_lived() -> None:
    found = restricted_mean_survival(np.array([5.0, 9.0]), np.array([False, False]), 5.0)
    assert (found.days, found.variance) == (5.0, 0.0)


def test_without_censoring_it_is_the_mean_of_days_cut_at_tau_with_the_variance_of_a_mean() -> None:
    days = np.random.default_rng(1).exponential(5.0, 200)
    found = restricted_mean_survival(days, np.ones(200, dtype=bool), 6.0)
    cut = np.minimum(days, 6.0)
    assert found.days == pytest.approx(cut.mean())
    assert found.variance == pytest.approx(cut.var() / 200)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(seeds)
def test_days_lived_and_days_lost_to_each_cause_add_up_to_tau(seed: int) -> None:
    rng = np.random.default_rng(seed)
    days, cause = rng.integers(1, 15, 40).astype(float), rng.integers(0, 4, 40)
    tau = float(rng.uniform(1.0, days.max()))
    lost = sum(restricted_mean_lost(days, cause, tau, k).days for k in (1, 2, 3))
    assert lost + restricted_mean_survival(days, cause > 0, tau).days == pytest.approx(tau)


@settings(deadline=None, derandomize=True, max_examples=20)
@given(seeds)
def test_influence_is_the_derivative_in_a_persons_weight(seed: int) -> None:
    rng = np.random.default_rng(seed)
    days, cause = rng.integers(1, 12, 15).astype(float), rng.integers(0, 3, 15)
    times, step = np.array([2.0, 5.0, 11.5]), 1e-5
    found = incidence_influence(days, cause, 1, times)
    for person in range(15):
        change = step * (np.arange(15) == person)
        up, down = (aalen_johansen(days, cause, 2, 1.0 + sign * change)[0].at(times) for sign in (1, -1))
        np.testing.assert_allclose(found[person], (up - down) / (2.0 * step), atol=1e-8)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(seeds)
def test_influences_cancel_because_scaling_all_weights_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    days, cause = rng.integers(1, 12, 30).astype(float), rng.integers(0, 3, 30)
    assert np.abs(incidence_influence(days, cause, 1, np.array([3.0, 9.0])).sum(axis=0)).max() < 1e-12
    assert abs(days_lost_influence(days, cause, 2, 8.0).sum()) < 1e-10


def test_an_end_that_nobody_reaches_is_refused_unless_all_have_had_the_event() -> None:
    days = np.array([2.0, 4.0])
    with pytest.raises(CohortError, match="nobody is followed"):
        restricted_mean_survival(days, np.array([True, False]), 5.0)
    assert restricted_mean_survival(days, np.array([True, True]), 5.0).days == 3.0
    with pytest.raises(CohortError, match="restricted mean to 0 days"):
        restricted_mean_survival(days, np.array([True, True]), 0.0)


def test_predicted_days_lost_to_a_steady_risk_are_a_triangle() -> None:
    np.testing.assert_allclose(predicted_days_lost(np.array([[0.2, 0.4]]), np.array([5.0, 10.0])), [2.0])
