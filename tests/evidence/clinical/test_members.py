"""The members of the clinical stack: rows they learn from, tables they become, weights they get."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from prognosis.cohort.target import Target, event_quantile_edges
from prognosis.evidence.clinical.boosting import TreeSettings
from prognosis.evidence.clinical.log_time import log_time
from prognosis.evidence.clinical.person_steps import person_steps, step_of_bin
from prognosis.evidence.clinical.tree_algebra import added, fixed, scaled
from prognosis.evidence.clinical.trees import TrainingRows, fit_tree_members
from prognosis.evidence.clinical.weights import cause_outcome, member_weights
from prognosis.evidence.stack import trust
from tests.evidence.clinical.grown import grown


def _target(days: np.ndarray, cause: np.ndarray, bins: int = 8) -> Target:
    causes = tuple(f"cause {k}" for k in range(1, max(1, int(cause.max())) + 1))
    return Target(causes, cause, days, event_quantile_edges(days, cause > 0, bins), survival=True)


def _rows(cases: int = 600, seed: int = 0) -> TrainingRows:
    """Two causes; the first column's effect on cause 1 changes sign at time 0.7."""
    rng = np.random.default_rng(seed)
    raw = rng.normal(size=(cases, 3))
    raw[rng.random(raw.shape) < 0.1] = np.nan
    x, y = np.nan_to_num(raw[:, 0]), np.nan_to_num(raw[:, 1])
    early = rng.exponential(2.0 * np.exp(-0.8 * x))
    first = np.where(early < 0.7, early, 0.7 + rng.exponential(np.exp(0.8 * x)))
    second = rng.exponential(2.0 * np.exp(-0.8 * y))
    ends = rng.uniform(0.5, 3.0, cases)
    days = np.minimum(np.minimum(first, second), ends)
    cause = np.where(days == first, 1, np.where(days == second, 2, 0)).astype(np.int64)
    return TrainingRows(raw, _target(days, cause), np.arange(cases) % 3, np.ones(cases))


def test_person_steps_hold_each_case_once_for_each_step_that_it_entered() -> None:
    rows = _rows()
    cut = person_steps(rows.target, rows.weights, 4)
    last = step_of_bin(rows.target.bins, 4)[rows.target.bin_of()]
    expected = {(case, step) for case, own in enumerate(last) for step in range(own + 1)}
    found = list(zip(cut.case.tolist(), cut.step.tolist(), strict=True))
    assert len(found) == len(set(found))
    assert set(found) <= expected
    # All are there, but for the last step of someone censored at its very start.
    assert all(step == last[case] > 0 for case, step in expected - set(found))
    assert np.all(cut.weight[cut.step < last[cut.case]] == 1.0)
    assert (cut.outcome > 0).sum() == (rows.target.cause > 0).sum()
    assert np.all(cut.weight[cut.outcome > 0] == 1.0)


def test_the_baseline_of_a_step_is_the_share_of_each_outcome() -> None:
    days, cause = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1, 2, 1, 0])
    target = Target(("a", "b"), cause, days, np.array([0.0, 2.0, 4.0]), survival=True)
    cut = person_steps(target, np.ones(4), 2)
    np.testing.assert_allclose(np.exp(cut.baseline[0]), [0.5, 0.25, 0.25])
    np.testing.assert_allclose(np.exp(cut.baseline[1]), [0.5, 0.5, 1e-6])


def test_trees_with_a_column_fixed_are_the_trees_at_that_value() -> None:
    own, raw = grown("survival:cox", 4)
    for value in (-0.5, 0.0, 1.3):
        known = raw.copy()
        known[:, 1] = value
        cut = fixed(own.leaves, 1, value)
        np.testing.assert_allclose(cut.margin(raw), own.leaves.margin(known), atol=1e-12)
        assert not (cut.asked & (cut.feature == 1)).any()


def test_margins_of_added_and_scaled_trees_add_and_scale() -> None:
    (first, raw), (second, _) = grown("survival:cox", 2), grown("survival:cox", 4)
    both = added([first.leaves, scaled(second.leaves, -2.0)])
    expected = first.leaves.margin(raw) - 2.0 * second.leaves.margin(raw)
    np.testing.assert_allclose(both.margin(raw), expected, atol=1e-12)


def test_the_discrete_hazard_learns_an_effect_that_changes_sign_and_the_others_cannot() -> None:
    settings = TreeSettings(members=("boosted_cox", "boosted_hazard"), depths=(2,), rounds=200)
    members = {own.kind: own for own in fit_tree_members(_rows(2500), settings, 0)}
    high = np.array([[0.6, 0.0, 0.0], [-0.6, 0.0, 0.0]])
    hazard = members["boosted_hazard"].margins(high)[:, 0]
    assert hazard.shape[1] == 5
    assert hazard[0, 0] > hazard[1, 0]
    assert hazard[0, -1] < hazard[1, -1]
    assert members["boosted_cox"].margins(high).shape[2] == 1


def test_a_longer_log_time_is_a_lower_risk() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=400)
    days = rng.exponential(np.exp(-x))
    target = _target(days, np.ones(400, dtype=np.int64))
    rows = TrainingRows(x[:, None], target, np.arange(400) % 3, np.ones(400))
    margin = fit_tree_members(rows, TreeSettings(members=("boosted_aft",), rounds=40), 0)[0].margins(rows.raw)
    assert np.corrcoef(margin[:, 0, 0], x)[0, 1] > 0.7


