"""AJ-calibration: distance of mean predicted from observed incidence, and its test."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from prognosis.errors import CohortError
from prognosis.survival.curves import aalen_johansen
from prognosis.survival.incidence_calibration import incidence_calibration, incidence_calibration_by_risk

TIMES = np.linspace(1.0, 12.0, 12)
Floats = NDArray[np.float64]


def two_causes(n: int, seed: int) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Follow-up, cause, and the true incidence of cause 1 at `TIMES`; a third is censored."""
    rng = np.random.default_rng(seed)
    marker = rng.normal(size=n)
    first, second = 0.10 * np.exp(0.7 * marker), 0.05 * np.exp(-0.3 * marker)
    time, end = rng.exponential(1.0 / (first + second)), rng.uniform(2.0, 25.0, n)
    kind = np.where(rng.random(n) < first / (first + second), 1, 2)
    rate = (first + second)[:, None]
    truth = (first / (first + second))[:, None] * (1.0 - np.exp(-rate * TIMES))
    return np.minimum(time, end), np.where(time <= end, kind, 0), truth


def test_the_observed_curve_as_everyones_prediction_has_no_distance() -> None:
    days, cause, _ = two_causes(100, 1)
    curve = aalen_johansen(days, cause, 2)[0].at(TIMES)
    found = incidence_calibration(days, cause, np.tile(curve, (100, 1)), TIMES)
    assert found.largest == pytest.approx(0.0, abs=1e-12)
    assert found.mean_absolute == pytest.approx(0.0, abs=1e-12)
    assert found.p_value == 1.0


def test_true_incidences_pass_and_raised_ones_do_not() -> None:
    days, cause, truth = two_causes(1_000, 2)
    right = incidence_calibration(days, cause, truth, TIMES)
    raised = incidence_calibration(days, cause, np.minimum(1.3 * truth, 1.0), TIMES)
    assert right.p_value > 0.05
    assert raised.p_value < 0.001
    assert raised.mean_absolute > 3.0 * right.mean_absolute


def test_the_test_rejects_the_truth_about_as_often_as_it_says() -> None:
    rejected = sum(
        incidence_calibration(*two_causes(150, seed)[:2], two_causes(150, seed)[2], TIMES).p_value < 0.05
        for seed in range(200)
    )
    assert 0.01 <= rejected / 200 <= 0.05 + 4.0 * np.sqrt(0.05 * 0.95 / 200)


def test_agreement_overall_can_hide_that_risks_are_too_alike() -> None:
    days, cause, truth = two_causes(3_000, 3)
    alike = np.tile(truth.mean(axis=0), (3_000, 1)) + 1e-3 * (truth - truth.mean(axis=0))
    overall = incidence_calibration(days, cause, alike, TIMES)
    low, _, high = incidence_calibration_by_risk(days, cause, alike, TIMES)
    assert overall.p_value > 0.05
    assert max(low.p_value, high.p_value) < 0.001
    assert low.predicted[-1] > low.observed[-1]
    assert high.predicted[-1] < high.observed[-1]


def test_groups_hold_everyone_once_and_equal_risks_together() -> None:
    days, cause, truth = two_causes(99, 4)
    groups = incidence_calibration_by_risk(days, cause, truth, TIMES)
    assert [group.cases for group in groups] == [33, 33, 33]
    flat = incidence_calibration_by_risk(days, cause, np.full((99, 12), 0.2), TIMES)
    assert [group.cases for group in flat] == [99]


def test_a_patient_given_twice_under_one_name_adds_no_certainty() -> None:
    days, cause, truth = two_causes(80, 5)
    once = incidence_calibration(days, cause, truth, TIMES)
    names = np.tile(np.arange(80).astype(str), 2)
    doubled = np.tile(days, 2), np.tile(cause, 2), np.tile(truth, (2, 1)), TIMES
    named = incidence_calibration(*doubled, clusters=names)
    nameless = incidence_calibration(*doubled)
    np.testing.assert_allclose(named.standard_error, once.standard_error)
    np.testing.assert_allclose(nameless.standard_error, once.standard_error / np.sqrt(2.0))


def test_without_censoring_the_standard_error_is_that_of_mean_outcomes() -> None:
    """Outcome less predicted risk, one term a person: their spread over the root of n."""
    rng = np.random.default_rng(6)
    days, cause = rng.exponential(5.0, 300), rng.integers(1, 3, 300)
    risk = rng.uniform(0.0, 0.5, (300, 1))
    found = incidence_calibration(days, cause, risk, np.array([4.0]))
    residual = ((days <= 4.0) & (cause == 1)) - risk[:, 0]
    assert found.standard_error[0] == pytest.approx(residual.std() / np.sqrt(300))


def test_with_too_few_cases_it_is_refused() -> None:
    days, cause, truth = two_causes(19, 0)
    with pytest.raises(CohortError, match="has 19 cases"):
        incidence_calibration(days, cause, truth, TIMES)
    with pytest.raises(CohortError, match="has 0 cases"):
        incidence_calibration(np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros((0, 1)), np.array([1.0]))
