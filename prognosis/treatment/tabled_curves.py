"""Each arm's curve for one patient as arrays: quick to read, and brought to agree with its days kept.

The shape of a curve is that of `IndividualCurves`. Its level is moved on the log-hazard of the event asked
about until the days that it keeps are those of the doubly robust effect, so that a curve and the number
beside it say the same. What is unsure of the level comes from those days alone, what is unsure of the shape
from patients drawn again: each sample's curve is moved to keep days that are drawn about the estimate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from prognosis.treatment.effects import ArmValues
from prognosis.treatment.estimate import Estimate, ratio_estimate
from prognosis.treatment.individual import CauseModels, IndividualCurves, band

Floats = NDArray[np.float64]

_FURTHEST = 20.0
_MOST_MOVED = 12.0
_STEPS = 40
_WITHIN = 0.001  # of the horizon, that drawn days keep from its ends
_CASES_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class MovedCurves:
    """One patient's curves.

    Attributes:
        days: (J,) the last one the horizon.
        incidence: (A, J) higher is worse.
        low: (A, J) lower end of the pointwise interval.
        high: (A, J) upper end.
        kept: (A,) days of the horizon that the curve keeps free of the event.
        drawn: (R, A) incidence by the horizon of each sample; arms of one sample belong together.
        drawn_kept: (R, A) days that each sample keeps.
        level: Of the intervals.
    """

    days: Floats
    incidence: Floats
    low: Floats
    high: Floats
    kept: Floats
    drawn: Floats
    drawn_kept: Floats
    level: float

    def risk_ratio(self, arm: int, reference: int) -> Estimate | None:
        """Incidence by the horizon under one arm (by number) over that under another; below 1 is better.

        None where an interval of one of the two that is symmetric about it would hold 0: a ratio to it says
        nothing.
        """
        places = [arm, reference]
        risk, spread = self.incidence[places, -1], self.drawn[:, places].std(axis=0, ddof=1)
        if (risk <= ndtri(0.5 + self.level / 2.0) * spread).any():
            return None
        logs = self.drawn[:, places] / risk
        error = float((logs[:, 0] - logs[:, 1]).std(ddof=1))
        return ratio_estimate(float(risk[0] / risk[1]), error, self.level)


@dataclass(frozen=True, slots=True)
class TabledCurves:
    """Hazards of C causes, the one asked about first, under A arms: of all cases, then of R drawn again.

    Attributes:
        grid: (J,) days, the last one the horizon.
        baseline: (1 + R, C, A, J) cumulative hazard of a case whose covariates are all 0.
        slopes: (1 + R, C, A, p) log-hazard per unit of each covariate.
        level: Coverage of intervals.
    """

    grid: Floats
    baseline: Floats
    slopes: Floats
    level: float

    @staticmethod
    def of(curves: IndividualCurves) -> TabledCurves:
        """The arrays of fitted models."""
        models = [_tabled(each, curves.grid) for each in (curves.models, *curves.replicates)]
        baseline, slopes = (np.stack([own[place] for own in models]) for place in range(2))
        return TabledCurves(curves.grid, baseline, slopes, curves.level)

    def moved_to(self, covariates: Floats, kept_days: ArmValues) -> MovedCurves:
        """The curves of one patient, moved until they keep so many days.

        Args:
            covariates: (p,) of the patient.
            kept_days: Days of the horizon free of the event under each arm, with their covariance.
        """
        ratio = np.exp(np.clip(self.slopes @ covariates, -_FURTHEST, _FURTHEST))
        cumulative = self.baseline * ratio[..., None]
        asked = np.concatenate([kept_days.values[None], self._drawn(kept_days)])
        cumulative[:, 0] *= np.exp(self._move(cumulative, asked))[..., None]
        each = _incidence(cumulative)
        low, high = band(each[0], each[1:], self.level)
        kept = self._kept(each)
        return MovedCurves(self.grid, each[0], low, high, kept[0], each[1:, :, -1], kept[1:], self.level)

    def levels(self, covariates: Floats) -> Floats:
        """(n,) days of the horizon kept free of the event, averaged over arms, before they are moved."""
        found = np.zeros(len(covariates))
        for first in range(0, len(covariates), _CASES_AT_ONCE):
            some = covariates[first : first + _CASES_AT_ONCE]
            ratio = np.exp(np.clip(np.einsum("cap,np->nca", self.slopes[0], some), -_FURTHEST, _FURTHEST))
            kept = self._kept(_incidence(self.baseline[0] * ratio[..., None]))
            found[first : first + _CASES_AT_ONCE] = kept.mean(axis=1)
        return found

    def _drawn(self, kept_days: ArmValues) -> Floats:
        """(R, A) days that lie about the estimate with exactly its covariance, the same draws for all."""
        samples, arms = len(self.baseline) - 1, len(kept_days.values)
        chance = np.random.default_rng(0).standard_normal((samples, arms))
        chance -= chance.mean(axis=0)
        root = np.linalg.cholesky(np.cov(chance, rowvar=False).reshape(arms, arms))
        even = np.linalg.solve(root, chance.T)
        size, way = np.linalg.eigh(kept_days.covariance)
        drawn = kept_days.values + ((way * np.sqrt(np.maximum(size, 0.0))) @ even).T
        edge = _WITHIN * float(self.grid[-1])
        return np.clip(drawn, edge, float(self.grid[-1]) - edge)

    def _move(self, cumulative: Floats, kept_days: Floats) -> Floats:
        """(N, A) on the log-hazard, of hazards (N, C, A, J); the higher, the fewer days are kept."""
        low = np.full(kept_days.shape, -_MOST_MOVED)
        high = np.full(kept_days.shape, _MOST_MOVED)
        for _ in range(_STEPS):
            tried = (low + high) / 2.0
            own = cumulative[:, :1] * np.exp(tried)[:, None, :, None]
            kept = self._kept(_incidence(np.concatenate([own, cumulative[:, 1:]], axis=1)))
            low, high = np.where(kept > kept_days, tried, low), np.where(kept > kept_days, high, tried)
        return (low + high) / 2.0

    def _kept(self, incidence: Floats) -> Floats:
        return np.asarray(self.grid[-1] - incidence[..., :-1] @ np.diff(self.grid))


def _tabled(models: CauseModels, grid: Floats) -> tuple[Floats, Floats]:
    """(C, A, J) baselines and (C, A, p) slopes."""
    kinds = [models.own, *([] if models.competing is None else [models.competing])]
    baselines, slopes = [], []
    for kind in kinds:
        at_zero = kind.log_ratio(np.zeros((1, len(kind.means))))[0]
        baselines.append(kind.baseline(grid, before=False) * np.exp(at_zero)[:, None])
        slopes.append(np.stack([kind.coefficients(arm) / kind.scales for arm in range(len(kind.own))]))
    return np.stack(baselines), np.stack(slopes)


def _incidence(cumulative: Floats) -> Floats:
    """(.., A, J) of the first cause, of cumulative hazards (.., C, A, J)."""
    own = cumulative[..., 0, :, :]
    if cumulative.shape[-3] == 1:
        return np.asarray(-np.expm1(-own))
    total = cumulative.sum(axis=-3)
    steps, own_steps = (np.diff(each, axis=-1, prepend=0.0) for each in (total, own))
    share = np.divide(own_steps, steps, out=np.zeros_like(steps), where=steps > 0)
    free = np.exp(-np.concatenate([np.zeros_like(total[..., :1]), total[..., :-1]], axis=-1))
    return np.cumsum(free * -np.expm1(-steps) * share, axis=-1)
