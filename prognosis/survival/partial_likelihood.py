"""Cox's partial likelihood with Efron's handling of ties, its slope and its curvature."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class RiskSets:
    """Who is at risk at each event; built once, evaluated for many coefficients.

    Efron's method (Efron 1977, JASA 72:557): of d deaths tied at a time, the (l + 1)-th is compared with
    the risk set less l/d of the tied deaths. Case weights enter as in R's survival: each tied term counts
    with the mean weight of the tied deaths (Therneau and Grambsch 2000, section 3.3).

    Args:
        days: (n,) follow-up in days.
        event: (n,) True where the event ended it.
        weights: (n,) case weights.
    """

    def __init__(self, days: Floats, event: NDArray[np.bool_], weights: Floats) -> None:
        self._order = np.argsort(days, kind="stable")
        ordered_days = np.asarray(days, dtype=float)[self._order]
        self._event = np.asarray(event, dtype=bool)[self._order]
        self._weights = np.asarray(weights, dtype=float)[self._order]
        times = np.unique(ordered_days[self._event])
        self._start = np.searchsorted(ordered_days, times, side="left")
        # Events at or before a case's own last day: the risk sets that the case belongs to.
        self._belongs = np.searchsorted(times, ordered_days, side="right")
        self._group = np.searchsorted(times, ordered_days[self._event])
        deaths = np.bincount(self._group, minlength=len(times))
        self._first = np.concatenate([[0], np.cumsum(deaths)[:-1]])
        self._share = (np.arange(len(self._group)) - self._first[self._group]) / deaths[self._group]
        tied_weight = np.bincount(self._group, weights=self._weights[self._event], minlength=len(times))
        self._term_weight = (tied_weight / deaths)[self._group]

    def log_likelihood(self, log_hazard: Floats) -> float:
        """The log partial likelihood of cases with `log_hazard` (n,)."""
        ordered = log_hazard[self._order]
        shift = float(ordered.max())
        risk = self._weights * np.exp(ordered - shift)
        own = float(self._weights[self._event] @ (ordered[self._event] - shift))
        return own - float(self._term_weight @ np.log(self._denominators(risk)))

    def slope_and_curvature(self, design: Floats, log_hazard: Floats) -> tuple[Floats, Floats]:
        """Gradient (p,) and negative Hessian (p, p) of the log partial likelihood in the coefficients.

        Args:
            design: (n, p) covariates.
            log_hazard: (n,) design @ coefficients.
        """
        ordered, covariates = log_hazard[self._order], design[self._order]
        risk = self._weights * np.exp(ordered - ordered.max())
        denominators = self._denominators(risk)
        weighted = risk[:, None] * covariates
        at_risk = np.cumsum(weighted[::-1], axis=0)[::-1][self._start]
        centres = at_risk[self._group]
        if self._share.any():
            tied = np.add.reduceat(weighted[self._event], self._first, axis=0)
            centres -= self._share[:, None] * tied[self._group]
        centres /= denominators[:, None]
        slope = self._weights[self._event] @ covariates[self._event] - self._term_weight @ centres
        exposure = risk * self._exposure(denominators)
        curvature = covariates.T @ (exposure[:, None] * covariates)
        curvature -= centres.T @ (self._term_weight[:, None] * centres)
        return slope, curvature

    def _denominators(self, risk: Floats) -> Floats:
        """(events,) the weighted risk that each death is compared with."""
        at_risk = np.cumsum(risk[::-1])[::-1][self._start]
        tied = np.bincount(self._group, weights=risk[self._event], minlength=len(self._start))
        return np.asarray(at_risk[self._group] - self._share * tied[self._group], dtype=float)

    def _exposure(self, denominators: Floats) -> Floats:
        """(n,) the cumulative hazard that each case was exposed to; tied deaths leave in equal shares."""
        terms = self._term_weight / denominators
        groups = len(self._start)
        hazard = np.bincount(self._group, weights=terms, minlength=groups)
        left = np.bincount(self._group, weights=self._share * terms, minlength=groups)
        exposure = np.concatenate([[0.0], np.cumsum(hazard)])[self._belongs]
        exposure[self._event] -= left[self._group]
        return exposure
