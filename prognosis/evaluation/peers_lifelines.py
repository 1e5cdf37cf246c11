"""lifelines' Cox regression as a peer, with a small fixed penalty as its documentation advises."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import CohortError, MissingDependencyError
from prognosis.survival.breslow import BaselineHazard
from prognosis.survival.curves import Floats

PENALTY = 0.01


@dataclass(frozen=True, slots=True)
class LifelinesCox:
    """A fitted `CoxPHFitter`, as numbers.

    Attributes:
        per_unit: (p,) log-hazard per unit of each covariate.
        means: (p,) covariates of the case that the baseline belongs to.
        baseline: lifelines' Breslow estimate.
    """

    per_unit: Floats
    means: Floats
    baseline: BaselineHazard

    def survival(self, covariates: Floats, days: Floats) -> Floats:
        """(n, len(days)) probability of no event by each day."""
        log_hazard = (covariates - self.means) @ self.per_unit
        return np.asarray(np.exp(-self.baseline.at(days)[None, :] * np.exp(log_hazard)[:, None]))


def fit_lifelines_cox(
    covariates: Floats, days: Floats, event: NDArray[np.bool_], folds: NDArray[np.int64]
) -> LifelinesCox:
    """Fit with `CoxPHFitter(penalizer=0.01)`, which penalises standardised coefficients per case.

    Args:
        covariates: (n, p) finite.
        days: (n,) follow-up in days.
        event: (n,) True where the event ended it.
        folds: Not used: nothing is tuned.

    Raises:
        CohortError: lifelines' optimiser does not converge.
        MissingDependencyError: lifelines is not installed.
    """
    del folds
    try:
        import pandas as pd
        from lifelines import CoxPHFitter
        from lifelines.exceptions import ConvergenceError
    except ImportError as error:
        raise MissingDependencyError(
            "lifelines", "is not installed", "pip install 'prognosis[bench]'"
        ) from error
    varies = np.ptp(covariates, axis=0) > 0
    table = pd.DataFrame(covariates[:, varies])
    table["days"], table["event"] = days, event
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # it warns of columns that nearly separate; the penalty bounds them
            fitted = CoxPHFitter(penalizer=PENALTY).fit(table, "days", "event")
    except ConvergenceError as error:
        raise CohortError("lifelines' Cox model", "does not converge", "use fewer columns") from error
    per_unit, means = np.zeros(covariates.shape[1]), np.zeros(covariates.shape[1])
    per_unit[varies] = fitted.params_.to_numpy()
    means[varies] = covariates[:, varies].mean(axis=0)
    hazard = fitted.baseline_cumulative_hazard_
    baseline = BaselineHazard(hazard.index.to_numpy(dtype=float), hazard.iloc[:, 0].to_numpy(dtype=float))
    return LifelinesCox(per_unit, means, baseline)
