"""The shared read-out finds planted effects, and convex weights favour the member that knows more."""

from __future__ import annotations

import numpy as np
import pytest

from prognosis.cohort.target import Target
from prognosis.evidence.logistic import fit_logistic_ridge
from prognosis.evidence.readout import cause_log_likelihood, fit_readout, patient_weights
from prognosis.evidence.stack import convex_weights


def _survival(cases: int = 400, seed: int = 0) -> tuple[np.ndarray, Target]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(cases, 6)) * 3.0 + 1.0
    first = rng.exponential(np.exp(-0.4 * features[:, 0]))
    second = rng.exponential(2.0 * np.exp(0.3 * features[:, 1]))
    days = np.minimum(first, second)
    cause = np.where(first < second, 1, 2).astype(np.int64)
    return features, Target(("a", "b"), cause, days, np.array([0.0, 1.0]), survival=True)


def _classes(cases: int = 600, seed: int = 0) -> tuple[np.ndarray, Target]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(cases, 5))
    odds = np.column_stack([np.zeros(cases), 1.2 * features[:, 0], -0.9 * features[:, 1]])
    cause = (odds + rng.gumbel(size=odds.shape)).argmax(axis=1).astype(np.int64)
    edges = np.array([0.0, 1.0])
    return features, Target(("mild", "severe"), cause, np.full(cases, 0.5), edges, survival=False)


def test_each_cause_has_the_effects_of_its_own_hazard() -> None:
    features, target = _survival()
    readout = fit_readout(features, target, np.arange(400) % 3)
    np.testing.assert_allclose(readout.coefficients[:2], [[0.4, 0.0], [0.0, -0.3]], atol=0.1)
    np.testing.assert_allclose(readout.evidence(features).mean(axis=0), 0.0, atol=1e-12)


def test_each_class_has_the_log_odds_of_the_softmax() -> None:
    features, target = _classes()
    readout = fit_readout(features, target, np.arange(600) % 3)
    np.testing.assert_allclose(readout.coefficients[:2], [[1.2, 0.0], [0.0, -0.9]], atol=0.25)


def test_the_logistic_ridge_equals_that_of_scikit_learn() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    features, target = _classes(200)
    positive = target.cause == 1
    ours = fit_logistic_ridge(features, positive, 4.0, np.ones(200))
    theirs = linear_model.LogisticRegression(C=0.25, tol=1e-12, max_iter=2000).fit(features, positive)
    np.testing.assert_allclose(ours.coefficients, theirs.coef_[0], atol=1e-6)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], abs=1e-6)


def test_many_features_and_few_cases_still_give_a_read_out() -> None:
    features, target = _survival(90)
    wide = np.concatenate([features, np.random.default_rng(1).normal(size=(90, 300))], axis=1)
    readout = fit_readout(wide, target, np.arange(90) % 3)
    assert np.isfinite(readout.coefficients).all()
    assert readout.coefficients.shape == (306, 2)


def test_a_cause_with_four_events_has_no_evidence() -> None:
    features, target = _survival(100)
    cause = np.zeros(100, dtype=np.int64)
    cause[:4], cause[4:40] = 2, 1
    rare = Target(target.causes, cause, target.days, target.edges, survival=True)
    readout = fit_readout(features, rare, np.arange(100) % 3)
    assert not readout.coefficients[:, 1].any()
    assert np.isinf(readout.penalties[1])


def test_the_member_that_knows_more_gets_the_weight() -> None:
    features, target = _survival()
    truth = np.column_stack([0.4 * features[:, 0], -0.3 * features[:, 1]])
    noise = np.random.default_rng(2).normal(size=truth.shape)
    assert convex_weights(noise, truth, target).min() > 0.7
    assert convex_weights(truth, noise, target).max() < 0.2


def test_with_few_events_per_feature_the_second_member_is_shrunk() -> None:
    features, target = _survival()
    truth = np.column_stack([0.4 * features[:, 0], -0.3 * features[:, 1]])
    noise = np.random.default_rng(2).normal(size=truth.shape)
    assert convex_weights(noise, truth, target, features=400).max() < 0.1


