"""Whether those predicted to gain more do gain more: calibration for benefit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.treatment.effects import clustered_covariance
from prognosis.treatment.estimate import Estimate, estimate
from prognosis.treatment.linear_effect import fit_linear_effect

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BenefitGroup:
    """Cases of like predicted benefit.

    Attributes:
        cases: How many.
        predicted: Their mean predicted effect.
        observed: Their effect by doubly robust scores.
    """

    cases: int
    predicted: float
    observed: Estimate


@dataclass(frozen=True, slots=True)
class BenefitCalibration:
    """Predicted against observed effects.

    Attributes:
        groups: By quantile of predicted effect, least first.
        slope: Observed effect per unit of predicted effect: 1 is right, 0 says that the predictions tell
            patients no more apart than chance (Chernozhukov, Demirer, Duflo and Fernandez-Val 2018; van
            Klaveren et al., J Clin Epidemiol 2018;94:59). None where all predictions are alike.
        average: Observed less predicted effect on average; 0 is right.
    """

    groups: tuple[BenefitGroup, ...]
    slope: Estimate | None
    average: Estimate


def benefit_calibration(
    predicted: Floats,
    difference: Floats,
    patients: NDArray[np.str_],
    groups: int = 4,
    level: float = 0.95,
) -> BenefitCalibration:
    """Hold predicted effects against differences of doubly robust scores.

    Of predictions out of fold a slope below 0 is no finding; see `ranking_value`.

    Args:
        predicted: (n,) effect predicted out of fold.
        difference: (n,) scores under the arm less those under the reference.
        patients: (n,) the patient of each case.
        groups: Quantile groups; equal predictions stay together, so there may be fewer.
        level: Coverage of intervals.
    """
    gap = (difference - predicted)[:, None]
    average = estimate(float(gap.mean()), float(np.sqrt(clustered_covariance(gap, patients)[0, 0])), level)
    edges = np.unique(np.quantile(predicted, np.linspace(0.0, 1.0, groups + 1)[1:-1]))
    place = np.searchsorted(edges, predicted, side="left")
    found = tuple(_group(predicted, difference, patients, place == g, level) for g in np.unique(place))
    if not predicted.std() > 1e-9 * max(abs(float(predicted.mean())), 1e-12):
        return BenefitCalibration(found, None, average)
    fitted = fit_linear_effect(
        predicted[:, None], difference, patients, np.zeros(len(predicted), np.int64), 0.0
    )
    scale = float(fitted.scales[0])
    error = float(np.sqrt(fitted.covariance[1, 1])) / scale
    return BenefitCalibration(found, estimate(float(fitted.coefficients[0]) / scale, error, level), average)


def _group(
    predicted: Floats, difference: Floats, patients: NDArray[np.str_], own: NDArray[np.bool_], level: float
) -> BenefitGroup:
    values = difference[own][:, None]
    error = float(np.sqrt(clustered_covariance(values, patients[own])[0, 0]))
    observed = estimate(float(values.mean()), error, level)
    return BenefitGroup(int(own.sum()), float(predicted[own].mean()), observed)
