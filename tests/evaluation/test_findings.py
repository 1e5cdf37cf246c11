"""Judging findings: each where it is known, against independent software, and against its prevalence."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score
from sklearn.multiclass import OneVsRestClassifier

from prognosis.cohort import build_cohort
from prognosis.cohort.target import ABSENT, PRESENT, UNKNOWN
from prognosis.evaluation.class_metrics import prepare_classes
from prognosis.evaluation.finding_metrics import prepare_findings
from prognosis.evaluation.judging import evaluate_folds_of
from prognosis.evaluation.prevalence import Prevalence
from prognosis.evaluation.retraining import cross_validated_folds
from prognosis.evaluation.survival_metrics import PreparedMetrics
from prognosis.survival.classification import class_calibration_intercept
from tests.findings import CONFIG, FINDINGS, class_task, planted

CASES = 400
RNG = np.random.default_rng(0)
ONES = np.ones((1, CASES))
RISK = RNG.uniform(0.05, 0.95, (CASES, 2))
MARKS = np.where(RNG.random((CASES, 2)) < RISK, PRESENT, ABSENT).astype(np.int8)
MARKS[RNG.random(CASES) < 0.4, 1] = UNKNOWN
PATIENTS = np.array([f"p{row // 2}" for row in range(CASES)])
FOLD = np.zeros(CASES, dtype=np.int64)


def prepared(marks: np.ndarray = MARKS, risk: np.ndarray = RISK) -> PreparedMetrics:
    return prepare_findings(risk, marks, ("a", "b"), PATIENTS, FOLD)


def test_each_finding_is_judged_where_it_is_known_as_scikit_learn_judges_it() -> None:
    found = prepared().statistics
    expected = {"auroc": [], "average_precision": [], "brier": [], "log_loss": []}
    for place, name in enumerate(("a", "b")):
        rows = MARKS[:, place] != UNKNOWN
        truth, risk = MARKS[rows, place] == PRESENT, RISK[rows, place]
        own = {
            "auroc": roc_auc_score(truth, risk),
            "average_precision": average_precision_score(truth, risk),
            "brier": brier_score_loss(truth, risk),
            "log_loss": log_loss(truth, risk),
        }
        for kind, value in own.items():
            assert found[f"{kind}:{name}"](ONES)[0] == pytest.approx(value, abs=1e-12), kind
            expected[kind].append(value)
        free = LogisticRegression(C=1e9, tol=1e-10, max_iter=1000)
        slope = free.fit(np.log(risk / (1.0 - risk))[:, None], truth).coef_[0, 0]
        assert found[f"calibration_slope:{name}"](ONES)[0] == pytest.approx(slope, abs=1e-4)
    for kind, values in expected.items():
        assert found[kind](ONES)[0] == pytest.approx(np.mean(values), abs=1e-12), kind
    assert "calibration_slope" not in found


def test_what_is_predicted_where_a_finding_is_not_known_changes_nothing() -> None:
    junk = np.where(MARKS == UNKNOWN, 0.5, RISK)
    weights = np.random.default_rng(1).integers(0, 3, (20, CASES)).astype(np.float64)
    for name, statistic in prepared().statistics.items():
        np.testing.assert_array_equal(statistic(weights), prepared(risk=junk).statistics[name](weights), name)


def test_the_intercept_is_what_makes_the_mean_probability_right() -> None:
    truth, risk = MARKS[:, 0] == PRESENT, RISK[:, 0]
    too_low = 1.0 / (1.0 + np.exp(1.0 - np.log(risk / (1.0 - risk))))
    weights = np.random.default_rng(2).integers(0, 3, (5, CASES)).astype(np.float64)
    shift = class_calibration_intercept(truth, too_low)(weights)
    moved = np.log(too_low / (1.0 - too_low)) + shift[:, None]
    expected = (weights / (1.0 + np.exp(-moved))).sum(axis=1)
    np.testing.assert_allclose(expected, weights @ truth)
    np.testing.assert_allclose(shift, class_calibration_intercept(truth, risk)(weights) + 1.0)
    assert np.isnan(class_calibration_intercept(np.ones(CASES, dtype=bool), risk)(ONES)[0])


@pytest.mark.parametrize(
    ("state", "holds"), [(PRESENT, "every case"), (ABSENT, "no case"), (UNKNOWN, "no case")]
)
def test_a_finding_that_does_not_vary_is_refused_and_so_is_the_mean(state: int, holds: str) -> None:
    marks = MARKS.copy()
    marks[:, 1] = state
    found = prepared(marks)
    assert holds in found.refused["auroc:b"]
    assert found.refused["auroc"] == "it is not defined for every finding"
    assert ("brier:b" in found.statistics) == (state != UNKNOWN)
    assert "auroc:a" in found.bootstrap(50, seed=0).metrics


def test_one_finding_has_the_numbers_of_a_class_with_two_values() -> None:
    alone = prepare_findings(RISK[:, :1], MARKS[:, :1], ("a",), PATIENTS, FOLD).bootstrap(50, seed=0)
    both = np.column_stack([1.0 - RISK[:, 0], RISK[:, 0]])
    label = MARKS[:, 0].astype(np.int64)
    twin = prepare_classes(both, label, ("none", "a"), PATIENTS, FOLD).bootstrap(50, seed=0)
    assert set(twin.metrics) - set(alone.metrics) == {"accuracy"}
    for name, interval in alone.metrics.items():
        theirs = twin.metrics[name]
        assert (interval.value, interval.low, interval.high) == pytest.approx(
            (theirs.value, theirs.low, theirs.high), abs=1e-9
        )


def test_held_out_findings_reach_the_truth_as_one_against_rest_logistic_regression_does() -> None:
    known = planted(CASES, seed=5)
    cohort = known.cohort()
    folds = cross_validated_folds(cohort, CONFIG, 3, seed=0)
    judged = evaluate_folds_of(folds, seed=0, replicates=60, others={"prevalence": Prevalence})
    row_of = {record.patient_id: row for row, record in enumerate(known.records)}
    rows = [np.array([row_of[case.record.patient_id] for case in fold.cohort.cases]) for fold in folds]
    order = np.concatenate(rows)
    theirs = np.empty((CASES, 3))
    for held in rows:
        kept = np.setdiff1d(order, held)
        peer = OneVsRestClassifier(LogisticRegression()).fit(known.columns[kept], known.present[kept])
        theirs[held] = peer.predict_proba(known.columns[held])
    metrics = judged.result.result.metrics
    for place, name in enumerate(FINDINGS):
        here = order[known.known[order, place]]
        peer_auroc = roc_auc_score(known.present[here, place], theirs[here, place])
        oracle = roc_auc_score(known.present[here, place], known.log_odds[here, place])
        auroc = metrics[f"auroc:{name}"]
        assert auroc.value > peer_auroc - 0.02, name
        assert auroc.low <= oracle + 0.02, name
        assert metrics[f"calibration_slope:{name}"].low < 1.15, name
        assert metrics[f"calibration_slope:{name}"].high > 0.85, name
        assert abs(metrics[f"calibration_intercept:{name}"].value) < 0.3, name
    nothing = judged.result.members["prevalence"].metrics
    assert nothing["auroc"].value == 0.5
    gains = {c.metric: c.difference for c in judged.result.comparisons if c.b == "prevalence"}
    assert gains["auroc"].low > 0.1
    assert all(gains[f"brier:{name}"].high < 0.0 for name in FINDINGS)
    unknown = {name: int((~known.known[order, place]).sum()) for place, name in enumerate(FINDINGS)}
    assert dict(judged.result.unknown) == unknown
    assert dict(judged.result.events) == {
        name: int((known.present & known.known)[order, place].sum()) for place, name in enumerate(FINDINGS)
    }
    assert json.loads(json.dumps(judged.result.to_json(), allow_nan=False))["unknown"] == unknown
    assert len(judged.result.calibration) == 3


def test_the_prevalence_is_that_of_the_training_cases_in_which_a_finding_is_known() -> None:
    known = planted(100, seed=2)
    share = Prevalence(known.cohort()).cumulative_incidence([], np.array([1.0]))
    assert share.shape == (0, 3, 1)
    cohort = known.cohort()
    found = Prevalence(cohort).cumulative_incidence(cohort.cases[:2], np.array([1.0]))[1, :, 0]
    np.testing.assert_allclose(found, (known.present & known.known).sum(axis=0) / known.known.sum(axis=0))
    twin = build_cohort(class_task("nodule"), known.records)
    assert Prevalence(twin).cumulative_incidence(twin.cases[:1], np.array([1.0]))[0, 0, 0] == found[2]
