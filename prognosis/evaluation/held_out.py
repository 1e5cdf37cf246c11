"""Predictions for cases that did not train the model, and the days at which they are judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.target import Target
from prognosis.errors import CohortError
from prognosis.survival.censoring import estimate_censoring
from prognosis.survival.curves import Floats
from prognosis.survival.restricted_mean import predicted_days_lost

GRID_POINTS = 50


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Predicted cumulative incidences of one fold (or one test set).

    Attributes:
        cif: (n, K, T) probability of each cause by each day, 0 to 1.
        days_grid: (T,) increasing days > 0 at which it is given.
        target: What happened to the n cases.
        training_target: What happened to the cases that trained the model: the source of the censoring
            distribution and of the reference prediction.
        clusters: (n,) the patient of each case.
    """

    cif: Floats
    days_grid: Floats
    target: Target
    training_target: Target
    clusters: NDArray[np.str_]

    def risk_at(self, days: Floats, of_cause: int) -> Floats:
        """(n, len(days)) cumulative incidence of `of_cause` (1 to K), linear between the grid's days.

        Raises:
            CohortError: A day lies beyond the grid; nothing is extrapolated.
        """
        if days[-1] > self.days_grid[-1]:
            raise CohortError(
                "predictions", f"end at day {self.days_grid[-1]:g}", f"predict to day {days[-1]:g}"
            )
        curve = np.pad(self.cif[:, of_cause - 1], ((0, 0), (1, 0)))
        right, share = self._between(days)
        risk: Floats = curve[:, right - 1] * (1.0 - share) + curve[:, right] * share
        return risk

    def expected_days_lost(self, tau: float, of_cause: int) -> Floats:
        """(n,) area under the cumulative incidence of `of_cause` from 0 to `tau`, in days."""
        inside = self.days_grid[self.days_grid < tau]
        days = np.concatenate([inside, [tau]])
        return predicted_days_lost(self.risk_at(days, of_cause), days)

    def survival_at_own(self, last: float) -> Floats:
        """(n,) predicted probability of no event by the end of each case's follow-up, or by day `last`."""
        curve = np.pad(1.0 - self.cif.sum(axis=1), ((0, 0), (1, 0)), constant_values=1.0)
        right, share = self._between(np.minimum(self.target.days, last))
        row = np.arange(len(curve))
        survival: Floats = curve[row, right - 1] * (1.0 - share) + curve[row, right] * share
        return survival

    def _between(self, days: Floats) -> tuple[NDArray[np.intp], Floats]:
        """Of each day: the place of the next grid day, day 0 being the first, and the share of the way."""
        grid = np.concatenate([[0.0], self.days_grid])
        right = np.clip(np.searchsorted(grid, days, side="left"), 1, len(grid) - 1)
        return right, (days - grid[right - 1]) / (grid[right] - grid[right - 1])


@dataclass(frozen=True, slots=True)
class JudgingDays:
    """The days that the metrics need, fixed before any prediction is made.

    Attributes:
        horizons: Days of AUC, Brier score and calibration.
        tau: Truncation of Uno's C and of the expected days lost.
        grid: (G,) grid of the integrated Brier score.
    """

    horizons: tuple[float, ...]
    tau: float
    grid: Floats

    @property
    def days(self) -> Floats:
        """Every day at which predictions are wanted, increasing."""
        extra = np.linspace(0.0, self.tau, GRID_POINTS + 1)[1:]
        return np.unique(np.concatenate([self.horizons, extra, self.grid]))


def judging_days(target: Target, horizons: Sequence[float]) -> JudgingDays:
    """The days at which predictions for these cases are judged.

    The grid of the integrated Brier score has 50 equal steps from the 10th to the 90th percentile of the
    times of events of any cause. Tau is the last horizon, or the last day on which at least 5% of the
    cases would still be uncensored where that is sooner: beyond it weights explode.

    Args:
        target: What happened to ALL cases of the cohort; only follow-up times are used.
        horizons: The task's horizons in days.

    Raises:
        CohortError: There are too few distinct event times for a grid.
    """
    event = target.cause > 0
    if len(np.unique(target.days[event])) < 2:
        raise CohortError("evaluation", "needs at least two event times", "use a cohort with more events")
    first, last = np.quantile(target.days[event], [0.1, 0.9])
    if first == last:
        first, last = target.days[event].min(), target.days[event].max()
    followed = estimate_censoring(target.days, event).last_day()
    tau = min(max(horizons), followed) if followed > 0 else max(horizons)
    return JudgingDays(tuple(sorted(horizons)), float(tau), np.linspace(first, last, GRID_POINTS))
