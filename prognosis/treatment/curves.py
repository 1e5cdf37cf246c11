"""Each arm's curve with its pointwise band: a probability that never turns back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from scipy.special import ndtri

from prognosis.treatment.effects import clustered_covariance

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ArmCurves:
    """Cumulative incidence under each arm, if every case were given it.

    Attributes:
        arms: Names.
        days: (T,) increasing.
        incidence: (A, T) from 0 to 1, never falling; higher is worse.
        low: (A, T) where the pointwise interval begins.
        high: (A, T) where it ends.
        level: Coverage of each interval by itself, not of the band as a whole.
    """

    arms: tuple[str, ...]
    days: Floats
    incidence: Floats
    low: Floats
    high: Floats
    level: float

    @property
    def survival(self) -> Floats:
        """(A, T) chance of no event of the cause yet; never rises."""
        return np.asarray(1.0 - self.incidence)


def arm_curves(
    scores: Floats, days: Floats, arms: tuple[str, ...], patients: NDArray[np.str_], level: float = 0.95
) -> ArmCurves:
    """Means of incidence scores, made monotone, with their band.

    Means of scores may turn back or leave 0 to 1 by chance. The nearest monotone curve is never further from
    the truth (Westling, van der Laan and Carone, Electron J Stat 2020;14:3032), and neither is its band.

    Args:
        scores: (n, A, T) of incidence.
        days: (T,) increasing.
        arms: Names.
        patients: (n,) the patient of each case.
        level: Coverage aimed at on each day.
    """
    mean = scores.mean(axis=0)
    spread = [np.sqrt(np.diag(clustered_covariance(scores[:, a], patients))) for a in range(len(arms))]
    reach = ndtri(0.5 + level / 2.0) * np.stack(spread)
    rising = [_rising(each) for each in (mean, mean - reach, mean + reach)]
    return ArmCurves(arms, days, rising[0], rising[1], rising[2], level)


def _rising(curves: Floats) -> Floats:
    """(A, T) nearest non-decreasing curves, cut to 0 and 1."""
    return np.clip([isotonic_regression(curve).x for curve in curves], 0.0, 1.0)
