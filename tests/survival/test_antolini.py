"""Antolini's concordance: crossing curves, invariances, weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from prognosis.errors import CohortError
from prognosis.survival import antolini
from prognosis.survival.antolini import RiskAt, antolini_c, antolini_statistic
from prognosis.survival.concordance import Competing, harrell_c
from prognosis.survival.statistic import once

Floats = NDArray[np.float64]
Cases = tuple[Floats, NDArray[np.int64], Floats]
choices = st.sampled_from(["event_free", "censored"])


@st.composite
def cases(draw: st.DrawFn) -> Cases:
    n = draw(st.integers(6, 30))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    days = rng.integers(1, draw(st.sampled_from([4, 100])), n).astype(float)
    cause = rng.integers(0, 3, n)
    cause[0], days[0], days[1] = 1, 1.0, 200.0
    return days, cause, rng.integers(0, draw(st.sampled_from([2, 50])), n).astype(float)


def parallel(marker: Floats) -> RiskAt:
    """Curves that never cross: a higher marker means a higher risk on every day."""
    return lambda at: 1.0 - np.exp(-np.exp(marker / 50.0)[:, None] * at / 100.0)


def crossing(marker: Floats) -> RiskAt:
    """Curves that cross: a higher marker rises later and steeper."""
    return lambda at: 1.0 - np.exp(-((at / 50.0) ** (0.5 + marker / 25.0)[:, None]))


@settings(deadline=None, derandomize=True, max_examples=60)
@given(cases(), choices)
def test_it_is_harrells_c_when_no_curves_cross(found: Cases, competing: Competing) -> None:
    days, cause, marker = found
    ours = antolini_c(days, cause, parallel(marker), competing=competing)
    assert ours == pytest.approx(harrell_c(days, cause, marker, competing=competing).value, abs=1e-12)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(cases(), choices)
def test_a_rising_transform_of_each_days_risks_changes_nothing(found: Cases, competing: Competing) -> None:
    days, cause, marker = found
    curves = crossing(marker)
    raw = antolini_c(days, cause, curves, competing=competing)
    risen = antolini_c(days, cause, lambda at: np.sqrt(curves(at)) + at, competing=competing)
    assert risen == pytest.approx(raw, abs=1e-12)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(cases(), choices)
def test_reversed_predictions_have_the_reversed_concordance(found: Cases, competing: Competing) -> None:
    days, cause, marker = found
    curves = crossing(marker)
    forward = antolini_c(days, cause, curves, competing=competing)
    backward = antolini_c(days, cause, lambda at: -curves(at), competing=competing)
    assert backward == pytest.approx(1.0 - forward, abs=1e-12)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(cases(), choices, st.integers(0, 100))
def test_a_weight_of_two_is_a_case_given_twice(found: Cases, competing: Competing, seed: int) -> None:
    days, cause, marker = found
    weights = np.random.default_rng(seed).integers(1, 4, len(days))
    copied = np.repeat(np.arange(len(days)), weights)
    weighted = antolini_c(
        days, cause, crossing(marker), competing=competing, weights=weights.astype(np.float64)
    )
    repeated = antolini_c(days[copied], cause[copied], crossing(marker[copied]), competing=competing)
    assert weighted == pytest.approx(repeated, abs=1e-12)


def test_the_risk_on_the_day_of_the_event_counts_and_not_the_risk_at_the_end() -> None:
    """The one who dies on day 1 is at the higher risk early and at the lower risk late."""
    curves = np.array([[0.5, 0.6], [0.1, 0.9]])
    found = antolini_c(
        np.array([1.0, 5.0]), np.array([1, 0]), lambda at: curves[:, np.searchsorted([1.0, 5.0], at)]
    )
    assert found == 1.0


def test_events_from_tau_on_do_not_count() -> None:
    days, cause = np.array([1.0, 2.0, 3.0]), np.array([1, 1, 0])
    wrong_late = parallel(np.array([9.0, 0.0, 5.0]))
    assert antolini_c(days, cause, wrong_late) == pytest.approx(2 / 3)
    assert antolini_c(days, cause, wrong_late, tau=2.0) == 1.0


def test_small_blocks_give_what_one_block_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    days, cause = rng.integers(1, 30, 200).astype(float), rng.integers(0, 3, 200)
    prepared = antolini_statistic(days, cause, crossing(rng.integers(0, 50, 200).astype(float)))
    weights = rng.integers(0, 3, (5, 200)).astype(float)
    whole = prepared.sums(weights)
    monkeypatch.setattr(antolini, "_BLOCK_ELEMENTS", 7 * 200)
    cut = prepared.sums(weights)
    np.testing.assert_allclose(cut.numerator, whole.numerator, rtol=1e-12)
    np.testing.assert_allclose(cut.denominator, whole.denominator, rtol=1e-12)


def test_without_a_comparable_pair_there_is_no_concordance() -> None:
    alone = np.array([2.0, 2.0]), np.array([1, 1])
    with pytest.raises(CohortError, match="no two cases"):
        antolini_c(*alone, parallel(np.array([1.0, 2.0])))
    nobody = antolini_statistic(np.array([2.0, 3.0]), np.array([0, 0]), parallel(np.array([1.0, 2.0])))
    assert np.isnan(nobody.sums(once(2)).ratio()[0])
