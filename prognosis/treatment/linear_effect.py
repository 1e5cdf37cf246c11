"""The effect for one patient as a sum of parts: the DR-learner with a ridge.

The difference of two arms' doubly robust scores has, given covariates, the effect as its mean (Kennedy,
Electron J Stat 2023;17:3008): regressed on covariates it gives the effect of a patient, and the sum of its
terms is exact. The interval is the sampling variance, cases of a patient moving together, plus what shrinking
may have taken from the effect, on average over effects of the size that the penalty supposes (Wahba, J R Stat
Soc B 1983;45:133; Nychka, J Am Stat Assoc 1988;83:1134).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.least_squares import choose_least_squares_penalty
from prognosis.treatment.estimate import Estimate, estimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PENALTIES_PER_CASE = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Of the ridge, over the number of cases; the largest hardly lets an effect differ between patients."""


@dataclass(frozen=True, slots=True)
class LinearEffect:
    """effect(x) = average + sum over covariates of coefficient * (x - mean) / scale.

    Attributes:
        means: (p,) of the covariates.
        scales: (p,) their standard deviations.
        average: Effect of a case at the means: the average effect.
        coefficients: (p,) change of the effect per standard deviation.
        covariance: (p + 1, p + 1) of the average and the coefficients.
        penalty: Of the ridge.
    """

    means: Floats
    scales: Floats
    average: float
    coefficients: Floats
    covariance: Floats
    penalty: float

    def effect(self, covariates: Floats) -> Floats:
        """(n,) difference of the two arms for each case, in the unit of the scores."""
        return np.asarray(self.average + self.terms(covariates).sum(axis=1))

    def terms(self, covariates: Floats) -> Floats:
        """(n, p) what each covariate adds to the average effect; with it they sum to the effect."""
        return np.asarray((covariates - self.means) / self.scales * self.coefficients)

    def standard_error(self, covariates: Floats) -> Floats:
        """(n,) of each case's effect."""
        design = _design((covariates - self.means) / self.scales)
        return np.sqrt(np.maximum(np.einsum("ni,ij,nj->n", design, self.covariance, design), 0.0))

    def estimate(self, covariates: Floats, level: float = 0.95) -> Estimate:
        """The effect of one case with its interval; `covariates` is (p,)."""
        one = covariates[None, :]
        return estimate(float(self.effect(one)[0]), float(self.standard_error(one)[0]), level)


def fit_linear_effect(
    covariates: Floats,
    difference: Floats,
    patients: NDArray[np.str_],
    folds: Ints,
    penalty: float | None = None,
) -> LinearEffect:
    """Regress differences of scores on covariates.

    Args:
        covariates: (n, p).
        difference: (n,) scores under the arm asked about less those under the reference.
        patients: (n,) the patient of each case.
        folds: (n,) folds by patient, by which the penalty is chosen.
        penalty: Given instead; 0 is least squares, for few covariates.
    """
    means, spread = covariates.mean(axis=0), covariates.std(axis=0)
    scales = np.where(spread > 1e-9 * np.maximum(np.abs(means), 1.0), spread, 1.0)
    standard = (covariates - means) / scales
    cases, width = standard.shape
    if penalty is None:
        penalty = 0.0
        if width:
            grid = [cases * each for each in PENALTIES_PER_CASE]
            penalty = choose_least_squares_penalty(standard, difference, folds, grid, np.ones(cases))[0]
    design = _design(standard)
    shrink = np.full(width + 1, penalty)
    shrink[0] = 0.0
    inverse = np.linalg.pinv(design.T @ design + np.diag(shrink))
    solved = inverse @ (design.T @ difference)
    residual = difference - design @ solved
    names, member = np.unique(patients, return_inverse=True)
    pull = np.zeros((len(names), width + 1))
    np.add.at(pull, member, residual[:, None] * design)
    small = len(names) / max(len(names) - width - 1, 1)
    taken = float(residual.var()) * inverse @ np.diag(shrink) @ inverse
    covariance = small * inverse @ (pull.T @ pull) @ inverse + taken
    return LinearEffect(means, scales, float(solved[0]), solved[1:], covariance, penalty)


def cross_fitted_effect(
    covariates: Floats, difference: Floats, patients: NDArray[np.str_], folds: Ints
) -> Floats:
    """(n,) effect of each case by a ridge of the other folds: what ranking and calibration may judge."""
    found = np.zeros(len(difference))
    for fold in np.unique(folds):
        held = folds == fold
        model = fit_linear_effect(covariates[~held], difference[~held], patients[~held], folds[~held])
        found[held] = model.effect(covariates[held])
    return found


@dataclass(frozen=True, slots=True)
class Projection:
    """The best linear projection of the effect on a few covariates (Semenova and Chernozhukov 2021).

    Attributes:
        average: The effect at the covariates' means.
        slopes: Change of the effect per standard deviation of each covariate, none of them shrunk.
    """

    average: Estimate
    slopes: tuple[Estimate, ...]


def best_linear_projection(
    covariates: Floats, difference: Floats, patients: NDArray[np.str_], level: float = 0.95
) -> Projection:
    """Least squares of differences of scores on a few covariates, with intervals; see `fit_linear_effect`."""
    fitted = fit_linear_effect(covariates, difference, patients, np.zeros(len(difference), np.int64), 0.0)
    errors = np.sqrt(np.diag(fitted.covariance))
    slopes = tuple(
        estimate(float(slope), float(error), level)
        for slope, error in zip(fitted.coefficients, errors[1:], strict=True)
    )
    return Projection(estimate(fitted.average, float(errors[0]), level), slopes)


def _design(standard: Floats) -> Floats:
    return np.column_stack([np.ones(len(standard)), standard])
