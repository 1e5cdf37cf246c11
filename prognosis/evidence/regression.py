"""One cause's ridge regression, Cox, logistic or linear, behind one face: penalty and coefficients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.least_squares import choose_least_squares_penalty, fit_least_squares_ridge
from prognosis.evidence.logistic import choose_logistic_penalty, fit_logistic_ridge
from prognosis.survival.cox import choose_penalty, fit_cox_ridge

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Design = Floats | Callable[[Bools], Floats]


@dataclass(frozen=True, slots=True)
class Regression:
    """What happened to the cases that speak of one cause.

    Attributes:
        survival: True for Cox regression on `days`, False for logistic or linear regression.
        days: (n,) follow-up.
        event: (n,) True where the cause occurred.
        folds: (n,) folds by patient, for the penalty.
        weights: (n,) case weights.
        offset: (n,) log-hazard, or log-odds, that is known beside the design.
        penalties: The grid.
        values: (n,) of a measurement, for linear regression; None for all else.
    """

    survival: bool
    days: Floats
    event: Bools
    folds: NDArray[np.int64]
    weights: Floats
    offset: Floats
    penalties: tuple[float, ...]
    values: Floats | None = None

    def choose(self, design: Design) -> tuple[float, float]:
        """The penalty that predicts cases left out best, and the log-likelihood that they then have.

        Args:
            design: (n, p), its own scales counting; or, where it is itself learned, from the mask of the
                cases to be fitted to the design that these cases teach.
        """
        if self.values is not None:
            return choose_least_squares_penalty(
                design, self.values, self.folds, self.penalties, self.weights, self.offset
            )
        if not self.survival:
            return choose_logistic_penalty(
                design, self.event, self.folds, self.penalties, self.weights, self.offset
            )
        choice = choose_penalty(
            design,
            self.days,
            self.event,
            self.folds,
            self.penalties,
            self.weights,
            standardise=False,
            offset=self.offset,
        )
        return choice.penalty, float(choice.likelihoods.max())

    def fit(self, design: Floats, penalty: float, kept: Bools | None = None) -> Floats:
        """(p,) coefficients, learned from the cases at `kept` (all where None)."""
        kept = np.ones(len(self.event), dtype=bool) if kept is None else kept
        own, event, weights, offset = design[kept], self.event[kept], self.weights[kept], self.offset[kept]
        if self.values is not None:
            return fit_least_squares_ridge(own, self.values[kept], penalty, weights, offset)
        if not self.survival:
            return fit_logistic_ridge(own, event, penalty, weights, offset).coefficients
        model = fit_cox_ridge(own, self.days[kept], event, penalty, weights, standardise=False, offset=offset)
        return model.coefficients
