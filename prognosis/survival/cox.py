"""Ridge-penalised Cox regression, its cross-validated penalty and its baseline hazard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import CohortError
from prognosis.survival.breslow import BaselineHazard, breslow_baseline
from prognosis.survival.partial_likelihood import RiskSets

Floats = NDArray[np.float64]

PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0)
_TOLERANCE = 1e-10  # of the Newton decrement, in log-likelihood; the last step is still taken
_PATH_TOLERANCE = 1e-4  # enough to compare penalties
_MAX_STEPS = 60


@dataclass(frozen=True, slots=True)
class CoxRidge:
    """A fitted Cox model.

    Attributes:
        coefficients: (p,) log-hazard per standard deviation of each covariate; positive is worse.
        means: (p,) what is subtracted from each covariate.
        scales: (p,) what each is then divided by; 1 where a covariate does not vary.
        penalty: Of 1/2 penalty |coefficients|^2, against the summed log partial likelihood.
        log_likelihood: The log partial likelihood reached, without the penalty.
        baseline: The cumulative hazard of a case at the means, its offset zero.
        converged: False when the largest gradient stayed above tolerance.
    """

    coefficients: Floats
    means: Floats
    scales: Floats
    penalty: float
    log_likelihood: float
    baseline: BaselineHazard
    converged: bool

    @property
    def per_unit(self) -> Floats:
        """(p,) log-hazard per unit of each covariate as it was given."""
        return self.coefficients / self.scales

    def log_hazard(self, covariates: Floats) -> Floats:
        """(n,) log-hazard relative to a case at the training means; higher is worse."""
        return np.asarray(((covariates - self.means) / self.scales) @ self.coefficients, dtype=float)

    def survival(self, covariates: Floats, days: Floats) -> Floats:
        """(n, len(days)) probability of no event by each day."""
        hazard = self.baseline.at(days)[None, :] * np.exp(self.log_hazard(covariates))[:, None]
        return np.asarray(np.exp(-hazard), dtype=float)


def fit_cox_ridge(
    covariates: Floats,
    days: Floats,
    event: NDArray[np.bool_],
    penalty: float,
    weights: Floats | None = None,
    *,
    standardise: bool = True,
    offset: Floats | None = None,
) -> CoxRidge:
    """The Cox model that maximises the penalised partial likelihood, ties by Efron's method.

    Covariates are standardised inside, so that one penalty means the same for each. With more covariates than
    cases the fit runs in the space that the cases span, which is exact for a ridge penalty.

    Args:
        covariates: (n, p) finite.
        days: (n,) follow-up in days.
        event: (n,) True where the event ended it, False where censored.
        penalty: Of 1/2 penalty |coefficients|^2 against the summed log partial likelihood; 0 for none.
        weights: (n,) case weights; None for ones.
        standardise: False when the covariates' own scales are to count, as those of principal components do.
        offset: (n,) log-hazard that is known beside the covariates; None for none.

    Raises:
        CohortError: There is no event, or a covariate is not finite.
    """
    covariates = _checked(covariates, event)
    weights = np.ones(len(days)) if weights is None else np.asarray(weights, dtype=float)
    known = np.zeros(len(days)) if offset is None else offset
    means, scales = _centre_and_scale(covariates, weights, standardise=standardise)
    standardised = (covariates - means) / scales
    rotation = _rotation(standardised)
    design = standardised if rotation is None else standardised @ rotation
    sets = RiskSets(days, event, weights)
    solution = _newton(sets, design, penalty, np.zeros(design.shape[1]), known)
    coefficients = solution.coefficients if rotation is None else rotation @ solution.coefficients
    log_hazard = standardised @ coefficients + known
    return CoxRidge(
        coefficients=coefficients,
        means=means,
        scales=scales,
        penalty=penalty,
        log_likelihood=solution.log_likelihood,
        baseline=breslow_baseline(days, event, log_hazard, weights),
        converged=solution.converged,
    )


@dataclass(frozen=True, slots=True)
class PenaltyChoice:
    """The penalty with the best cross-validated log partial likelihood, and the whole curve.

    Attributes:
        penalty: The choice.
        penalties: (g,) those tried, decreasing.
        likelihoods: (g,) cross-validated log partial likelihood of each; higher is better.
        null_likelihood: That of a model without covariates, of the offset alone.
    """

    penalty: float
    penalties: Floats
    likelihoods: Floats
    null_likelihood: float


def choose_penalty(
    covariates: Floats | Callable[[NDArray[np.bool_]], Floats],
    days: Floats,
    event: NDArray[np.bool_],
    folds: NDArray[np.int64],
    penalties: Sequence[float] = PENALTIES,
    weights: Floats | None = None,
    *,
    standardise: bool = True,
    offset: Floats | None = None,
) -> PenaltyChoice:
    """The ridge penalty that predicts cases left out best.

    The score of a fold is the partial likelihood of all cases less that of the cases fitted, both at the
    coefficients fitted without the fold (Verweij and van Houwelingen 1993, Stat Med 12:2305).

    Args:
        covariates: (n, p) finite; or, where they are themselves learned, from the mask of the cases to be
            fitted to the covariates (n, p) that these cases teach.
        days: (n,) follow-up in days.
        event: (n,) True where the event ended it.
        folds: (n,) fold of each case, equal for all cases of a patient.
        penalties: The grid.
        weights: (n,) case weights; None for ones.
        standardise: As for `fit_cox_ridge`.
        offset: Likewise.

    Raises:
        CohortError: There is no event, or a covariate is not finite.
    """
    design_of = covariates if callable(covariates) else _always(covariates)
    known = np.zeros(len(days)) if offset is None else offset
    weights = np.ones(len(days)) if weights is None else np.asarray(weights, dtype=float)
    grid = np.array(sorted(penalties, reverse=True), dtype=float)
    everyone = RiskSets(days, event, weights)
    likelihoods = np.zeros(len(grid))
    null_likelihood = 0.0
    for fold in np.unique(folds):
        kept = folds != fold
        if not event[kept].any() or not event[~kept].any():
            continue
        fitted = RiskSets(days[kept], event[kept], weights[kept])
        null_likelihood += everyone.log_likelihood(known) - fitted.log_likelihood(known[kept])
        own = _checked(design_of(kept), event)
        means, scales = _centre_and_scale(own[kept], weights[kept], standardise=standardise)
        path = _path(fitted, (own - means) / scales, kept, grid, known)
        for place, log_hazard in enumerate(path):
            left_out = everyone.log_likelihood(log_hazard) - fitted.log_likelihood(log_hazard[kept])
            likelihoods[place] += left_out
    best = int(np.argmax(likelihoods))
    return PenaltyChoice(float(grid[best]), grid, likelihoods, null_likelihood)


@dataclass(frozen=True, slots=True)
class _Solution:
    coefficients: Floats
    log_likelihood: float
    converged: bool


def _newton(
    sets: RiskSets,
    design: Floats,
    penalty: float,
    start: Floats,
    offset: Floats,
    tolerance: float = _TOLERANCE,
) -> _Solution:
    """Newton's method with step halving; the penalised partial likelihood is concave."""
    coefficients = start
    current = sets.log_likelihood(design @ coefficients + offset)
    identity = np.eye(design.shape[1])
    for _ in range(_MAX_STEPS):
        slope, curvature = sets.slope_and_curvature(design, design @ coefficients + offset)
        gradient = slope - penalty * coefficients
        step = _solved(curvature + penalty * identity, gradient)
        if float(gradient @ step) < tolerance:
            coefficients = coefficients + step
            reached = sets.log_likelihood(design @ coefficients + offset)
            return _Solution(coefficients, reached, converged=True)
        objective = current - 0.5 * penalty * float(coefficients @ coefficients)
        for _ in range(30):
            proposal = coefficients + step
            reached = sets.log_likelihood(design @ proposal + offset)
            if reached - 0.5 * penalty * float(proposal @ proposal) >= objective:
                break
            step = step / 2.0
        else:
            return _Solution(coefficients, current, converged=float(np.abs(gradient).max()) < 1e-5)
        coefficients, current = proposal, reached
    return _Solution(coefficients, current, converged=False)


