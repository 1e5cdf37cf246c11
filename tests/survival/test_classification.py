"""Class statistics against scikit-learn, with and without case weights."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from prognosis.survival.classification import (
    accuracy_statistic,
    auroc_statistic,
    average_precision,
    brier_statistic,
    class_calibration_slope,
    log_loss_statistic,
)
from prognosis.survival.statistic import ratio_of

RNG = np.random.default_rng(4)
ODDS = RNG.normal(size=200).round(1)
OUTCOME = RNG.random(200) < 1.0 / (1.0 + np.exp(-0.8 * ODDS))
RISK = 1.0 / (1.0 + np.exp(-ODDS))
BOTH = np.column_stack([1.0 - RISK, RISK])
LABEL = OUTCOME.astype(np.int64)
WEIGHTS = np.vstack([np.ones(200), RNG.integers(0, 4, (2, 200))]).astype(float)


@pytest.mark.parametrize("row", range(3))
def test_two_class_statistics_agree_with_scikit_learn(row: int) -> None:
    weight, batch = WEIGHTS[row], WEIGHTS
    found = [
        ratio_of(auroc_statistic(OUTCOME, RISK))(batch)[row],
        average_precision(OUTCOME, RISK)(batch)[row],
        ratio_of(brier_statistic(LABEL, BOTH))(batch)[row],
        ratio_of(log_loss_statistic(LABEL, BOTH))(batch)[row],
        ratio_of(accuracy_statistic(LABEL, BOTH))(batch)[row],
    ]
    expected = [
        metrics.roc_auc_score(OUTCOME, RISK, sample_weight=weight),
        metrics.average_precision_score(OUTCOME, RISK, sample_weight=weight),
        metrics.brier_score_loss(OUTCOME, RISK, sample_weight=weight),
        metrics.log_loss(LABEL, BOTH, sample_weight=weight),
        metrics.accuracy_score(LABEL, BOTH.argmax(axis=1), sample_weight=weight),
    ]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_certain_and_right_prediction_has_no_error() -> None:
    certain = np.eye(3)[[0, 1, 2]]
    label = np.array([0, 1, 2])
    ones = np.ones((1, 3))
    assert ratio_of(brier_statistic(label, certain))(ones)[0] == 0.0
    assert ratio_of(log_loss_statistic(label, certain))(ones)[0] == 0.0
    assert ratio_of(accuracy_statistic(label, certain))(ones)[0] == 1.0


def test_without_a_positive_there_is_no_average_precision() -> None:
    assert np.isnan(average_precision(np.zeros(5, dtype=bool), np.linspace(0, 1, 5))(np.ones((1, 5)))[0])


def test_calibration_slope_of_the_true_odds_is_near_one() -> None:
    rng = np.random.default_rng(2)
    odds = rng.normal(size=20_000)
    risk = 1.0 / (1.0 + np.exp(-odds))
    slope = class_calibration_slope(rng.random(20_000) < risk, risk)(np.ones((1, 20_000)))[0]
    assert slope == pytest.approx(1.0, abs=0.06)
