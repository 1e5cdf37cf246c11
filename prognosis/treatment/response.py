"""What share would respond under each arm: doubly robust scores of a response that may be missing.

A response missing at random, given covariates and arm, is weighed by the chance that it was assessed (Bang
and Robins, Biometrics 2005;61:962): for an arm a

    score = m_a(x) + 1(A = a) 1(known) / (e_a(x) r_a(x)) * (value - m_a(x))
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from prognosis.errors import CohortError
from prognosis.evidence.least_squares import choose_least_squares_penalty, fit_least_squares_ridge
from prognosis.evidence.logistic import choose_logistic_penalty, fit_logistic_ridge
from prognosis.treatment.assignment import ArmCases
from prognosis.treatment.effects import ArmValues, arm_values
from prognosis.treatment.outcome import Response
from prognosis.treatment.propensity import LEAST_DIVISOR, PropensityModel, fit_propensity, propensities

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

PENALTIES = (3.0, 30.0, 300.0, 3000.0)
LEAST_KNOWN = 10
"""Assessed responses of an arm below which none can be estimated."""
LEAST_ASSESSED = 0.05
"""A case stands for at most twenty whose response was not assessed."""
_FEWEST = 5  # of each kind, below which covariates are left out


@dataclass(frozen=True, slots=True)
class ResponseEffects:
    """What each arm would do to the response, on average.

    Attributes:
        cases: Who was given which arm.
        response: What came of it.
        folds: (n,) folds by patient.
        propensity: (n, A) chance of each arm, out of fold.
        propensity_model: The same for patients to come.
        scores: (n, A) doubly robust scores of the response; higher is better.
        predicted: (n, A) the outcome model's own, out of fold.
        assessed: (n, A) chance that the response would be assessed.
        level: Coverage of intervals.
    """

    cases: ArmCases
    response: Response
    folds: Ints
    propensity: Floats
    propensity_model: PropensityModel
    scores: Floats
    predicted: Floats
    assessed: Floats
    level: float

    @property
    def mean_scores(self) -> Floats:
        """(n, A) the scores, under the name that a time to an event has for its own."""
        return self.scores

    @property
    def predicted_mean(self) -> Floats:
        """(n, A) the outcome model's own, under the name that a time to an event has for it."""
        return self.predicted

    def mean(self) -> ArmValues:
        """The chance of a response under each arm (of a graded one, the mean grade)."""
        highest = 1.0 if self.response.binary else None
        return arm_values(self.scores, self.cases.arms, self.cases.patients, highest, self.level)


def response_effects(
    cases: ArmCases,
    response: Response,
    *,
    adjusted: bool = True,
    folds: int = 5,
    seed: int = 0,
    level: float = 0.95,
) -> ResponseEffects:
    """Estimate the response under each arm; unadjusted, the arms' own means of what is known.

    Args:
        cases: Who was given which arm, and what was known before.
        response: What came of it.
        adjusted: False compares the arms as they are.
        folds: Of patients, for cross-fitting.
        seed: Of the folds.
        level: Coverage of intervals.

    Raises:
        CohortError: Fewer than ten responses of an arm are known.
    """
    known = np.bincount(cases.arm[response.known], minlength=len(cases.arms))
    for name, count in zip(cases.arms, known, strict=True):
        if count < LEAST_KNOWN:
            raise CohortError(
                f"arm {name}", f"has {count} assessed responses, of at least {LEAST_KNOWN}", "leave it out"
            )
    fold = cases.folds(response.known & (response.value > 0), folds, seed)
    model = fit_propensity(cases, fold, adjusted=adjusted)
    chance = propensities(cases, fold, model)
    everyone = np.ones(len(cases), dtype=bool)
    predict = _Predictions(cases, fold, adjusted=adjusted)
    predicted = predict.of(response.value, response.known, binary=response.binary)
    assessed = predict.of(response.known.astype(np.float64), everyone, binary=True)
    divisor = np.maximum(chance, LEAST_DIVISOR) * np.maximum(assessed, LEAST_ASSESSED)
    value = np.where(response.known, response.value, 0.0)
    given = (cases.arm[:, None] == np.arange(len(cases.arms))) & response.known[:, None]
    scores = predicted + np.where(given, (value[:, None] - predicted) / divisor, 0.0)
    return ResponseEffects(cases, response, fold, chance, model, scores, predicted, assessed, level)


