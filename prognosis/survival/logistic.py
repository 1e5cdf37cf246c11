"""Small weighted logistic regressions used to judge calibration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognosis.survival.curves import Floats

_STEPS = 50
_CLOSE = 1e-10
_SQUARED_CLOSE = 1e-6
"""Newton's error after a step of this size is its square."""
_RIDGE = 1e-9


def sigmoid(linear: Floats) -> Floats:
    """The probability whose log-odds these are; no overflow for any size."""
    value: Floats = 0.5 * (1.0 + np.tanh(0.5 * linear))
    return value


def logistic_intercept(offset: Floats, outcome: Floats, weights: Floats) -> Floats:
    """(R,) intercept of a logistic regression with a fixed offset, for each row of weights.

    Args:
        offset: (n,) log-odds that are held as they are.
        outcome: (n,) 0 or 1.
        weights: (R, n) non-negative weights.

    Returns:
        The intercepts; NaN where the outcomes of positive weight are all equal.
    """
    events, total = weights @ outcome, weights.sum(axis=1)
    valid: NDArray[np.bool_] = (events > 0) & (events < total)
    intercept = np.zeros(len(weights))
    for _ in range(_STEPS):
        mean = sigmoid(offset + intercept[:, None])
        curvature = (weights * mean * (1.0 - mean)).sum(axis=1)
        step = (events - (weights * mean).sum(axis=1)) / np.maximum(curvature, 1e-300)
        step = np.where(valid, np.clip(step, -2.0, 2.0), 0.0)
        intercept += step
        if np.abs(step).max(initial=0.0) < _CLOSE:
            break
    return np.where(valid, intercept, np.nan)


def logistic_slope(predictor: Floats, outcome: Floats, weights: Floats) -> Floats:
    """(R,) slope of a logistic regression on one predictor, for each row of weights, by Newton's method.

    Args:
        predictor: (n,) the predictor.
        outcome: (n,) 0 or 1.
        weights: (R, n) non-negative weights.

    Returns:
        The slopes; NaN where the outcomes or predictors of positive weight are all equal, or where they
        are separated so that no finite slope exists.
    """
    centre, spread = float(predictor.mean()), float(predictor.std())
    if spread == 0.0:
        return np.full(len(weights), np.nan)
    x = (predictor - centre) / spread
    # All rows start from the fit to their sum: replicates of a bootstrap are then two or three steps away.
    start = weighted_logistic(np.column_stack([np.ones_like(x), x]), outcome, weights.sum(axis=0))
    coefficients = np.tile(start, (len(weights), 1))
    valid: NDArray[np.bool_] = ((weights @ outcome) > 0) & ((weights @ (1.0 - outcome)) > 0)
    for _ in range(_STEPS):
        mean = sigmoid(coefficients[:, :1] + coefficients[:, 1:] * x)
        residual = weights * (outcome - mean)
        spread_weight = weights * mean * (1.0 - mean)
        g0, g1 = residual.sum(axis=1), residual @ x
        h0, h1, h2 = spread_weight.sum(axis=1), spread_weight @ x, spread_weight @ x**2
        determinant = h0 * h2 - h1**2
        valid &= determinant > 1e-12 * np.maximum(h0 * h2, 1e-300)
        safe = np.where(valid, determinant, 1.0)
        step = np.stack([(h2 * g0 - h1 * g1) / safe, (h0 * g1 - h1 * g0) / safe], axis=1)
        step = np.where(valid[:, None], np.clip(step, -2.0, 2.0), 0.0)
        coefficients += step
        if np.abs(step).max(initial=0.0) < _SQUARED_CLOSE:
            break
    valid &= np.abs(step).max(axis=1) < 1e-6
    return np.where(valid, coefficients[:, 1] / spread, np.nan)


def weighted_logistic(design: Floats, outcome: Floats, weights: Floats) -> Floats:
    """(p,) coefficients of a weighted logistic regression by Newton's method.

    A step that would lower the likelihood is halved until it does not: whole steps, or steps cut in each
    coordinate, can go round for ever. A ridge of 1e-9 keeps a column without variation harmless.

    Args:
        design: (n, p) predictors, with a column of ones for an intercept.
        outcome: (n,) 0 or 1.
        weights: (n,) non-negative weights.
    """

    def likelihood(linear: Floats) -> float:
        return float(weights @ (outcome * linear - np.logaddexp(0.0, linear)))

    coefficients = np.zeros(design.shape[1])
    linear = np.zeros(len(outcome))
    reached = likelihood(linear)
    for _ in range(_STEPS):
        mean = sigmoid(linear)
        gradient = design.T @ (weights * (outcome - mean))
        curvature = (design * (weights * mean * (1.0 - mean))[:, None]).T @ design
        step = np.linalg.solve(curvature + _RIDGE * np.eye(len(coefficients)), gradient)
        change = design @ step
        size = 1.0
        while size > _CLOSE and likelihood(linear + size * change) < reached:
            size /= 2.0
        coefficients = coefficients + size * step
        linear = linear + size * change
        reached = likelihood(linear)
        if np.abs(size * change).max() < _CLOSE:
            break
    return coefficients


def spline_basis(values: Floats, knots: Floats) -> Floats:
    """(n, k - 1) natural cubic spline basis: linear beyond the outer knots (Harrell 2015, eq. 2.25).

    Args:
        values: (n,) where to evaluate.
        knots: (k,) at least three increasing knots.
    """
    first, before_last, last = knots[0], knots[-2], knots[-1]
    cube = np.clip(values[:, None] - knots, 0.0, None) ** 3
    tail = (cube[:, -2] / (last - before_last))[:, None] * (last - knots[:-2])
    far = (cube[:, -1] / (last - before_last))[:, None] * (before_last - knots[:-2])
    curved = (cube[:, :-2] - tail + far) / (last - first) ** 2
    return np.column_stack([values, curved])