def test_true_evidence_is_likelier_than_none_on_both_kinds_of_target() -> None:
    features, target = _classes()
    assert cause_log_likelihood(target, 0, 1.2 * features[:, 0]) > cause_log_likelihood(
        target, 0, 0.0 * features[:, 0]
    )
    features, target = _survival()
    assert cause_log_likelihood(target, 0, 0.4 * features[:, 0]) > cause_log_likelihood(
        target, 0, 0.0 * features[:, 0]
    )


def test_a_patient_with_many_cases_counts_once() -> None:
    weights = patient_weights(np.array(["a", "a", "a", "b"]))
    np.testing.assert_allclose(weights[:3].sum(), weights[3])
    assert weights.mean() == pytest.approx(1.0)


def test_where_few_of_many_features_matter_the_others_are_shrunk_further() -> None:
    rng = np.random.default_rng(5)
    features = rng.normal(size=(800, 60))
    log_hazard = features[:, 0] - 0.7 * features[:, 1]
    days = rng.exponential(np.exp(-log_hazard))
    edges = np.quantile(days, np.linspace(0.0, 1.0, 6))
    edges[0] = 0.0
    target = Target(("event",), np.ones(800, dtype=np.int64), days, edges, survival=True)
    found = fit_readout(features, target, np.arange(800) % 3).coefficients[:, 0]
    assert np.abs(found[2:]).mean() < 0.02
    np.testing.assert_allclose(found[:2], [1.0, -0.7], atol=0.12)


def test_where_three_of_sixty_features_matter_the_others_all_but_vanish() -> None:
    """One sizing leaves them 0.007 on average (0.042 without); more are taken as cases left out gain."""
    rng = np.random.default_rng(3)
    features = rng.normal(size=(900, 60))
    odds = 0.6 * (features[:, 0] - features[:, 1] + features[:, 2])
    cause = (rng.random(900) < 1.0 / (1.0 + np.exp(-odds))).astype(np.int64)
    target = Target(("event",), cause, np.full(900, 0.5), np.array([0.0, 1.0]), survival=False)
    found = fit_readout(features, target, np.arange(900) % 3).coefficients[:, 0]
    np.testing.assert_allclose(found[:3], [0.6, -0.6, 0.6], atol=0.15)
    assert np.abs(found[3:]).mean() < 0.002


def test_evidence_known_from_elsewhere_is_left_to_it() -> None:
    rng = np.random.default_rng(6)
    features = rng.normal(size=(1500, 1))
    other = features[:, 0] + rng.normal(size=1500)
    positive = rng.random(1500) < 1.0 / (1.0 + np.exp(-other))
    target = Target(
        ("ill",), positive.astype(np.int64), np.full(1500, 0.5), np.array([0.0, 1.0]), survival=False
    )
    alone = fit_readout(features, target, np.arange(1500) % 3).coefficients[0, 0]
    beside = fit_readout(features, target, np.arange(1500) % 3, offset=other[:, None]).coefficients[0, 0]
    assert alone > 0.6
    assert abs(beside) < 0.2


def test_a_rare_cause_learns_from_what_it_shares_with_a_common_one() -> None:
    rng = np.random.default_rng(7)
    features = rng.normal(size=(1200, 30))
    truth = features @ np.concatenate([np.full(6, 0.4), np.zeros(24)])
    common, rare = (rng.exponential(mean * np.exp(-truth)) for mean in (1.0, 12.0))
    days = np.minimum(common, rare)
    cause = np.where(rare < common, 2, 1).astype(np.int64)
    edges = np.array([0.0, *np.quantile(days, [0.25, 0.5, 0.75]), float(days.max())])
    target = Target(("common", "rare"), cause, days, edges, survival=True)
    alone = Target(("rare",), (cause == 2).astype(np.int64), days, edges, survival=True)
    both = fit_readout(features, target, np.arange(1200) % 3).evidence(features)[:, 1]
    by_itself = fit_readout(features, alone, np.arange(1200) % 3).evidence(features)[:, 0]
    assert np.corrcoef(both, truth)[0, 1] > 0.95 > np.corrcoef(by_itself, truth)[0, 1]
