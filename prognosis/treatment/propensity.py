"""The chance of each arm given what was known before treatment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from prognosis.treatment.assignment import ArmCases

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PENALTIES = (1.0, 10.0, 100.0, 1000.0)
LEAST_DIVISOR = 0.01
"""No case's weight exceeds a hundred: smaller chances are raised to this when divided by, and counted."""


@dataclass(frozen=True, slots=True)
class PropensityModel:
    """A multinomial logistic regression; all coefficients 0 where chance alone chose the arm.

    Attributes:
        means: (p,) subtracted from each covariate.
        scales: (p,) each is then divided by.
        coefficients: (A, p) log-odds per standard deviation.
        intercepts: (A,) log-odds at the means.
        penalty: Of the ridge, against the summed log-likelihood; 0 where nothing was learned.
    """

    means: Floats
    scales: Floats
    coefficients: Floats
    intercepts: Floats
    penalty: float

    def chance(self, covariates: Floats) -> Floats:
        """(n, A) chance of each arm; rows sum to 1."""
        standard = (covariates - self.means) / self.scales
        return np.asarray(softmax(standard @ self.coefficients.T + self.intercepts, axis=1))


def fit_propensity(cases: ArmCases, folds: Ints, *, adjusted: bool = True) -> PropensityModel:
    """The chance of each arm, for patients to come.

    In a randomised trial it is the allocation that the task states, else the share of each arm: known by
    design, nothing is learned. Otherwise a ridge, whose penalty has the highest likelihood out of fold.

    Args:
        cases: Who was given which arm.
        folds: (n,) folds by patient.
        adjusted: False to take the shares whatever the assignment.
    """
    width = cases.covariates.shape[1]
    if cases.randomised or not adjusted or not width:
        shares = np.bincount(cases.arm, minlength=len(cases.arms)) / len(cases)
        known = shares if cases.allocation is None else np.array(cases.allocation)
        nothing = np.zeros((len(known), width))
        return PropensityModel(np.zeros(width), np.ones(width), nothing, np.log(known), 0.0)
    likelihoods = [_likelihood(_out_of_fold(cases, folds, each), cases.arm) for each in PENALTIES]
    return _fit(cases, PENALTIES[int(np.argmax(likelihoods))])


def propensities(cases: ArmCases, folds: Ints, model: PropensityModel) -> Floats:
    """(n, A) chance of each arm for the cases themselves, each by the folds that do not hold it.

    Args:
        cases: Who was given which arm.
        folds: (n,) folds by patient.
        model: What `fit_propensity` gave, for its penalty.
    """
    if not model.penalty:
        return model.chance(cases.covariates)
    return _out_of_fold(cases, folds, model.penalty)


def _out_of_fold(cases: ArmCases, folds: Ints, penalty: float) -> Floats:
    found = np.zeros((len(cases), len(cases.arms)))
    for fold in np.unique(folds):
        held = folds == fold
        found[held] = _fit(cases.take(~held), penalty).chance(cases.covariates[held])
    return found


def _fit(cases: ArmCases, penalty: float) -> PropensityModel:
    from sklearn.linear_model import LogisticRegression

    means, spread = cases.covariates.mean(axis=0), cases.covariates.std(axis=0)
    scales = np.where(spread > 1e-9 * np.maximum(np.abs(means), 1.0), spread, 1.0)
    model = LogisticRegression(C=1.0 / penalty, max_iter=2000)
    model.fit((cases.covariates - means) / scales, cases.arm)
    coefficients, intercepts = model.coef_, model.intercept_
    if len(cases.arms) == 2:
        coefficients = np.concatenate([np.zeros_like(coefficients), coefficients])
        intercepts = np.concatenate([np.zeros(1), intercepts])
    return PropensityModel(means, scales, coefficients, intercepts, penalty)


def _likelihood(chance: Floats, arm: Ints) -> float:
    return float(np.log(np.maximum(chance[np.arange(len(arm)), arm], 1e-12)).sum())
