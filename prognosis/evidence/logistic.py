"""Ridge-penalised logistic regression and its cross-validated penalty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LogisticRidge:
    """A fitted logistic model: log-odds = intercept + design @ coefficients; the intercept is not shrunk."""

    intercept: float
    coefficients: Floats


def fit_logistic_ridge(
    design: Floats,
    positive: NDArray[np.bool_],
    penalty: float,
    weights: Floats,
    offset: Floats | None = None,
    tolerance: float = 1e-10,
) -> LogisticRidge:
    """The model that maximises the log-likelihood less 1/2 penalty |coefficients|^2, by Newton's method.

    Args:
        design: (n, p) covariates on the scale that the penalty assumes.
        positive: (n,) True for the class, False for the reference class.
        penalty: Against the summed log-likelihood; greater than 0.
        weights: (n,) case weights.
        offset: (n,) log-odds that are known beside the covariates; None for none.
        tolerance: Of the Newton decrement, in log-likelihood.
    """
    from scipy.special import expit

    columns = np.column_stack([np.ones(len(design)), design])
    known = np.zeros(len(design)) if offset is None else offset
    share = np.clip(np.average(positive, weights=weights), 1e-6, 1.0 - 1e-6)
    coefficients = np.zeros(columns.shape[1])
    coefficients[0] = np.log(share / (1.0 - share))
    shrink = np.full(columns.shape[1], penalty)
    shrink[0] = 1e-9
    for _ in range(60):
        probability = expit(columns @ coefficients + known)
        gradient = columns.T @ (weights * (positive - probability)) - shrink * coefficients
        spread = weights * probability * (1.0 - probability)
        curvature = columns.T @ (spread[:, None] * columns) + np.diag(shrink)
        step = np.linalg.solve(curvature, gradient)
        before = _penalised(columns @ coefficients + known, positive, weights, shrink, coefficients)
        for _ in range(30):
            proposal = coefficients + step
            reached = _penalised(columns @ proposal + known, positive, weights, shrink, proposal)
            if reached >= before - 1e-9:
                break
            step = step / 2.0
        coefficients = coefficients + step
        if float(gradient @ step) < tolerance:
            break
    return LogisticRidge(float(coefficients[0]), coefficients[1:])


def choose_logistic_penalty(
    design: Floats | Callable[[NDArray[np.bool_]], Floats],
    positive: NDArray[np.bool_],
    folds: NDArray[np.int64],
    penalties: Sequence[float],
    weights: Floats,
    offset: Floats | None = None,
) -> tuple[float, float]:
    """The penalty with the highest log-likelihood on cases left out, and that log-likelihood.

    Args:
        design: (n, p) covariates; or, where they are themselves learned, from the mask of the cases to be
            fitted to the covariates (n, p) that these cases teach.
        positive: (n,) True for the class.
        folds: (n,) fold of each case, equal for all cases of a patient.
        penalties: The grid.
        weights: (n,) case weights.
        offset: (n,) log-odds that are known beside the covariates; None for none.
    """
    known = np.zeros(len(positive)) if offset is None else offset
    grid = sorted(penalties, reverse=True)
    likelihoods = np.zeros(len(grid))
    for fold in np.unique(folds):
        kept = folds != fold
        if len(np.unique(positive[kept])) < 2:
            continue
        own = design(kept) if callable(design) else design
        for place, penalty in enumerate(grid):
            model = fit_logistic_ridge(
                own[kept], positive[kept], penalty, weights[kept], known[kept], tolerance=1e-4
            )
            log_odds = model.intercept + own[~kept] @ model.coefficients + known[~kept]
            likelihoods[place] += bernoulli_log_likelihood(log_odds, positive[~kept], weights[~kept])
    best = int(np.argmax(likelihoods))
    return float(grid[best]), float(likelihoods[best])


def bernoulli_log_likelihood(log_odds: Floats, positive: NDArray[np.bool_], weights: Floats) -> float:
    """The weighted log-likelihood of classes at the given log-odds."""
    return -float(weights @ np.logaddexp(0.0, np.where(positive, -log_odds, log_odds)))


def _penalised(
    log_odds: Floats, positive: NDArray[np.bool_], weights: Floats, shrink: Floats, coefficients: Floats
) -> float:
    likelihood = bernoulli_log_likelihood(log_odds, positive, weights)
    return likelihood - 0.5 * float(shrink @ coefficients**2)
