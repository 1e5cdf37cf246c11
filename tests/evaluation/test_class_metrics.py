"""Judging class probabilities: one-class test sets are refused, patients are the unit."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from prognosis.errors import CohortError
from prognosis.evaluation.class_metrics import evaluate_classes, prepare_classes

RNG = np.random.default_rng(0)
RISK = RNG.uniform(0.02, 0.98, 300)
LABEL = (RNG.random(300) < RISK).astype(np.int64)
BOTH = np.column_stack([1.0 - RISK, RISK])
PATIENTS = np.array([f"p{number // 2}" for number in range(300)])


def test_honest_probabilities_are_accurate_and_calibrated() -> None:
    found = evaluate_classes(BOTH, LABEL, ("normal", "pneumonia"), PATIENTS, seed=1, replicates=200)
    metrics = found.result.metrics
    assert metrics["auroc"].value == pytest.approx(roc_auc_score(LABEL, RISK))
    assert metrics["calibration_slope"].low < 1.0 < metrics["calibration_slope"].high
    assert found.patients == 150
    assert found.events == {"normal": int((LABEL == 0).sum()), "pneumonia": int((LABEL == 1).sum())}
    json.dumps(found.to_json(), allow_nan=False)


@pytest.mark.parametrize("only", [0, 1])
def test_a_test_set_of_one_class_has_no_auroc_and_says_why(only: int) -> None:
    label = np.full(300, only)
    found = evaluate_classes(BOTH, label, ("normal", "pneumonia"), PATIENTS, seed=1, replicates=100)
    assert "pneumonia" in found.result.refused["auroc"]
    assert set(found.result.metrics) == {"accuracy", "brier", "log_loss"}
    json.dumps(found.to_json(), allow_nan=False)


def test_three_classes_are_each_judged_against_the_rest() -> None:
    probabilities = RNG.dirichlet(np.ones(3), 300)
    label = np.array([RNG.choice(3, p=row) for row in probabilities])
    found = evaluate_classes(probabilities, label, ("a", "b", "c"), PATIENTS, seed=1, replicates=100)
    metrics = found.result.metrics
    expected = np.mean([roc_auc_score(label == number, probabilities[:, number]) for number in (1, 2)])
    assert metrics["auroc"].value == pytest.approx(expected)
    assert {"auroc:b", "auroc:c", "average_precision:b", "calibration_slope:c"} <= set(metrics)


def test_a_class_absent_from_the_test_set_leaves_no_mean_auroc() -> None:
    probabilities = RNG.dirichlet(np.ones(3), 300)
    prepared = prepare_classes(probabilities, LABEL, ("a", "b", "c"), PATIENTS)
    assert "absent" in prepared.refused["auroc"]
    assert "auroc:b" in prepared.statistics


def test_the_auroc_of_folds_compares_cases_of_the_same_fold_only() -> None:
    fold = (np.arange(300) >= 150).astype(np.int64)
    shifted = np.where(fold == 0, RISK / 100.0, RISK)
    both = np.column_stack([1.0 - shifted, shifted])
    ones = np.ones((1, 300))
    within = prepare_classes(both, LABEL, ("a", "b"), PATIENTS, fold).statistics["auroc"](ones)[0]
    plain = prepare_classes(BOTH, LABEL, ("a", "b"), PATIENTS, fold).statistics["auroc"](ones)[0]
    assert within == pytest.approx(plain, abs=1e-12)


def test_constant_probabilities_have_bins_but_no_curve_and_no_slope() -> None:
    constant = np.full((300, 2), 0.5)
    found = evaluate_classes(constant, LABEL, ("a", "b"), PATIENTS, seed=1, replicates=100)
    assert found.calibration[0].cases == (300,)
    assert found.calibration[0].ici is None
    assert "calibration_slope" in found.result.refused
    assert found.result.metrics["auroc"].value == 0.5


def test_no_cases_are_refused() -> None:
    with pytest.raises(CohortError, match="no cases"):
        evaluate_classes(np.zeros((0, 2)), np.zeros(0, dtype=np.int64), ("a", "b"), np.array([]), seed=1)
