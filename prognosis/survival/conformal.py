"""A lower bound on the time that a patient stays free of an event, calibrated on left-out patients.

The score of a case is its predicted probability of the event by the time at which the event came, read from
a prediction that had not seen the case (the probability at the observed time of Qi, Yu and Greiner,
arXiv 2410.20579). Were the predictions right, the scores would be uniform; the bound does not assume so. It
is the day on which a patient's predicted probability reaches q, where q is the largest number at which the
estimated share of patients whose event comes before their bound is at most 1 - level:

    ( 1 + sum over patients of 1{event before the bound} / G(T-) ) / ( patients + 1 )  <=  1 - level

Patients with events stand for the censored ones: they are weighted by the inverse of the probability G of
being followed that long (as Sesia and Svetnik, arXiv 2505.04568, weight the calibration of survival
probabilities), where 2410.20579 samples times for the censored. G is the reverse Kaplan-Meier estimate, so
censoring must be unrelated to what the patient is like. The 1 beside the sum and beside the number of
patients is the patient asked about, counted as missed: without censoring the rule is the rank of split
conformal prediction, and with censoring the guarantee is asymptotic.

No bound lies above the last day on which enough people are followed: where the level would allow more,
coverage is above the level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import InputError
from prognosis.survival.censoring import Censoring, estimate_censoring
from prognosis.survival.curves import Floats

LEVELS = np.round(np.arange(500, 996, 5) / 1000.0, 3)
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class SurvivalBound:
    """What turns a predicted cumulative incidence into a lower bound.

    Attributes:
        levels: (L,) confidence levels, increasing, in (0, 1).
        probability: (L,) in [0, 1], never rising: the bound is the first day on which the predicted
            probability of the event reaches it. 0 means that no bound above 0 days is supported.
        last_day: No bound lies above this day.
    """

    levels: Floats
    probability: Floats
    last_day: float

    def days(self, incidence: Floats, grid: Floats, level: float) -> Floats:
        """(n,) days for which cases stay free of the event with confidence `level`.

        Args:
            incidence: (n, G) predicted probability of the event by each day of `grid`, never falling.
            grid: (G,) increasing days from 0; the same grid as in the calibration.
            level: Confidence; one between two of `levels` gets the bound of the higher one.

        Raises:
            InputError: The level lies outside `levels`.
        """
        lowest, highest = float(self.levels[0]), float(self.levels[-1])
        if not lowest - _ROUNDING <= level <= highest + _ROUNDING:
            raise InputError(
                f"confidence level {level:g}",
                "has no calibrated bound",
                f"ask for one from {lowest:g} to {highest:g}",
            )
        place = int(np.searchsorted(self.levels, level - _ROUNDING))
        reached = day_of_probability(incidence, grid, float(self.probability[place]))
        return np.asarray(np.minimum(reached, self.last_day))


def fit_bound(
    score: Floats,
    days: Floats,
    cause: NDArray[np.int64],
    event: NDArray[np.bool_],
    patients: NDArray[np.str_],
) -> SurvivalBound:
    """Calibrate the bound on cases whose predictions did not see them.

    Args:
        score: (n,) predicted probability of the event by the end of the case's follow-up, in [0, 1].
        days: (n,) follow-up.
        cause: (n,) 0 when censored; every other number ends the follow-up without being a censoring.
        event: (n,) True where follow-up ended with the event that the bound is about.
        patients: (n,) the patient of each case; the cases of one patient count as one together.
    """
    censoring = estimate_censoring(days, cause > 0)
    last_day = censoring.last_day()
    weight = missed_weights(days, event, np.full(len(days), last_day), censoring)
    weight = weight * patient_shares(patients)
    order = np.argsort(score, kind="stable")
    distinct, first = np.unique(score[order], return_index=True)
    missed = np.cumsum(np.add.reduceat(weight[order], first))  # weight with a score up to each distinct one
    allowed = (1.0 - LEVELS) * (len(np.unique(patients)) + 1.0) - 1.0
    # A bound at a score misses those strictly below it: the first score up to which the weight is too much.
    place = np.searchsorted(missed, allowed + _ROUNDING, side="right")
    probability = np.concatenate([distinct, [1.0]])[place]
    return SurvivalBound(LEVELS, np.where(allowed >= -_ROUNDING, probability, 0.0), last_day)


def missed_weights(days: Floats, event: NDArray[np.bool_], bound: Floats, censoring: Censoring) -> Floats:
    """(n,) 1/G(T-) where the event came before the bound, else 0: its mean estimates the miscoverage.

    Args:
        days: (n,) follow-up.
        event: (n,) True where follow-up ended with the event that the bound is about.
        bound: (n,) lower bounds in days.
        censoring: Of the population.
    """
    missed = days < bound * (1.0 - _ROUNDING)  # a bound read off a curve at the event's own day may round up
    return np.asarray(np.where(event & missed, censoring.event_weight(days), 0.0))


def patient_shares(patients: NDArray[np.str_]) -> Floats:
    """(n,) 1 over the number of cases of the case's patient."""
    _, member, count = np.unique(patients, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / count[member])


def probability_at(incidence: Floats, grid: Floats, days: Floats) -> Floats:
    """(n,) each case's probability by its own day, linear between the grid's days and level after the last.

    Args:
        incidence: (n, G) probability by each day of `grid`.
        grid: (G,) increasing days from 0.
        days: (n,) one day a case.
    """
    right = np.clip(np.searchsorted(grid, days, side="left"), 1, len(grid) - 1)
    share = np.clip((days - grid[right - 1]) / (grid[right] - grid[right - 1]), 0.0, 1.0)
    row = np.arange(len(days))
    return np.asarray(incidence[row, right - 1] * (1.0 - share) + incidence[row, right] * share)


def day_of_probability(incidence: Floats, grid: Floats, probability: float) -> Floats:
    """(n,) first day on which each curve reaches `probability`; infinite where it never does.

    Args:
        incidence: (n, G) never falling along a row.
        grid: (G,) increasing days from 0.
        probability: In [0, 1].
    """
    reached = incidence >= probability
    right = np.maximum(reached.argmax(axis=1), 1)
    row = np.arange(len(incidence))
    before, after = incidence[row, right - 1], incidence[row, right]
    rise = after - before
    share = np.divide(probability - before, rise, out=np.zeros_like(rise), where=rise > 0)
    day = grid[right - 1] + np.clip(share, 0.0, 1.0) * (grid[right] - grid[right - 1])
    return np.asarray(np.where(reached.any(axis=1), day, np.inf))