def _solved(curvature: Floats, gradient: Floats) -> Floats:
    try:
        return np.asarray(np.linalg.solve(curvature, gradient), dtype=float)
    except np.linalg.LinAlgError:  # collinear covariates without a penalty
        return np.asarray(np.linalg.lstsq(curvature, gradient, rcond=None)[0], dtype=float)


def _always(covariates: Floats) -> Callable[[NDArray[np.bool_]], Floats]:
    """The same covariates, whichever cases are fitted."""
    return lambda _kept: covariates


def _path(
    fitted: RiskSets, standardised: Floats, kept: NDArray[np.bool_], grid: Floats, offset: Floats
) -> list[Floats]:
    """The log-hazard of every case, at each penalty, by models of the kept cases; each starts at the last."""
    rotation = _rotation(standardised[kept])
    design = standardised if rotation is None else standardised @ rotation
    coefficients = np.zeros(design.shape[1])
    path = []
    for penalty in grid:
        coefficients = _newton(
            fitted, design[kept], float(penalty), coefficients, offset[kept], _PATH_TOLERANCE
        ).coefficients
        path.append(design @ coefficients + offset)
    return path


def _centre_and_scale(covariates: Floats, weights: Floats, *, standardise: bool) -> tuple[Floats, Floats]:
    means = np.average(covariates, axis=0, weights=weights)
    if not standardise:
        return means, np.ones(len(means))
    scales = np.sqrt(np.average((covariates - means) ** 2, axis=0, weights=weights))
    return means, np.where(scales > 1e-12 * np.maximum(np.abs(means), 1.0), scales, 1.0)


def _rotation(standardised: Floats) -> Floats | None:
    """(p, r) an orthonormal basis of the cases' span where there are more covariates than cases."""
    cases, width = standardised.shape
    if width <= cases:
        return None
    values, vectors = np.linalg.eigh(standardised @ standardised.T)
    kept = values > 1e-10 * max(float(values.max()), 1e-300)
    return np.asarray(standardised.T @ (vectors[:, kept] / np.sqrt(values[kept])), dtype=float)


def _checked(covariates: Floats, event: NDArray[np.bool_]) -> Floats:
    covariates = np.asarray(covariates, dtype=float)
    if not event.any():
        raise CohortError("Cox model", "has no event", "use a longer follow-up or another outcome")
    if not np.isfinite(covariates).all():
        raise CohortError("Cox model", "has a covariate that is not finite", "impute before fitting")
    return covariates
