"""Ridge-penalised least squares and its cross-validated penalty: the read-out of a measurement."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def fit_least_squares_ridge(
    design: Floats, values: Floats, penalty: float, weights: Floats, offset: Floats | None = None
) -> Floats:
    """(p,) coefficients that minimise the weighted squared error plus penalty |coefficients|^2.

    The intercept is not shrunk, and not returned.

    Args:
        design: (n, p) covariates on the scale that the penalty assumes.
        values: (n,) what was measured.
        penalty: Greater than 0.
        weights: (n,) case weights.
        offset: (n,) what is known of the values beside the covariates; None for none.
    """
    left = values if offset is None else values - offset
    centred = design - np.average(design, axis=0, weights=weights)
    left = left - np.average(left, weights=weights)
    curvature = centred.T @ (weights[:, None] * centred) + penalty * np.eye(design.shape[1])
    return np.asarray(np.linalg.solve(curvature, centred.T @ (weights * left)), dtype=np.float64)


def choose_least_squares_penalty(
    design: Floats | Callable[[Bools], Floats],
    values: Floats,
    folds: NDArray[np.int64],
    penalties: Sequence[float],
    weights: Floats,
    offset: Floats | None = None,
) -> tuple[float, float]:
    """The penalty with the least squared error on cases left out, and their log-likelihood under it.

    Args:
        design: (n, p) covariates; or, where they are themselves learned, from the mask of the cases to be
            fitted to the covariates (n, p) that these cases teach.
        values: (n,) what was measured.
        folds: (n,) fold of each case, equal for all cases of a patient.
        penalties: The grid.
        weights: (n,) case weights.
        offset: (n,) what is known of the values beside the covariates; None for none.
    """
    left = values if offset is None else values - offset
    grid = sorted(penalties, reverse=True)
    residual = np.tile(left, (len(grid), 1))
    for fold in np.unique(folds):
        kept = folds != fold
        own = design(kept) if callable(design) else design
        for place, penalty in enumerate(grid):
            slope = fit_least_squares_ridge(own[kept], left[kept], penalty, weights[kept])
            level = np.average(left[kept] - own[kept] @ slope, weights=weights[kept])
            residual[place, ~kept] -= level + own[~kept] @ slope
    likelihoods = [gaussian_log_likelihood(each, weights) for each in residual]
    best = int(np.argmax(likelihoods))
    return float(grid[best]), likelihoods[best]


def gaussian_log_likelihood(residual: Floats, weights: Floats) -> float:
    """The log-likelihood of residuals at the variance that makes it largest, up to a constant.

    Args:
        residual: (n,) of the cases.
        weights: (n,) case weights.
    """
    variance = max(float(np.average(residual**2, weights=weights)), 1e-12)
    return -0.5 * float(weights.sum()) * float(np.log(variance))
