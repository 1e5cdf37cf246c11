"""How likely a response is at all, averaged over arms: a logistic ridge, so that it stays within 0 and 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from prognosis.evidence.logistic import choose_logistic_penalty, fit_logistic_ridge
from prognosis.treatment.assignment import ArmCases
from prognosis.treatment.outcome import Response

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PENALTIES = (3.0, 30.0, 300.0, 3000.0)
_HARDLY_SHRUNK = 100.0  # an arm's own level, which a penalty should leave alone


@dataclass(frozen=True, slots=True)
class ResponseLevel:
    """Log-odds of a response under arm a = intercepts[a] + covariates @ slopes.

    Attributes:
        intercepts: (A,).
        slopes: (p,) per unit of each covariate, the same under every arm.
    """

    intercepts: Floats
    slopes: Floats

    def levels(self, covariates: Floats) -> Floats:
        """(n,) probability of a response, averaged over arms."""
        return np.asarray(expit(self.intercepts + (covariates @ self.slopes)[:, None]).mean(axis=1))


def fit_response_level(cases: ArmCases, response: Response, folds: Ints) -> ResponseLevel:
    """Learn it from the responses that are known.

    Args:
        cases: Who was given which arm; its covariates are those that the level is read from.
        response: 0 or 1.
        folds: (n,) folds by patient, by which the penalty is chosen.
    """
    known = response.known
    means, spread = cases.covariates.mean(axis=0), cases.covariates.std(axis=0)
    scales = np.where(spread > 1e-9 * np.maximum(np.abs(means), 1.0), spread, 1.0)
    of_arms = cases.arm[:, None] == np.arange(1, len(cases.arms))
    design = np.column_stack([(cases.covariates - means) / scales, _HARDLY_SHRUNK * of_arms])[known]
    positive, weights = response.value[known] > 0, np.ones(int(known.sum()))
    penalty = choose_logistic_penalty(design, positive, folds[known], PENALTIES, weights)[0]
    model = fit_logistic_ridge(design, positive, penalty, weights)
    width = len(means)
    slopes = model.coefficients[:width] / scales
    own = np.append(0.0, _HARDLY_SHRUNK * model.coefficients[width:])
    return ResponseLevel(model.intercept + own - float(means @ slopes), slopes)
