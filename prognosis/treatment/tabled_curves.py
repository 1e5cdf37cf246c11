"""Each arm's curve for one patient as arrays: quick to read, and brought to agree with its days kept.

The shape of a curve is that of `IndividualCurves`. Its level is moved on the log-hazard of the event asked
about until the days that it keeps are those of the doubly robust effect, so that a curve and the number
beside it say the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.treatment.individual import CauseModels, IndividualCurves, band

Floats = NDArray[np.float64]

_FURTHEST = 20.0
_MOST_MOVED = 12.0
_STEPS = 60
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
        moved: (A,) by what the log-hazard was moved.
    """

    days: Floats
    incidence: Floats
    low: Floats
    high: Floats
    kept: Floats
    moved: Floats


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

    def moved_to(self, covariates: Floats, kept_days: Floats) -> MovedCurves:
        """The curves of one patient, moved until they keep so many days.

        Args:
            covariates: (p,) of the patient.
            kept_days: (A,) days of the horizon free of the event under each arm.
        """
        ratio = np.exp(np.clip(self.slopes @ covariates, -_FURTHEST, _FURTHEST))
        cumulative = self.baseline * ratio[..., None]
        moved = self._move(cumulative[0], kept_days)
        cumulative[:, 0] *= np.exp(moved)[:, None]
        each = _incidence(cumulative)
        low, high = band(each[0], each[1:], self.level)
        return MovedCurves(self.grid, each[0], low, high, self._kept(each[0]), moved)

    def levels(self, covariates: Floats) -> Floats:
        """(n,) days of the horizon kept free of the event, averaged over arms, before they are moved."""
        found = np.zeros(len(covariates))
        for first in range(0, len(covariates), _CASES_AT_ONCE):
            some = covariates[first : first + _CASES_AT_ONCE]
            ratio = np.exp(np.clip(np.einsum("cap,np->nca", self.slopes[0], some), -_FURTHEST, _FURTHEST))
            kept = self._kept(_incidence(self.baseline[0] * ratio[..., None]))
            found[first : first + _CASES_AT_ONCE] = kept.mean(axis=1)
        return found

    def _move(self, cumulative: Floats, kept_days: Floats) -> Floats:
        """(A,) on the log-hazard, by bisection: the higher the hazard, the fewer days are kept."""
        low = np.full(len(kept_days), -_MOST_MOVED)
        high = np.full(len(kept_days), _MOST_MOVED)
        for _ in range(_STEPS):
            tried = (low + high) / 2.0
            own = cumulative[0] * np.exp(tried)[:, None]
            kept = self._kept(_incidence(np.concatenate([own[None], cumulative[1:]])))
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
