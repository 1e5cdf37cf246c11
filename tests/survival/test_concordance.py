"""Concordance: definition by brute force, invariances, competing events."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from prognosis.errors import CohortError
from prognosis.survival.censoring import estimate_censoring
from prognosis.survival.concordance import Competing, harrell_c, harrell_statistic, uno_c, uno_statistic
from prognosis.survival.statistic import Stratified

Cohort = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]


@st.composite
def cohorts(draw: st.DrawFn, causes: int = 2) -> Cohort:
    n = draw(st.integers(6, 30))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    days = rng.integers(1, draw(st.sampled_from([4, 100])), n).astype(float)
    cause = rng.integers(0, causes + 1, n)
    cause[0], days[0], days[1] = 1, 1.0, 200.0
    return days, cause, rng.integers(0, draw(st.sampled_from([2, 50])), n).astype(float)


def pair_by_pair(cohort: Cohort, weights: NDArray[np.float64], competing: Competing) -> float:
    days, cause, risk = cohort
    agreed = compared = 0.0
    for i in np.flatnonzero(cause == 1):
        for j in range(len(days)):
            other_cause = cause[j] > 1
            outlives = days[j] > days[i] or (days[j] == days[i] and cause[j] != 1)
            free_for_ever = other_cause and competing == "event_free"
            if outlives or free_for_ever:
                weight = weights[i] * weights[j]
                compared += weight
                agreed += weight * ((risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j]))
    return agreed / compared


@settings(deadline=None, derandomize=True, max_examples=60)
@given(cohorts(), st.sampled_from(["event_free", "censored"]), st.integers(0, 100))
def test_harrells_c_counts_exactly_the_comparable_pairs(
    cohort: Cohort, competing: Competing, seed: int
) -> None:
    weights = np.random.default_rng(seed).integers(1, 4, len(cohort[0])).astype(float)
    found = harrell_c(*cohort, competing=competing, weights=weights)
    assert found.value == pytest.approx(pair_by_pair(cohort, weights, competing), abs=1e-12)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(cohorts(), st.randoms(use_true_random=False))
def test_order_of_cases_does_not_matter(cohort: Cohort, random: st.DataObject) -> None:
    order = list(range(len(cohort[0])))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = tuple(part[order] for part in cohort)
    assert harrell_c(*shuffled).value == pytest.approx(harrell_c(*cohort).value, abs=1e-12)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(cohorts())
def test_reversing_the_risk_reverses_the_concordance(cohort: Cohort) -> None:
    days, cause, risk = cohort
    assert harrell_c(days, cause, -risk).value == pytest.approx(1.0 - harrell_c(*cohort).value, abs=1e-12)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(cohorts())
def test_only_the_order_of_risks_matters(cohort: Cohort) -> None:
    days, cause, risk = cohort
    censoring = estimate_censoring(days, cause > 0)
    tau = float(days.max())
    raw = uno_c(days, cause, risk, censoring, tau)
    transformed = uno_c(days, cause, np.exp(risk / 10.0), censoring, tau)
    assert transformed.value == pytest.approx(raw.value, abs=1e-12)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(cohorts())
def test_a_case_of_weight_two_is_the_case_twice(cohort: Cohort) -> None:
    weights = np.ones(len(cohort[0]))
    weights[2:4] = 2.0
    twice = tuple(np.concatenate([part, part[2:4]]) for part in cohort)
    weighted = harrell_c(*cohort, weights=weights)
    assert weighted.value == pytest.approx(harrell_c(*twice).value, abs=1e-12)


def test_without_censoring_and_truncation_uno_is_harrell() -> None:
    rng = np.random.default_rng(5)
    days, cause = rng.exponential(10.0, 200), np.ones(200, dtype=np.int64)
    risk = -days + rng.normal(0.0, 5.0, 200)
    censoring = estimate_censoring(days, cause > 0)
    uno = uno_c(days, cause, risk, censoring, tau=float(days.max()) + 1.0)
    assert uno.value == pytest.approx(harrell_c(days, cause, risk).value, abs=1e-12)


def test_a_perfect_ranking_of_distinct_times_has_concordance_one() -> None:
    days = np.arange(1.0, 30.0)
    cause = np.arange(29) % 2
    assert harrell_c(days, cause, -days).value == 1.0


def test_equal_risks_have_concordance_one_half() -> None:
    days, cause = np.arange(1.0, 30.0), np.ones(29, dtype=np.int64)
    assert harrell_c(days, cause, np.zeros(29)).value == 0.5


def test_a_competing_death_before_the_event_counts_as_free_of_it_unless_censored() -> None:
    days, cause, risk = np.array([1.0, 2.0, 3.0]), np.array([2, 1, 0]), np.array([9.0, 5.0, 1.0])
    assert harrell_c(days, cause, risk, competing="event_free").value == 0.5
    assert harrell_c(days, cause, risk, competing="censored").value == 1.0


def test_unos_weights_undo_independent_censoring_with_competing_events() -> None:
    """With 20,000 people the IPCW concordance of a censored cohort is that of the uncensored one."""
    rng = np.random.default_rng(8)
    n = 20_000
    risk = rng.normal(size=n)
    own, other = rng.exponential(np.exp(1.0 - risk)), rng.exponential(4.0, n)
    days, cause = np.minimum(own, other), np.where(own < other, 1, 2)
    censored_at = rng.exponential(5.0, n)
    seen, seen_cause = np.minimum(days, censored_at), np.where(days <= censored_at, cause, 0)
    full = uno_c(days, cause, risk, estimate_censoring(days, cause > 0), 5.0)
    found = uno_c(seen, seen_cause, risk, estimate_censoring(seen, seen_cause > 0), 5.0)
    assert found.value == pytest.approx(full.value, abs=0.01)


def test_a_cohort_without_events_is_refused() -> None:
    with pytest.raises(CohortError):
        harrell_c(np.array([1.0, 2.0]), np.array([0, 0]), np.array([1.0, 2.0]))


def test_strata_form_no_pairs_with_each_other() -> None:
    days, cause = np.array([1.0, 2.0, 1.0, 2.0]), np.ones(4, dtype=np.int64)
    risk = np.array([2.0, 1.0, 20.0, 10.0])
    rows = (np.array([0, 1]), np.array([2, 3]))
    parts = tuple(harrell_statistic(days[here], cause[here], risk[here]) for here in rows)
    sums = Stratified(rows, parts).sums(np.ones((1, 4)))
    assert sums.denominator[0] == 2.0
    assert sums.ratio()[0] == 1.0


def test_many_weightings_at_once_equal_one_at_a_time() -> None:
    rng = np.random.default_rng(2)
    days, cause, risk = rng.integers(1, 40, 150).astype(float), rng.integers(0, 3, 150), rng.normal(size=150)
    statistic = uno_statistic(days, cause, risk, estimate_censoring(days, cause > 0), 30.0)
    weights = rng.integers(0, 3, (5, 150)).astype(float)
    together = statistic.sums(weights).ratio()
    alone = [statistic.counts(row).value for row in weights]
    np.testing.assert_allclose(together, alone, atol=1e-12)


def test_unos_pairs_with_a_competing_event_weigh_both_ends() -> None:
    rng = np.random.default_rng(3)
    days, cause, risk = rng.integers(1, 9, 60).astype(float), rng.integers(0, 3, 60), rng.integers(0, 9, 60)
    censoring = estimate_censoring(days, cause > 0)
    weight, tau = censoring.event_weight(days), 8.0
    agreed = compared = 0.0
    for i in np.flatnonzero((cause == 1) & (days < tau)):
        for j in range(60):
            if days[j] > days[i] or (days[j] == days[i] and cause[j] == 0):
                pair = weight[i] ** 2
            elif cause[j] == 2 and days[j] < tau:
                pair = weight[i] * weight[j]
            else:
                continue
            compared += pair
            agreed += pair * ((risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j]))
    found = uno_c(days, cause, risk.astype(float), censoring, tau)
    assert found.value == pytest.approx(agreed / compared, abs=1e-12)
