"""Fine and Gray's model as a peer: Cox regression on the hazard of the subdistribution (JASA 1999;94:496).

A patient in whom another cause came first stays in the risk set, with the weight G(t) / G(T) of still being
under observation. Those weights are a product of a function of t and one of the patient, so that each risk
set is two running sums and no patient has to be split into many rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case, Cohort, cohort_target
from prognosis.errors import CohortError
from prognosis.evaluation.features import FeatureTable, learn_features
from prognosis.survival.breslow import BaselineHazard
from prognosis.survival.censoring import estimate_censoring
from prognosis.survival.curves import Floats

PENALTY = 1.0
_TOLERANCE = 1e-9  # of the Newton decrement, in log-likelihood
_MAX_STEPS = 50


@dataclass(frozen=True, slots=True)
class FineGray:
    """A fitted subdistribution hazard of one cause.

    Attributes:
        coefficients: (p,) log subdistribution hazard per standard deviation of each covariate.
        means: (p,) what is subtracted from each covariate.
        scales: (p,) what each is then divided by.
        baseline: Cumulative subdistribution hazard at the means.
    """

    coefficients: Floats
    means: Floats
    scales: Floats
    baseline: BaselineHazard

    @property
    def per_unit(self) -> Floats:
        """(p,) log subdistribution hazard per unit of each covariate as it was given."""
        return self.coefficients / self.scales

    def incidence(self, covariates: Floats, days: Floats) -> Floats:
        """(n, len(days)) probability of the cause by each day, the other causes allowed for."""
        log_hazard = ((covariates - self.means) / self.scales) @ self.coefficients
        return np.asarray(-np.expm1(-self.baseline.at(days)[None, :] * np.exp(log_hazard)[:, None]))


@dataclass(frozen=True, slots=True)
class FineGrayPredictor:
    """One subdistribution model a cause; as separate models, their incidences may sum to more than one."""

    features: FeatureTable
    models: tuple[FineGray, ...]

    def cumulative_incidence(self, cases: Sequence[Case], days: Floats) -> Floats:
        """See `Predictor`."""
        covariates = self.features.transform(cases)
        return np.stack([model.incidence(covariates, days) for model in self.models], axis=1)


def fit_fine_gray_peer(cohort: Cohort) -> FineGrayPredictor:
    """One model a cause on the last known values of every code.

    Raises:
        CohortError: The task has one cause only, or a cause never occurs.
    """
    target = cohort_target(cohort)
    if len(target.causes) < 2:
        raise CohortError(
            f"cohort of task {cohort.task.name}",
            "has one cause only",
            "use Fine and Gray's model where causes compete",
        )
    features = learn_features(cohort.task, cohort.cases)
    covariates = features.transform(cohort.cases)
    causes = range(1, len(target.causes) + 1)
    return FineGrayPredictor(
        features, tuple(fit_fine_gray(covariates, target.days, target.cause, cause) for cause in causes)
    )


def fit_fine_gray(
    covariates: Floats,
    days: Floats,
    cause: NDArray[np.int64],
    of_cause: int = 1,
    penalty: float = PENALTY,
) -> FineGray:
    """The subdistribution hazards that maximise the weighted partial likelihood, ties by Breslow's method.

    Args:
        covariates: (n, p) finite.
        days: (n,) follow-up in days.
        cause: (n,) 0 when censored, else 1 to K.
        of_cause: The cause asked about.
        penalty: Of 1/2 penalty |coefficients|^2, covariates standardised; the small default only keeps
            collinear columns from running away.

    Raises:
        CohortError: The cause never occurs.
    """
    if not (cause == of_cause).any():
        raise CohortError("Fine and Gray's model", "has no event of its cause", "use a longer follow-up")
    means, spread = covariates.mean(axis=0), covariates.std(axis=0)
    scales = np.where(spread > 1e-12 * np.maximum(np.abs(means), 1.0), spread, 1.0)
    design = (covariates - means) / scales
    sets = _RiskSets(days, cause, of_cause)
    coefficients = np.zeros(design.shape[1])
    for _ in range(_MAX_STEPS):
        slope, curvature = sets.slope_and_curvature(design, design @ coefficients)
        gradient = slope - penalty * coefficients
        curvature += penalty * np.eye(len(gradient))
        step: Floats = np.asarray(np.linalg.lstsq(curvature, gradient, rcond=None)[0], dtype=np.float64)
        coefficients = _improved(sets, design, penalty, coefficients, step)
        if float(gradient @ step) < _TOLERANCE:
            break
    baseline = BaselineHazard(sets.times, np.cumsum(sets.deaths / sets.at_risk(design @ coefficients)))
    return FineGray(coefficients, means, scales, baseline)


class _RiskSets:
    """The weighted risk set at each time of an event of one cause."""

    def __init__(self, days: Floats, cause: NDArray[np.int64], of_cause: int) -> None:
        order = np.argsort(days, kind="stable")
        self._order, ordered, kind = order, days[order], cause[order]
        self._event = kind == of_cause
        self.times = np.unique(ordered[self._event])
        self._group = np.searchsorted(self.times, ordered[self._event])
        self.deaths = np.bincount(self._group).astype(np.float64)
        self._start = np.searchsorted(ordered, self.times, side="left")
        censoring = estimate_censoring(days, cause > 0)
        self._still = censoring.uncensored.before(self.times)
        # Who has had another cause: from then on at risk with weight G(t) / G(T).
        self._kept = (kind > 0) * (kind != of_cause) * censoring.event_weight(ordered)

    def at_risk(self, log_hazard: Floats) -> Floats:
        """(E,) the weighted sum of risks at each event time."""
        return self._sums(np.exp(log_hazard[self._order])[:, None])[:, 0]

    def log_likelihood(self, log_hazard: Floats) -> float:
        """The weighted log partial likelihood."""
        own = float(log_hazard[self._order][self._event].sum())
        return own - float(self.deaths @ np.log(self.at_risk(log_hazard)))

    def slope_and_curvature(self, design: Floats, log_hazard: Floats) -> tuple[Floats, Floats]:
        """Gradient (p,) and negative Hessian (p, p) in the coefficients."""
        risk, covariates = np.exp(log_hazard[self._order]), design[self._order]
        total = self._sums(risk[:, None])
        centres = self._sums(risk[:, None] * covariates) / total
        slope = covariates[self._event].sum(axis=0) - self.deaths @ centres
        hazard = self.deaths / total[:, 0]
        # What each patient was exposed to: all events up to the last day, weighted ones from then on.
        before = np.concatenate([[0.0], np.cumsum(hazard)])
        later = np.concatenate([np.cumsum((hazard * self._still)[::-1])[::-1], [0.0]])
        reached = np.searchsorted(self._start, np.arange(len(risk)), side="right")
        exposure = risk * (before[reached] + self._kept * later[reached])
        curvature = covariates.T @ (exposure[:, None] * covariates)
        return slope, curvature - centres.T @ (self.deaths[:, None] * centres)

    def _sums(self, values: Floats) -> Floats:
        """(E, p) sums of (n, p) values over each risk set."""
        following = np.cumsum(values[::-1], axis=0)[::-1][self._start]
        earlier = np.cumsum(self._kept[:, None] * values, axis=0)
        kept = np.concatenate([np.zeros((1, values.shape[1])), earlier])[self._start]
        return np.asarray(following + self._still[:, None] * kept)


def _improved(sets: _RiskSets, design: Floats, penalty: float, coefficients: Floats, step: Floats) -> Floats:
    """A Newton step, halved until the penalised likelihood does not fall."""

    def objective(at: Floats) -> float:
        return sets.log_likelihood(design @ at) - 0.5 * penalty * float(at @ at)

    reached = objective(coefficients)
    for _ in range(30):
        if objective(coefficients + step) >= reached:
            return coefficients + step
        step = step / 2.0
    return coefficients
