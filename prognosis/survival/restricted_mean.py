"""Restricted means: days lived free of events, and days lost to a cause, of the first `tau`.

Unlike a hazard ratio they need no model and read in days; over all causes they add up to `tau` (Royston and
Parmar, BMC Med Res Methodol 2013;13:152; with competing risks Andersen, Stat Med 2013;32:5278).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import CohortError
from prognosis.survival.curves import Floats, aalen_johansen
from prognosis.survival.influence import days_lost_influence


@dataclass(frozen=True, slots=True)
class RestrictedMean:
    """An area under a curve with its sampling variance.

    Attributes:
        days: The area, 0 to `tau` days.
        variance: Of `days`, in days squared, by the infinitesimal jackknife.
        tau: Where the follow-up counted ends, in days.
    """

    days: float
    variance: float
    tau: float


def restricted_mean_lost(
    days: Floats, cause: NDArray[np.int64], tau: float, of_cause: int = 1
) -> RestrictedMean:
    """Mean days of the first `tau` lost to a cause: the area under its Aalen-Johansen curve.

    Args:
        days: (n,) follow-up, > 0.
        cause: (n,) 0 when censored, else 1 to K.
        tau: Days; at most the longest follow-up.
        of_cause: The cause asked about.

    Raises:
        CohortError: `tau` is not above 0, or somebody without an event is last seen before it and nobody
            later, so that the curve is not known there.
    """
    last = days == days.max()
    if tau <= 0 or (tau > days.max() and not (cause[last] > 0).all()):
        raise CohortError(
            f"restricted mean to {tau:g} days", "nobody is followed that long", "choose an earlier end"
        )
    curve = aalen_johansen(days, np.where(cause == of_cause, 1, np.where(cause > 0, 2, 0)), 2)[0]
    inside = curve.days < tau
    widths = np.diff(np.append(curve.days[inside], tau))
    area = float(curve.values[inside] @ widths)
    return RestrictedMean(area, float((days_lost_influence(days, cause, of_cause, tau) ** 2).sum()), tau)


def restricted_mean_survival(days: Floats, event: NDArray[np.bool_], tau: float) -> RestrictedMean:
    """Mean days of the first `tau` lived free of the event: the area under the Kaplan-Meier curve.

    Args:
        days: (n,) follow-up, > 0.
        event: (n,) True where the follow-up ended with the event (of any cause).
        tau: Days; at most the longest follow-up.

    Raises:
        CohortError: As `restricted_mean_lost`.
    """
    lost = restricted_mean_lost(days, event.astype(np.int64), tau)
    return RestrictedMean(tau - lost.days, lost.variance, tau)


def predicted_days_lost(risk: Floats, days: Floats) -> Floats:
    """(n,) area under predicted cumulative incidences from 0 to the last of `days`, linear between them.

    Args:
        risk: (n, T) predicted cumulative incidence of one cause by each day, 0 to 1. The areas of all causes
            and the restricted mean survival add up to `days[-1]`.
        days: (T,) increasing days > 0.
    """
    curve = np.pad(risk, ((0, 0), (1, 0)))
    area: Floats = np.trapezoid(curve, np.concatenate([[0.0], days]), axis=1)
    return area
