"""The linear read-out that every modality shares: features in, evidence per cause out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.target import Target
from prognosis.evidence.adaptive import AdaptiveRidge, leading
from prognosis.evidence.least_squares import gaussian_log_likelihood
from prognosis.evidence.logistic import bernoulli_log_likelihood
from prognosis.evidence.parts import shrink_contradiction
from prognosis.evidence.regression import Regression
from prognosis.survival.partial_likelihood import RiskSets

Floats = NDArray[np.float64]

PENALTIES = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0)
FEWEST_EVENTS = 5


@dataclass(frozen=True, slots=True)
class LinearReadout:
    """Evidence = (features - means) @ coefficients.

    Attributes:
        coefficients: (p, causes) log-hazard (log-odds for a class, the value of a measurement) per unit of
            each feature; zero for a cause with fewer than five events.
        means: (p,) the training means, at which the evidence is zero.
        penalties: (causes,) ridge penalty chosen for each; infinite where nothing was fitted.
    """

    coefficients: Floats
    means: Floats
    penalties: Floats

    def evidence(self, features: Floats) -> Floats:
        """(n, causes) evidence of each case; positive is worse."""
        return np.asarray((features - self.means) @ self.coefficients, dtype=float)


def fit_readout(
    features: Floats,
    target: Target,
    inner_folds: NDArray[np.int64],
    weights: Floats | None = None,
    penalties: tuple[float, ...] = PENALTIES,
    offset: Floats | None = None,
    *,
    standardise: bool = True,
    parts: Floats | None = None,
) -> LinearReadout:
    """A ridge read-out of each cause: Cox for a time to event, linear for a measurement, else logistic.

    A cause's hazard is fitted with the other causes censored; a class against the reference class alone
    (Begg and Gray 1984, Biometrika 71:11), so that evidence adds up on the softmax scale; a finding against
    its absence, in the cases in which one or the other is known. Beyond 120
    features the fit runs in their 120 leading principal directions, which a ridge penalty keeps anyway.

    `AdaptiveRidge` says how a fit adapts.

    Args:
        features: (n, p) finite.
        target: What happened to each case.
        inner_folds: (n,) folds by patient, for the choice of the penalty.
        weights: (n,) case weights; None for ones.
        penalties: The grid.
        offset: (n, causes) evidence known from elsewhere, beside which the features are read; None for none.
        standardise: False where the features' own scales count, as those of principal components do: all are
            then divided by one number.
        parts: (n, parts, p) of which the features are the sum, where evidence is told part by part: what
            parts say against one another is then shrunk (`shrink_contradiction`); None where it is not.
    """
    weights = np.ones(len(target)) if weights is None else weights
    means, scales = _centre_and_scale(features, weights, standardise=standardise)
    standard = (features - means) / scales
    coefficients = np.zeros((features.shape[1], len(target.causes)))
    chosen = np.full(len(target.causes), np.inf)
    if not np.isfinite(scales).any():
        return LinearReadout(coefficients, means, chosen)
    back: Floats | None = None
    if parts is not None:
        back = shrink_contradiction(parts / scales, weights)
        standard = standard @ back
    shared = _shared(standard, target, inner_folds, weights, penalties, offset)
    for place, rows, regression in _regressions(target, inner_folds, weights, penalties, offset):
        fit = AdaptiveRidge(regression, standard[rows], shared)
        fit.choose()
        found = fit.coefficients() if back is None else back @ fit.coefficients()
        chosen[place], coefficients[:, place] = fit.penalty, found / scales
    return LinearReadout(coefficients, means, chosen)


def _shared(
    standard: Floats,
    target: Target,
    inner_folds: NDArray[np.int64],
    weights: Floats,
    penalties: tuple[float, ...],
    offset: Floats | None,
) -> AdaptiveRidge | None:
    """What raises the hazard of any event; None for classes, for one cause, or where too little happened."""
    counts = target.happened.sum(axis=0)
    if not target.survival or len(counts) == 1 or counts.sum() < FEWEST_EVENTS:
        return None
    known = np.zeros(len(target)) if offset is None else offset @ (counts / counts.sum())
    of_cases = target.days, target.cause > 0, inner_folds, weights, known
    found = AdaptiveRidge(Regression(True, *of_cases, penalties), standard)
    found.choose()
    return found


def held_out_likelihood(
    features: Floats,
    target: Target,
    inner_folds: NDArray[np.int64],
    weights: Floats | None = None,
    penalties: tuple[float, ...] = PENALTIES,
    offset: Floats | None = None,
) -> float:
    """The log-likelihood of cases left out by the plain ridge, summed over causes: to compare features by.

    Arguments as for `fit_readout`; higher is better.
    """
    weights = np.ones(len(target)) if weights is None else weights
    means, scales = _centre_and_scale(features, weights, standardise=True)
    design = leading((features - means) / scales).design
    each = _regressions(target, inner_folds, weights, penalties, offset)
    return sum(regression.choose(design[rows])[1] for _, rows, regression in each)


def _centre_and_scale(features: Floats, weights: Floats, *, standardise: bool) -> tuple[Floats, Floats]:
    """(p,) means and (p,) scales, infinite for a feature that does not vary."""
    means = np.average(features, axis=0, weights=weights)
    scales = np.sqrt(np.average((features - means) ** 2, axis=0, weights=weights))
    varies = scales > 1e-10 * np.maximum(np.abs(means), 1.0)
    if not standardise and varies.any():
        scales = np.full(len(scales), float(np.sqrt((scales[varies] ** 2).mean())))
    return means, np.where(varies, scales, np.inf)


def _regressions(
    target: Target,
    inner_folds: NDArray[np.int64],
    weights: Floats,
    penalties: tuple[float, ...],
    offset: Floats | None,
) -> Iterator[tuple[int, NDArray[np.bool_], Regression]]:
    """Each cause that has events enough: its place, the cases that speak of it, what happened to them."""
    for place in range(len(target.causes)):
        rows = rows_of(target, place)
        event = target.happened[rows, place]
        if event.sum() < FEWEST_EVENTS:
            continue
        known = np.zeros(int(rows.sum())) if offset is None else offset[rows, place]
        of_cases = target.days[rows], event, inner_folds[rows], weights[rows], known
        values = None if target.values is None else target.values[rows]
        yield place, rows, Regression(target.survival, *of_cases, penalties, values)


def rows_of(target: Target, place: int) -> NDArray[np.bool_]:
    """(n,) cases that speak about a cause.

    All for a hazard, it and the reference for a class, those in which it is known for a finding.
    """
    if target.survival:
        return np.ones(len(target), dtype=bool)
    if target.marks is not None:
        return target.answered[:, place]
    return np.asarray((target.cause == 0) | (target.cause == place + 1))


def cause_log_likelihood(
    target: Target, place: int, evidence: Floats, weights: Floats | None = None
) -> float:
    """The log-likelihood of one cause at the evidence given, with the best intercept; higher is better.

    Args:
        target: What happened to each case.
        place: Which cause, from 0.
        evidence: (n,) of that cause.
        weights: (n,) case weights; None for ones.
    """
    rows = rows_of(target, place)
    weights = (np.ones(len(target)) if weights is None else weights)[rows]
    event = target.happened[rows, place]
    if target.survival:
        return RiskSets(target.days[rows], event, weights).log_likelihood(evidence[rows])
    offset = evidence[rows]
    if target.values is not None:
        residual = target.values[rows] - offset
        return gaussian_log_likelihood(residual - np.average(residual, weights=weights), weights)
    intercept = 0.0
    for _ in range(50):
        probability = 1.0 / (1.0 + np.exp(-(offset + intercept)))
        slope = float(weights @ (event - probability))
        curvature = float(weights @ (probability * (1.0 - probability)))
        step = float(np.clip(slope / max(curvature, 1e-12), -2.0, 2.0))
        intercept += step
        if abs(step) < 1e-9:
            break
    return bernoulli_log_likelihood(offset + intercept, event, weights)


def case_weights(target: Target, patients: NDArray[np.str_]) -> Floats:
    """(n,) how much each case counts in learning: a patient once, and at landmarks once at each of them.

    At landmarks one over the number of a patient's cases would be wrong: patients who die early reach fewer
    landmarks, so each of theirs would weigh more, and every landmark's hazard would come out too high.

    Args:
        target: What happened to each case.
        patients: (n,) the patient of each.
    """
    return np.ones(len(target)) if target.landmark is not None else patient_weights(patients)


def patient_weights(patients: NDArray[np.str_]) -> Floats:
    """(n,) one over the number of the patient's cases, scaled to a mean of 1: a patient counts once."""
    _, inverse, counts = np.unique(patients, return_inverse=True, return_counts=True)
    weights = 1.0 / counts[inverse]
    return np.asarray(weights / weights.mean(), dtype=float)
