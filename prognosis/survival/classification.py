"""Statistics of predicted probabilities of a class, each as a function of case weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognosis.survival.auc import AucStatistic, auc_statistic
from prognosis.survival.calibration import calibration_slope, log_odds
from prognosis.survival.curves import Floats
from prognosis.survival.logistic import logistic_intercept
from prognosis.survival.statistic import Statistic, WeightedMean

_EDGE = 1e-12


def auroc_statistic(outcome: NDArray[np.bool_], probability: Floats) -> AucStatistic:
    """Area under the ROC curve: chance that a positive has the higher probability; ties one half.

    Args:
        outcome: (n,) True for the positive class.
        probability: (n,) predicted probability of it, 0 to 1.
    """
    return auc_statistic(probability, outcome.astype(np.float64), (~outcome).astype(np.float64))


def accuracy_statistic(label: NDArray[np.int64], probabilities: Floats) -> WeightedMean:
    """Share of cases whose most probable class is the true one.

    Args:
        label: (n,) the true class, 0 to C - 1.
        probabilities: (n, C) predicted probability of each class.
    """
    return WeightedMean((probabilities.argmax(axis=1) == label).astype(np.float64))


def brier_statistic(label: NDArray[np.int64], probabilities: Floats) -> WeightedMean:
    """Brier score: mean squared error of the positive class; with more than two classes, summed over all.

    Args:
        label: (n,) the true class, 0 to C - 1.
        probabilities: (n, C) predicted probability of each class.
    """
    truth = np.eye(probabilities.shape[1])[label]
    error = ((truth - probabilities) ** 2).sum(axis=1)
    return WeightedMean(error / 2.0 if probabilities.shape[1] == 2 else error)


def log_loss_statistic(label: NDArray[np.int64], probabilities: Floats) -> WeightedMean:
    """Mean negative log-probability of the true class, in nats; probabilities are kept above 1e-12.

    Args:
        label: (n,) the true class, 0 to C - 1.
        probabilities: (n, C) predicted probability of each class.
    """
    of_truth = probabilities[np.arange(len(label)), label]
    return WeightedMean(-np.log(np.clip(of_truth, _EDGE, None)))


def average_precision(outcome: NDArray[np.bool_], probability: Floats) -> Statistic:
    """Area under the precision-recall curve as a step sum; the share of positives is chance.

    Args:
        outcome: (n,) True for the positive class.
        probability: (n,) predicted probability of it.

    Returns:
        The statistic for (R, n) case weights; NaN where no positive has weight.
    """
    order = np.argsort(-probability, kind="stable")
    group_ends = np.flatnonzero(np.diff(-probability[order], append=np.inf) != 0)
    positive = outcome[order].astype(np.float64)

    def precision(weights: Floats) -> Floats:
        ordered = weights[:, order]
        hits = np.cumsum(ordered * positive, axis=1)[:, group_ends]
        called = np.cumsum(ordered, axis=1)[:, group_ends]
        gained = np.diff(hits, axis=1, prepend=0.0)
        rate = np.divide(hits, called, out=np.zeros_like(hits), where=called > 0)
        total = hits[:, -1]
        value: Floats = np.divide(
            (gained * rate).sum(axis=1), total, out=np.full_like(total, np.nan), where=total > 0
        )
        return value

    return precision


def class_calibration_intercept(outcome: NDArray[np.bool_], probability: Floats) -> Statistic:
    """What must be added to the log-odds for the mean probability to be right: 0 is right, above 0 too low.

    Calibration in the large (Cox 1958, Biometrika 45:562): a logistic intercept with the slope held at 1.
    """
    predicted, happened = log_odds(probability), outcome.astype(np.float64)
    return lambda weights: logistic_intercept(predicted, happened, weights)


def class_calibration_slope(outcome: NDArray[np.bool_], probability: Floats) -> Statistic:
    """Logistic slope of the outcome on the log-odds of its probability: 1 is right, below overconfident."""
    return calibration_slope(outcome, np.ones(len(outcome)), probability)