def test_the_spread_of_log_time_allows_for_censoring() -> None:
    rng = np.random.default_rng(1)
    log_days = rng.normal(4.0, 0.8, 4000)
    ends = rng.normal(4.2, 1.0, 4000)
    days, event = np.exp(np.minimum(log_days, ends)), log_days <= ends
    assert log_time(days, event, np.ones(4000), np.zeros(4000)).spread == pytest.approx(0.8, abs=0.04)
    z = (np.log(days) - 4.0) / 0.8
    at_truth = np.where(event, norm.logpdf(z) - np.log(0.8), norm.logsf(z)).sum()
    z = (np.log(days) - 4.0) / 0.9
    assert at_truth > np.where(event, norm.logpdf(z) - np.log(0.9), norm.logsf(z)).sum()


def test_the_member_that_knows_gets_the_weight() -> None:
    rng = np.random.default_rng(5)
    truth = rng.normal(size=(3000, 1))
    days = rng.exponential(np.exp(-truth[:, 0]))
    outcome = cause_outcome(
        _target(days, np.ones(3000, dtype=np.int64), 12), 0, np.ones(3000), np.zeros(3000)
    )
    assert outcome.slope(0.5 * truth) == pytest.approx(2.0, abs=0.12)
    noise = rng.normal(size=(3000, 1))
    factors = member_weights([noise, 0.5 * truth], outcome, np.array([True, True]), 1.0)
    assert factors[1] == pytest.approx(1.0, abs=0.05)
    assert factors.sum() == pytest.approx(1.0)


def test_a_noisier_copy_keeps_a_share_where_events_are_few_and_less_of_it_where_they_are_many() -> None:
    rng = np.random.default_rng(8)
    truth = rng.normal(size=(200, 1))
    noisier = truth + 0.8 * rng.normal(size=(200, 1))
    days = rng.exponential(np.exp(-truth[:, 0]))
    shares = []
    for times in (1, 20):
        alike = _target(np.tile(days, times), np.ones(200 * times, dtype=np.int64))
        outcome = cause_outcome(alike, 0, np.ones(200 * times), np.zeros(200 * times))
        parts = [np.tile(truth, (times, 1)), np.tile(noisier, (times, 1))]
        shares.append(member_weights(parts, outcome, np.array([True, True]), 1.0)[1])
    assert shares[0] > 0.1
    assert shares[1] < 0.7 * shares[0]


def test_members_on_different_scales_are_brought_to_one() -> None:
    rng = np.random.default_rng(9)
    truth = rng.normal(size=(3000, 2))
    days = rng.exponential(np.exp(-truth.sum(axis=1)))
    outcome = cause_outcome(
        _target(days, np.ones(3000, dtype=np.int64), 12), 0, np.ones(3000), np.zeros(3000)
    )
    parts = [truth[:, :1], 0.5 * truth[:, 1:]]
    factors = member_weights(parts, outcome, np.array([True, True]), 1.0)
    assert factors[1] / factors[0] == pytest.approx(2.0, rel=0.2)


def test_trees_are_shrunk_toward_the_linear_member_below_ten_events_a_feature() -> None:
    assert trust(500, 50) == 1.0
    assert trust(50, 50) == pytest.approx(0.1)
    assert trust(3, 1) == 0.0
    rng = np.random.default_rng(6)
    truth = rng.normal(size=(800, 1))
    days = rng.exponential(np.exp(-truth[:, 0]))
    outcome = cause_outcome(_target(days, np.ones(800, dtype=np.int64)), 0, np.ones(800), np.zeros(800))
    close = truth + 0.1 * rng.normal(size=(800, 1))
    factors = member_weights([close, truth], outcome, np.array([True, True]), 0.1)
    assert factors[1] < 0.12 < factors[0]


def test_a_member_that_learned_nothing_has_no_weight() -> None:
    rng = np.random.default_rng(7)
    truth = rng.normal(size=(500, 1))
    days = rng.exponential(np.exp(-truth[:, 0]))
    outcome = cause_outcome(_target(days, np.ones(500, dtype=np.int64)), 0, np.ones(500), np.zeros(500))
    factors = member_weights([truth, np.zeros((500, 1))], outcome, np.array([True, False]), 1.0)
    np.testing.assert_allclose(factors, [1.0, 0.0])


def test_where_the_linear_member_misleads_trees_still_keep_no_more_than_their_trust() -> None:
    rng = np.random.default_rng(12)
    truth = rng.normal(size=(800, 1))
    days = rng.exponential(np.exp(-truth[:, 0]))
    outcome = cause_outcome(_target(days, np.ones(800, dtype=np.int64)), 0, np.ones(800), np.zeros(800))
    factors = member_weights([-truth, truth], outcome, np.array([True, True]), 0.3)
    np.testing.assert_allclose(factors, [0.0, 0.3])


def test_the_brier_score_is_integrated_by_the_trapezoid_rule() -> None:
    days = np.random.default_rng(13).exponential(1.0, 400)
    target = _target(days, np.ones(400, dtype=np.int64), 8)
    inner = target.edges[1:-1]
    outcome = cause_outcome(target, 0, np.ones(400), np.zeros(400))
    straight = 3.0 * inner + 1.0
    average = np.trapezoid(straight, inner) / (inner[-1] - inner[0])
    assert outcome.spans @ straight == pytest.approx(average)


def test_breslow_curves_of_no_evidence_are_the_population() -> None:
    rng = np.random.default_rng(8)
    days = rng.exponential(1.0, 4000)
    target = _target(days, np.ones(4000, dtype=np.int64), 20)
    outcome = cause_outcome(target, 0, np.ones(4000), np.zeros(4000))
    curve = outcome.survival(np.zeros((1, 1)))[0]
    np.testing.assert_allclose(curve, np.exp(-target.edges[1:-1]), atol=0.04)
