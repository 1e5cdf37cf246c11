"""All arms of one patient together: what is planted is found, whoever is named first; honest intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from prognosis.treatment.joint_effect import ScoredCases, fit_joint_effect, mixing_of

Floats = NDArray[np.float64]
ARMS = ("none", "one", "two")


def scored(cases: int, seed: int, modifier: float = 0.0, noise: float = 1.0) -> ScoredCases:
    """Scores whose mean is 2 + x0 + (0, 1, 0.5) + modifier x1 under the second arm, in noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(cases, 6))
    means = (2.0 + x[:, :1]) + np.array([0.0, 1.0, 0.5]) + modifier * np.outer(x[:, 1], [0.0, 1.0, 0.0])
    scores = means + noise * rng.normal(size=(cases, 3))
    patients = np.array([str(row) for row in range(cases)])
    return ScoredCases(x, scores, 2.5 + x[:, 0], patients, rng.integers(0, 5, cases))


def test_a_planted_modifier_is_found_and_alike_effects_are_left_alike() -> None:
    found = fit_joint_effect(scored(3000, 0, modifier=0.5), ARMS, None)
    slopes = found.per_unit("one", "none")
    assert slopes[1] == pytest.approx(0.5, abs=0.1)
    assert np.abs(np.delete(slopes, 1)).max() < 0.1
    assert not found.alike
    for seed in range(10):
        cases = scored(800, seed)
        worth = fit_joint_effect(cases, ARMS, None).worth(cases.covariates)
        assert (worth[:, 1] - worth[:, 0]).std() < 0.12


def test_which_arm_is_named_first_changes_nothing() -> None:
    cases = scored(500, 1, modifier=0.4)
    turned = ScoredCases(
        cases.covariates, cases.scores[:, ::-1], cases.prognosis, cases.patients, cases.folds
    )
    first, second = fit_joint_effect(cases, ARMS, None), fit_joint_effect(turned, ARMS[::-1], None)
    for row in cases.covariates[:5]:
        mine, theirs = first.of(row), second.of(row)
        for arm in ARMS:
            assert mine.of(arm).value == pytest.approx(theirs.of(arm).value)
            assert mine.of(arm).standard_error == pytest.approx(theirs.of(arm).standard_error)
        gaps = mine.difference("one", "two"), theirs.difference("one", "two")
        assert gaps[0].standard_error == pytest.approx(gaps[1].standard_error)


def test_a_difference_is_linear_in_the_covariates_to_the_last_digit() -> None:
    found = fit_joint_effect(scored(400, 2, modifier=0.7), ARMS, None)
    rng = np.random.default_rng(0)
    nothing = found.of(np.zeros(6)).difference("two", "one").value
    for x in rng.normal(size=(20, 6)):
        told = nothing + found.per_unit("two", "one") @ x
        assert found.of(x).difference("two", "one").value == pytest.approx(told, abs=1e-12)


def test_nine_in_ten_intervals_and_more_hold_the_true_effect() -> None:
    held = []
    for seed in range(30):
        cases = scored(400, 100 + seed, modifier=0.3)
        found = fit_joint_effect(cases, ARMS, None)
        for x in cases.covariates[:10]:
            gap = found.of(x).difference("one", "none")
            held.append(gap.low <= 1.0 + 0.3 * x[1] <= gap.high)
    assert np.mean(held) > 0.9


@given(level=st.floats(-0.5, 1.5))
def test_every_arm_stays_within_what_is_possible_and_differences_stay_as_they_are(level: float) -> None:
    found = fit_joint_effect(_shares(), ARMS, 1.0)
    x = np.zeros(6)
    free, bounded = fit_joint_effect(_shares(), ARMS, None).of(x), found.of(x, level)
    assert bounded.values.min() > 0.0
    assert bounded.values.max() < 1.0
    for pair in bounded.pairs():
        assert bounded.difference(*pair).value == pytest.approx(free.difference(*pair).value)


def _shares() -> ScoredCases:
    cases = scored(200, 3)
    return ScoredCases(cases.covariates, 0.1 * cases.scores, cases.prognosis, cases.patients, cases.folds)


@pytest.mark.parametrize("arms", [2, 3, 5])
def test_level_and_departures_give_back_the_arms(arms: int) -> None:
    mixing = mixing_of(arms)
    assert np.allclose(mixing[:, 0], 1.0)
    assert np.allclose(mixing[:, 1:].sum(axis=0), 0.0)
    assert np.allclose(mixing[:, 1:].T @ mixing[:, 1:], np.eye(arms - 1))


def test_who_hardly_risks_the_event_gains_less() -> None:
    """Days gained grow with risk: the direction of prognosis is not shrunk away."""
    rng = np.random.default_rng(5)
    cases = 2000
    x = rng.normal(size=(cases, 4))
    kept = 300.0 - 60.0 * x[:, 0]
    gained = 20.0 + 15.0 * x[:, 0]
    scores = np.column_stack([kept, kept + gained]) + rng.normal(0.0, 150.0, (cases, 2))
    patients = np.array([str(row) for row in range(cases)])
    own = ScoredCases(x, scores, kept + gained / 2.0, patients, rng.integers(0, 5, cases))
    found = fit_joint_effect(own, ("none", "drug"), 365.0)
    assert found.per_unit("drug", "none")[0] == pytest.approx(15.0, abs=8.0)
