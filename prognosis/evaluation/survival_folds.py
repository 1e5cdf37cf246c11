"""The held-out predictions of several folds, laid end to end: what is stratified, and what is pooled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.target import Target
from prognosis.evaluation.held_out import HeldOut
from prognosis.survival.brier import had_event, known_state_weights
from prognosis.survival.censoring import Censoring, estimate_censoring
from prognosis.survival.curves import Floats, aalen_johansen
from prognosis.survival.statistic import RatioStatistic, Stratified


@dataclass(frozen=True, slots=True)
class Fold:
    """One fold's predictions; with landmarks, those of one landmark in a fold.

    Attributes:
        part: The predictions, what happened, and what happened to the training cases (at this landmark).
        rows: The place of its cases among those of all folds.
        censoring: The censoring distribution of its training cases.
    """

    part: HeldOut
    rows: NDArray[np.intp]
    censoring: Censoring

    def reference_risk(self, days: Floats, of_cause: int) -> Floats:
        """(n, T) the training cases' Aalen-Johansen curve, the same for everyone."""
        training = self.part.training_target
        curve = aalen_johansen(training.days, training.cause, len(training.causes))[of_cause - 1]
        return np.tile(curve.at(days), (len(self.part.target), 1))


@dataclass(frozen=True, slots=True)
class Pooled:
    """Predictions of one cause over all folds.

    Attributes:
        days: (n,) follow-up.
        cause: (n,) 0 when censored, else 1 to K.
        risk: (n, T) predicted cumulative incidence at the days asked for.
        outcome: (n, T) True where the cause was seen by then.
        known: (n, T) inverse-probability weight of the state then; 0 where it is not known.
    """

    days: Floats
    cause: NDArray[np.int64]
    risk: Floats
    outcome: NDArray[np.bool_]
    known: Floats


def folds_of(parts: Sequence[HeldOut]) -> tuple[Fold, ...]:
    """The folds in the order given, each cut into its landmarks.

    People are compared at the same landmark only, never with themselves at another, and weighed by how those
    at risk at that landmark are censored: who is asked later is followed for a shorter time.
    """
    found: list[Fold] = []
    first = 0
    for part in parts:
        for landmark, rows in rows_by_landmark(part.target):
            training = part.training_target
            if landmark is not None and training.landmark is not None:
                same = training.landmark == landmark
                training = training.take(same) if same.any() else training
            own = replace(
                part,
                cif=part.cif[rows],
                target=part.target.take(rows),
                training_target=training,
                clusters=part.clusters[rows],
            )
            found.append(Fold(own, first + rows, estimate_censoring(training.days, training.cause > 0)))
        first += len(part.target)
    return tuple(found)


def rows_by_landmark(target: Target) -> list[tuple[float | None, NDArray[np.intp]]]:
    """Each landmark with the rows of its cases; every row under None for a task without landmarks."""
    if target.landmark is None:
        return [(None, np.arange(len(target)))]
    return [(float(own), np.flatnonzero(target.landmark == own)) for own in np.unique(target.landmark)]


def stratified(folds: Sequence[Fold], make: Callable[[Fold], RatioStatistic]) -> Stratified:
    """One ratio whose sums are taken within folds."""
    return Stratified(tuple(fold.rows for fold in folds), tuple(make(fold) for fold in folds))


def pool(folds: Sequence[Fold], times: Floats, of_cause: int) -> Pooled:
    """All folds' predictions of `of_cause` at `times` (T,) in one table, in the order of the cases."""
    order = np.argsort(np.concatenate([fold.rows for fold in folds]))
    targets = [fold.part.target for fold in folds]
    days = np.concatenate([target.days for target in targets])
    cause = np.concatenate([target.cause for target in targets])
    known = [
        known_state_weights(target.days, target.cause, times, fold.censoring)
        for target, fold in zip(targets, folds, strict=True)
    ]
    return Pooled(
        days[order],
        cause[order],
        np.concatenate([fold.part.risk_at(times, of_cause) for fold in folds])[order],
        had_event(days, cause, times, of_cause)[order],
        np.concatenate(known)[order],
    )
