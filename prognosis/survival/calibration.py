"""Do predicted risks mean what they say: overall, as a slope, and along the range of risk."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import CohortError
from prognosis.survival.brier import known_state_weights
from prognosis.survival.censoring import estimate_censoring
from prognosis.survival.curves import Floats, incidence_at
from prognosis.survival.logistic import logistic_slope, sigmoid, spline_basis, weighted_logistic
from prognosis.survival.statistic import Statistic, once

_EDGE = 1e-6


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """One group of cases with similar predicted risk.

    Attributes:
        predicted: Mean predicted risk, 0 to 1.
        observed: Risk observed by Aalen-Johansen (Kaplan-Meier with one cause), 0 to 1.
        cases: Number of cases.
        effective_cases: Square of the sum of the inverse-probability-of-censoring weights over the sum of
            their squares (Kish 1965), censoring being that of the group: the number of cases where all are
            followed to the horizon, fewer where some are not.
    """

    predicted: float
    observed: float
    cases: int
    effective_cases: float


@dataclass(frozen=True, slots=True)
class SmoothCalibration:
    """Observed risk as a smooth function of predicted risk, and the distances between the two.

    Attributes:
        predicted: (n,) predicted risks, increasing.
        observed: (n,) smoothed observed risk at each.
        ici: Mean absolute distance (integrated calibration index; Austin and Steyerberg 2019).
        e50: Median absolute distance.
        e90: 90th percentile of the absolute distance.
    """

    predicted: Floats
    observed: Floats
    ici: float
    e50: float
    e90: float


def log_odds(risk: Floats) -> Floats:
    """log(p / (1 - p)), with p kept 1e-6 away from 0 and 1."""
    kept = np.clip(risk, _EDGE, 1.0 - _EDGE)
    odds: Floats = np.log(kept) - np.log1p(-kept)
    return odds


def observed_risk(days: Floats, cause: NDArray[np.int64], time: float, of_cause: int = 1) -> float:
    """Aalen-Johansen estimate of the risk of `of_cause` by `time` among these cases."""
    return float(incidence_at(days, cause, of_cause, time, once(len(days)))[0])


def observed_over_expected(
    days: Floats, cause: NDArray[np.int64], risk: Floats, time: float, of_cause: int = 1
) -> Statistic:
    """Calibration in the large: observed over mean predicted risk; 1 is right, above 1 underpredicts.

    Args:
        days: (n,) follow-up, > 0.
        cause: (n,) 0 when censored, else 1 to K.
        risk: (n,) predicted risk of `of_cause` by `time`.
        time: The horizon in days.
        of_cause: The cause asked about.

    Returns:
        The statistic for (R, n) case weights.
    """

    def ratio(weights: Floats) -> Floats:
        observed = incidence_at(days, cause, of_cause, time, weights)
        expected = (weights @ risk) / weights.sum(axis=1)
        value: Floats = np.divide(observed, expected, out=np.full_like(observed, np.nan), where=expected > 0)
        return value

    return ratio


def calibration_slope(outcome: NDArray[np.bool_], known: Floats, risk: Floats) -> Statistic:
    """Slope of the outcome on the log-odds of the predicted risk: 1 is right, below 1 is overconfident.

    A logistic regression weighted by the inverse probability that the state at the horizon is known
    (`known_state_weights`), so that censored cases are represented by those seen.

    Args:
        outcome: (n,) True where the event was seen by the horizon.
        known: (n,) inverse-probability weight of the state; 0 where it is not known.
        risk: (n,) predicted risk by the horizon.

    Returns:
        The statistic for (R, n) case weights; NaN where all outcomes or all risks agree.
    """
    predictor = log_odds(risk)

    def slope(weights: Floats) -> Floats:
        return logistic_slope(predictor, outcome.astype(np.float64), weights * known)

    return slope


def calibration_bins(
    days: Floats,
    cause: NDArray[np.int64],
    risk: Floats,
    time: float,
    *,
    of_cause: int = 1,
    bins: int = 10,
) -> tuple[CalibrationBin, ...]:
    """Observed against predicted risk in groups of equal size, by increasing predicted risk.

    Args:
        days: (n,) follow-up, > 0.
        cause: (n,) 0 when censored, else 1 to K.
        risk: (n,) predicted risk of `of_cause` by `time`.
        time: The horizon in days.
        of_cause: The cause asked about.
        bins: The most groups; fewer when predictions are tied. Tied predictions share a group.
    """
    edges = np.unique(np.quantile(risk, np.linspace(0.0, 1.0, bins + 1)[1:-1]))
    group = np.searchsorted(edges, risk, side="left")
    members = [np.flatnonzero(group == number) for number in np.unique(group)]
    return tuple(
        CalibrationBin(
            predicted=float(risk[rows].mean()),
            observed=observed_risk(days[rows], cause[rows], time, of_cause),
            cases=len(rows),
            effective_cases=_effective_cases(days[rows], cause[rows], time),
        )
        for rows in members
    )


def _effective_cases(days: Floats, cause: NDArray[np.int64], time: float) -> float:
    censoring = estimate_censoring(days, cause > 0)
    weights = known_state_weights(days, cause, np.array([time]), censoring)
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def wilson_interval(share: Floats, cases: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
    """Lower and upper end of Wilson's score interval of observed shares, which has a width at 0 and 1 too.

    Wilson, JASA 1927; Brown, Cai and DasGupta, Statistical Science 2001, section 3.1.1. Nothing known is
    the interval from 0 to 1.

    Args:
        share: Observed shares, 0 to 1.
        cases: How many cases, or effective cases, each is of; 0 or more.
        level: Coverage.
    """
    z = NormalDist().inv_cdf(0.5 + level / 2.0)
    middle = cases * share + 0.5 * z**2
    half = z * np.sqrt(cases * share * (1.0 - share) + 0.25 * z**2)
    return np.clip((middle - half) / (cases + z**2), 0.0, share), np.clip(
        (middle + half) / (cases + z**2), share, 1.0
    )


def smooth_calibration(outcome: NDArray[np.bool_], known: Floats, risk: Floats) -> SmoothCalibration:
    """Smoothed calibration by IPCW logistic regression on a natural spline of the log-odds (4 knots).

    Args:
        outcome: (n,) True where the event was seen by the horizon.
        known: (n,) inverse-probability weight of the state; 0 where it is not known.
        risk: (n,) predicted risk by the horizon.

    Raises:
        CohortError: Too few distinct risks, or all outcomes agree, so there is no curve to fit.
    """
    odds = log_odds(risk)
    knots = np.unique(np.quantile(odds, [0.05, 0.35, 0.65, 0.95]))
    seen = outcome[known > 0]
    if len(knots) < 4 or seen.all() or not seen.any():
        raise CohortError(
            "calibration curve", "risks or outcomes do not vary enough", "use more cases or fewer bins"
        )
    design = np.column_stack([np.ones(len(odds)), spline_basis(odds, knots)])
    fitted = weighted_logistic(design, outcome.astype(np.float64), known)
    observed = sigmoid(design @ fitted)
    gap = np.abs(observed - risk)
    order = np.argsort(risk, kind="stable")
    return SmoothCalibration(
        predicted=risk[order],
        observed=observed[order],
        ici=float(gap.mean()),
        e50=float(np.quantile(gap, 0.5)),
        e90=float(np.quantile(gap, 0.9)),
    )
