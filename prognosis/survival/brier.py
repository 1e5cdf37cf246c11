"""Brier scores under censoring: squared errors reweighted by the chance of having been seen.

At a horizon t the state of a case is known when an event of any cause came by t (weight 1/G(T-)) or it
was still followed after t (weight 1/G(t)); a case censored before t has weight 0 (Graf et al. 1999; with
competing risks Gerds and Schumacher 2006). With one cause the CIF is 1 - S and this is the usual score.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognosis.compiled import compiled
from prognosis.survival.censoring import Censoring
from prognosis.survival.curves import Floats

_ROWS_AT_ONCE = 1_024


def known_state_weights(
    days: Floats, cause: NDArray[np.int64], times: Floats, censoring: Censoring
) -> Floats:
    """(n, T) inverse-probability weight of each case's state at each time; 0 where it is not known.

    Args:
        days: (n,) follow-up, > 0.
        cause: (n,) 0 when censored, else 1 to K.
        times: (T,) days at which the state is asked for.
        censoring: Estimated on the training cases.
    """
    over = (days[:, None] <= times) & (cause > 0)[:, None]
    free = days[:, None] > times
    return over * censoring.event_weight(days)[:, None] + free * censoring.free_weight(times)


def had_event(days: Floats, cause: NDArray[np.int64], times: Floats, of_cause: int = 1) -> NDArray[np.bool_]:
    """(n, T) True where the cause asked about was seen to occur by the time."""
    happened: NDArray[np.bool_] = (days[:, None] <= times) & (cause == of_cause)[:, None]
    return happened


def brier_contributions(
    days: Floats,
    cause: NDArray[np.int64],
    risk: Floats,
    times: Floats,
    censoring: Censoring,
    of_cause: int = 1,
) -> Floats:
    """(n, T) each case's weighted squared error; the mean over cases is the Brier score.

    Args:
        days: (n,) follow-up, > 0.
        cause: (n,) 0 when censored, else 1 to K.
        risk: (n, T) predicted cumulative incidence of `of_cause` at `times`, 0 to 1.
        times: (T,) days.
        censoring: Estimated on the training cases.
        of_cause: The cause asked about.
    """
    squares = np.empty(risk.shape)
    _weigh_squares(
        np.ascontiguousarray(days),
        np.where(cause > 0, censoring.event_weight(days), 0.0),
        (cause == of_cause).astype(np.float64),
        np.ascontiguousarray(times),
        censoring.free_weight(times),
        np.ascontiguousarray(risk),
        squares,
    )
    return squares


@compiled
def _weigh_squares(
    days: Floats,
    over_weight: Floats,
    outcome: Floats,
    times: Floats,
    free_weight: Floats,
    risk: Floats,
    squares: Floats,
) -> None:
    """Fill the (n, T) weighted `squares`: the weights of `known_state_weights`, without holding them.

    Once a case's follow-up is over its weight is (n,) `over_weight` and its outcome is 1 for the cause asked
    about, else 0; before that its weight is (T,) `free_weight` and its outcome 0.
    """
    for case in range(len(days)):
        for place in range(len(times)):
            if days[case] <= times[place]:
                error = outcome[case] - risk[case, place]
                squares[case, place] = over_weight[case] * (error * error)
            else:
                squares[case, place] = free_weight[place] * (risk[case, place] * risk[case, place])


def brier_scores(
    days: Floats,
    cause: NDArray[np.int64],
    risk: Floats,
    times: Floats,
    censoring: Censoring,
    of_cause: int = 1,
) -> Floats:
    """(T,) IPCW Brier score at each time; 0 is perfect, lower is better. Arguments as above."""
    sums = np.zeros(len(times))
    for first in range(0, len(days), _ROWS_AT_ONCE):  # few enough to stay in the processor's cache
        rows = slice(first, first + _ROWS_AT_ONCE)
        sums += brier_contributions(days[rows], cause[rows], risk[rows], times, censoring, of_cause).sum(
            axis=0
        )
    scores: Floats = sums / len(days)
    return scores


def integrate(values: Floats, times: Floats) -> Floats:
    """The mean over [times[0], times[-1]] of curves given on a grid, by the trapezoid rule.

    Args:
        values: (..., T) the curves.
        times: (T,) at least two increasing days.
    """
    mean: Floats = np.trapezoid(values, times, axis=-1) / (times[-1] - times[0])
    return mean


def integrated_brier(
    days: Floats,
    cause: NDArray[np.int64],
    risk: Floats,
    times: Floats,
    censoring: Censoring,
    of_cause: int = 1,
) -> float:
    """Integrated Brier score over the grid; lower is better. Arguments as in `brier_contributions`."""
    return float(integrate(brier_scores(days, cause, risk, times, censoring, of_cause), times))
