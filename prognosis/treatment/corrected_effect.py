"""The effect for one patient as judged in days: the T-learner, corrected by doubly robust scores.

What the arms' own hazards predict is close where they are right; a ridge of what the scores say beyond it
mends what they miss, on average and along covariates (the DR-learner with the T-learner as its starting
point). The interval adds both variances, as if the parts erred apart: they are fitted to the same cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from prognosis.treatment.assignment import ArmCases
from prognosis.treatment.estimate import Estimate, estimate
from prognosis.treatment.individual import IndividualCurves
from prognosis.treatment.linear_effect import LinearEffect, fit_linear_effect

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Scored(Protocol):
    """What `survival_effects` and `response_effects` give."""

    @property
    def cases(self) -> ArmCases:
        """Who was given which arm."""
        ...

    @property
    def folds(self) -> Ints:
        """(n,) folds by patient."""
        ...

    @property
    def mean_scores(self) -> Floats:
        """(n, A) doubly robust scores; higher is better."""
        ...

    @property
    def predicted_mean(self) -> Floats:
        """(n, A) the outcome model's own, out of fold."""
        ...


def score_difference(found: Scored, arm: str, reference: str) -> Floats:
    """(n,) scores under `arm` less those under `reference`: what effects are learned from and judged by."""
    return _difference(found.mean_scores, found.cases, arm, reference)


def predicted_difference(found: Scored, arm: str, reference: str) -> Floats:
    """(n,) what the outcome models of the other folds predict of it."""
    return _difference(found.predicted_mean, found.cases, arm, reference)


def effect_out_of_fold(found: Scored, arm: str, reference: str) -> Floats:
    """(n,) corrected effect of each case by models that did not see its outcome, for rankings and policies.

    Args:
        found: Scores.
        arm: The arm asked about.
        reference: The one that it is compared with.
    """
    known = predicted_difference(found, arm, reference)
    left = score_difference(found, arm, reference) - known
    cases, effect = found.cases, known.copy()
    for fold in np.unique(found.folds):
        held = found.folds == fold
        kept = cases.take(~held)
        model = fit_linear_effect(kept.covariates, left[~held], kept.patients, found.folds[~held])
        effect[held] += model.effect(cases.covariates[held])
    return effect


@dataclass(frozen=True, slots=True)
class CorrectedEffect:
    """Days gained under one arm beside another, for patients to come.

    Attributes:
        arm: The arm asked about.
        reference: The one that it is compared with.
        curves: The arms' own hazards.
        correction: What the scores say beyond them.
    """

    arm: str
    reference: str
    curves: IndividualCurves
    correction: LinearEffect

    def effect(self, covariates: Floats) -> Floats:
        """(n,) days gained."""
        return self._gap(self.curves.restricted_means(covariates)) + self.correction.effect(covariates)

    def standard_error(self, covariates: Floats) -> Floats:
        """(n,) of the days gained."""
        drawn = self._gap(self.curves.drawn_restricted_means(covariates)).std(axis=0, ddof=1)
        return np.asarray(np.hypot(drawn, self.correction.standard_error(covariates)))

    def estimate(self, covariates: Floats) -> Estimate:
        """The days gained by one patient, of `covariates` (p,), with their interval."""
        one = covariates[None, :]
        value, error = float(self.effect(one)[0]), float(self.standard_error(one)[0])
        return estimate(value, error, self.curves.level)

    def _gap(self, means: Floats) -> Floats:
        arms = self.curves.arms
        return np.asarray(means[..., arms.index(self.arm)] - means[..., arms.index(self.reference)])


def fit_corrected_effect(
    found: Scored, curves: IndividualCurves, arm: str, reference: str
) -> CorrectedEffect:
    """Learn what the scores say beyond the arms' own hazards.

    Args:
        found: What `survival_effects` gave.
        curves: What `fit_individual_curves` gave, of the same cases and horizon.
        arm: The arm asked about.
        reference: The one that it is compared with.
    """
    left = score_difference(found, arm, reference) - predicted_difference(found, arm, reference)
    cases = found.cases
    correction = fit_linear_effect(cases.covariates, left, cases.patients, found.folds)
    return CorrectedEffect(arm, reference, curves, correction)


def _difference(values: Floats, cases: ArmCases, arm: str, reference: str) -> Floats:
    return np.asarray(values[:, cases.arms.index(arm)] - values[:, cases.arms.index(reference)])
