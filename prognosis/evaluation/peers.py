"""How a peer becomes a method of the benchmark: one feature table, one model a cause, one sum of hazards.

Most peers model each cause's hazard with the other causes censored, and one function turns the hazards
into cumulative incidences, so that competing causes are treated alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case, Cohort, Target, cohort_target, patient_folds
from prognosis.errors import CohortError
from prognosis.evaluation.entrant import Predictor
from prognosis.evaluation.features import FeatureTable, learn_features
from prognosis.survival.cox import CoxRidge, choose_penalty, fit_cox_ridge
from prognosis.survival.curves import Floats, StepFunction, aalen_johansen

_INNER_FOLDS = 5


class CauseModel(Protocol):
    """A fitted model of one cause's survival, as if the other causes only censored."""

    def survival(self, covariates: Floats, days: Floats) -> Floats:
        """(n, len(days)) probability of no event of the cause by each day."""
        ...


class FitCause(Protocol):
    """Learn one cause's survival."""

    def __call__(
        self, covariates: Floats, days: Floats, event: NDArray[np.bool_], folds: NDArray[np.int64]
    ) -> CauseModel:
        """Fit on (n, p) covariates; `folds` keep patients together wherever the method needs folds."""
        ...


@dataclass(frozen=True, slots=True)
class KaplanMeierPredictor:
    """The same curves for everyone: the training cases' Aalen-Johansen estimates."""

    curves: tuple[StepFunction, ...]

    def cumulative_incidence(self, cases: Sequence[Case], days: Floats) -> Floats:
        """See `Predictor`."""
        everyone = np.stack([curve.at(days) for curve in self.curves])
        return np.tile(everyone, (len(cases), 1, 1))


@dataclass(frozen=True, slots=True)
class HazardPredictor:
    """Cause-specific models on one feature table.

    Attributes:
        features: The feature table.
        models: One a cause.
        event_days: (J,) distinct times of events of any cause in training: where risk can rise.
    """

    features: FeatureTable
    models: tuple[CauseModel, ...]
    event_days: Floats

    def cumulative_incidence(self, cases: Sequence[Case], days: Floats) -> Floats:
        """See `Predictor`."""
        return incidence_of_causes(self.models, self.event_days, self.features.transform(cases), days)


def incidence_of_causes(
    models: Sequence[CauseModel], event_days: Floats, covariates: Floats, days: Floats
) -> Floats:
    """(n, K, T) cumulative incidences from cause-specific models.

    Args:
        models: One a cause.
        event_days: (J,) distinct times of events of any cause in training: where risk can rise.
        covariates: (n, p) of the cases.
        days: (T,) increasing, > 0.
    """
    if len(models) == 1:
        return 1.0 - models[0].survival(covariates, days)[:, None, :]
    steps = np.unique(np.concatenate([event_days, days]))
    free = np.stack([model.survival(covariates, steps) for model in models], axis=1)
    hazards = -np.log(np.clip(free, 1e-12, 1.0))
    return incidence_from_hazards(hazards)[:, :, np.searchsorted(steps, days)]


def incidence_from_hazards(cumulative: Floats) -> Floats:
    """(n, K, J) cumulative incidences from cause-specific cumulative hazards on a grid of days.

    In each step the probability of any event, 1 - exp(-sum of hazards), is shared between the causes in
    proportion to their hazards, so incidences and the chance of no event sum to exactly 1.

    Args:
        cumulative: (n, K, J) non-decreasing along the last axis.
    """
    steps = np.diff(cumulative, axis=2, prepend=0.0)
    total = steps.sum(axis=1, keepdims=True)
    free_after = np.exp(-np.cumsum(total, axis=2))
    free_before = np.concatenate([np.ones_like(free_after[:, :, :1]), free_after[:, :, :-1]], axis=2)
    share = np.divide(steps, total, out=np.zeros_like(steps), where=total > 0)
    incidence: Floats = np.cumsum(share * (free_before - free_after), axis=2)
    return incidence


def fit_kaplan_meier(cohort: Cohort) -> Predictor:
    """Learn the cohort's curves, ignoring every feature: the floor of any model."""
    target = cohort_target(cohort)
    return KaplanMeierPredictor(aalen_johansen(target.days, target.cause, len(target.causes)))


def fit_by_cause(
    cohort: Cohort,
    fit_cause: FitCause,
    seed: int,
    wanted: Callable[[str], bool] = lambda _: True,
) -> Predictor:
    """Learn one model a cause on the last known values of every code.

    Args:
        cohort: Labelled cases.
        fit_cause: The method.
        seed: Of the inner folds.
        wanted: Which values may be read, by name; all of them unless it is given.

    Raises:
        CohortError: There is no feature, or a cause never occurs.
    """
    target = cohort_target(cohort)
    features = learn_features(cohort.task, cohort.cases).only(wanted)
    if not features.names:
        raise CohortError(
            f"cohort of task {cohort.task.name}",
            "has no feature of the kind that this peer reads",
            "use a source with values",
        )
    covariates = features.transform(cohort.cases)
    folds = patient_folds(cohort.patients, target.cause, _INNER_FOLDS, seed)
    models = tuple(
        fit_cause(covariates, *_of_cause(target, number), folds)
        for number in range(1, len(target.causes) + 1)
    )
    return HazardPredictor(features, models, np.unique(target.days[target.cause > 0]))


def _of_cause(target: Target, number: int) -> tuple[Floats, NDArray[np.bool_]]:
    return target.days, target.cause == number


def fit_cause_cox(
    covariates: Floats, days: Floats, event: NDArray[np.bool_], folds: NDArray[np.int64]
) -> CoxRidge:
    """Cox ridge with the penalty of the best cross-validated partial likelihood."""
    choice = choose_penalty(covariates, days, event, folds)
    return fit_cox_ridge(covariates, days, event, choice.penalty)