@dataclass(frozen=True, slots=True)
class _Predictions:
    """Regressions of one quantity on the covariates, by arm, out of fold."""

    cases: ArmCases
    folds: Ints
    adjusted: bool

    def of(self, value: Floats, known: Bools, *, binary: bool) -> Floats:
        """(n, A) prediction for each case under each arm."""
        cases, arms = self.cases, range(len(self.cases.arms))
        found = np.zeros((len(cases), len(cases.arms)))
        if not self.adjusted or not cases.covariates.shape[1] or (binary and self._settled(value, known)):
            for arm in arms:
                found[:, arm] = value[known & (cases.arm == arm)].mean()
            return found
        ridge = _Ridge(binary)
        standard = _standardised(cases.covariates)
        rows = _Rows(standard, value, cases.arm, self.folds, len(cases.arms))
        penalties = ridge.penalties(rows.take(known))
        for fold in np.unique(self.folds):
            held = self.folds == fold
            found[held] = ridge.predict(rows.take(known & ~held), penalties, standard[held])
        return found

    def _settled(self, value: Floats, known: Bools) -> bool:
        """True where there are too few of either kind to learn by what they differ."""
        positive = int((value[known] > 0).sum())
        return min(positive, int(known.sum()) - positive) < _FEWEST


@dataclass(frozen=True, slots=True)
class _Rows:
    standard: Floats
    value: Floats
    arm: Ints
    folds: Ints
    arms: int

    def take(self, rows: Bools) -> _Rows:
        return _Rows(self.standard[rows], self.value[rows], self.arm[rows], self.folds[rows], self.arms)


@dataclass(frozen=True, slots=True)
class _Ridge:
    """A ridge on all arms with a level each, then one an arm beside it: logistic or linear."""

    binary: bool

    def penalties(self, rows: _Rows) -> tuple[float, ...]:
        """The shared penalty, then each arm's own."""
        shared = self._choose(_levelled(rows), rows.value, rows.folds, None)
        offset = self._shared(rows, shared)[1]
        own = []
        for arm in range(rows.arms):
            of_arm = rows.arm == arm
            own.append(
                self._choose(rows.standard[of_arm], rows.value[of_arm], rows.folds[of_arm], offset[of_arm])
            )
        return (shared, *own)

    def predict(self, rows: _Rows, penalties: tuple[float, ...], standard: Floats) -> Floats:
        """(m, A) predictions for new rows."""
        coefficients, offset = self._shared(rows, penalties[0])
        found = []
        for arm, penalty in enumerate(penalties[1:]):
            of_arm = rows.arm == arm
            level, slope = self._fit(rows.standard[of_arm], rows.value[of_arm], penalty, offset[of_arm])
            found.append(level + standard @ (coefficients + slope))
        linear = np.stack(found, axis=1)
        return np.asarray(expit(linear) if self.binary else linear)

    def _shared(self, rows: _Rows, penalty: float) -> tuple[Floats, Floats]:
        """(p,) coefficients that the arms share, and (n,) what they say of each row."""
        slope = self._fit(_levelled(rows), rows.value, penalty, None)[1][: rows.standard.shape[1]]
        return slope, rows.standard @ slope

    def _fit(
        self, design: Floats, value: Floats, penalty: float, offset: Floats | None
    ) -> tuple[float, Floats]:
        weights = np.ones(len(value))
        if self.binary:
            model = fit_logistic_ridge(design, value > 0, penalty, weights, offset)
            return model.intercept, model.coefficients
        slope = fit_least_squares_ridge(design, value, penalty, weights, offset)
        left = value - design @ slope - (0.0 if offset is None else offset)
        return float(left.mean()), slope

    def _choose(self, design: Floats, value: Floats, folds: Ints, offset: Floats | None) -> float:
        weights = np.ones(len(value))
        if self.binary:
            return choose_logistic_penalty(design, value > 0, folds, PENALTIES, weights, offset)[0]
        return choose_least_squares_penalty(design, value, folds, PENALTIES, weights, offset)[0]


def _levelled(rows: _Rows) -> Floats:
    """The design with a level for each arm but the first, hardly shrunk."""
    return np.column_stack([rows.standard, 100.0 * (rows.arm[:, None] == np.arange(1, rows.arms))])


def _standardised(covariates: Floats) -> Floats:
    means, spread = covariates.mean(axis=0), covariates.std(axis=0)
    return np.asarray((covariates - means) / np.where(spread > 0, spread, 1.0))
