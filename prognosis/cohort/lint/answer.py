"""What happened to the labelled cases, as the lint's rules compare columns with it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Cohort
from prognosis.cohort.splits import patient_folds
from prognosis.cohort.target import Target, cohort_target
from prognosis.errors import CohortError
from prognosis.survival.classification import auroc_statistic
from prognosis.survival.concordance import harrell_c
from prognosis.survival.curves import nelson_aalen
from prognosis.survival.statistic import once

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FOLDS = 5
PRIOR_CASES = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One cause of the task, or its censoring, against everything else.

    Attributes:
        name: Of the cause.
        target: The labels of the labelled cases, this cause numbered 1.
        happened: (n,) True where the cause happened.
        expected: (n,) events expected of each case over its follow-up were all cases alike.
        share: (n,) how much of an independent observation a case is: 1, but of the cases of a patient at
            landmarks, whose follow-up is the same seen again, one over their number.
        settled: (n,) True where the state at `horizon` is known.
        by_horizon: (n,) True where the cause happened by then.
        fold: (n,) folds of whole patients.
    """

    name: str
    target: Target
    happened: Flags
    expected: Floats
    share: Floats
    settled: Flags
    by_horizon: Flags
    fold: NDArray[np.int64]

    @property
    def rate(self) -> float:
        """Share of cases with the event."""
        return float(self.happened.mean())

    @property
    def measure(self) -> str:
        """What `discrimination` gives."""
        return "concordance" if self.target.survival else "AUROC"

    def discrimination(self, risk: Floats, rows: Flags) -> float | None:
        """How well a number orders the cases at `rows`: cause-specific concordance, or AUROC for a class.

        None when no two of the cases can be compared.
        """
        if not self.target.survival:
            return auroc(self.happened[rows], risk[rows])
        try:
            days, cause = self.target.days[rows], self.target.cause[rows]
            return harrell_c(days, cause, risk[rows], competing="censored").value
        except CohortError:
            return None

    def standard_error(self, rows: Flags) -> float:
        """Of `discrimination` of a number that says nothing: Mann and Whitney's, events against the rest.

        A concordance compares an event with everyone still followed, so there the rest is all the cases.
        """
        events, total = int(self.happened[rows].sum()), int(rows.sum())
        return mann_whitney_error(events, total if self.target.survival else total - events)

    def risk_of_levels(self, level: NDArray[np.int64]) -> Floats:
        """(n,) each case's level as a risk: events over events expected, among OTHER patients of the level.

        Folds of patients keep a case out of its own risk; otherwise a column of rare texts would seem to
        predict. Both counts are shrunk toward the average by a few cases.
        """
        risk = np.ones(len(level))
        levels = int(level.max()) + 1
        prior = PRIOR_CASES * self.rate
        for number in range(FOLDS):
            inside, outside = self.fold != number, self.fold == number
            inside &= level >= 0
            events = np.bincount(level[inside], self.happened[inside], levels)
            expected = np.bincount(level[inside], self.expected[inside], levels)
            ratio = (events + prior) / (expected + prior)
            risk[outside] = ratio[level[outside]]
        return risk


def auroc(outcome: Flags, risk: Floats) -> float | None:
    """Area under the ROC curve, or None without both outcomes."""
    if outcome.all() or not outcome.any():
        return None
    return float(auroc_statistic(outcome, risk).sums(once(len(risk))).ratio()[0])


def mann_whitney_error(events: int, others: int) -> float:
    """Standard error of an area under the curve of 1/2 without ties (Mann and Whitney 1947)."""
    if min(events, others) == 0:
        return float("inf")
    return float(np.sqrt((events + others + 1) / (12.0 * events * others)))


def answers_of(labelled: Cohort) -> tuple[Answer, ...]:
    """The outcomes of labelled cases, a cause each; without causes that all of them, or none, had.

    Of findings, only one that is known of every case: see `one_finding_each`.
    """
    target = cohort_target(labelled, edges=np.array([0.0, 1.0]))
    found = [
        _answer(labelled, target, name, target.happened[:, place]) for place, name in enumerate(target.causes)
    ]
    return tuple(answer for answer in found if answer is not None)


def censoring_of(labelled: Cohort) -> Answer | None:
    """Being censored as if it were an event; None for a class, or where all or none were censored."""
    target = cohort_target(labelled, edges=np.array([0.0, 1.0]))
    return _answer(labelled, target, "censoring", target.cause == 0) if target.survival else None


def _answer(labelled: Cohort, target: Target, name: str, happened: Flags) -> Answer | None:
    if happened.all() or not happened.any():
        return None
    another = (target.cause > 0) & ~happened
    target = replace(target, cause=np.where(happened, 1, np.where(another, 2, 0)))
    expected = np.full(len(happened), happened.mean())
    settled, by_horizon = np.ones(len(happened), dtype=bool), happened
    if target.survival:
        expected = nelson_aalen(target.days, happened).at(target.days)
        settled, by_horizon = _clearest_horizon(target, happened, labelled.task.horizons_days)
    fold = patient_folds(labelled.patients, target.cause, FOLDS, seed=0)
    share = np.ones(len(happened))
    if target.landmark is not None:
        _, patient, counts = np.unique(labelled.patients, return_inverse=True, return_counts=True)
        share = 1.0 / counts[patient]
    return Answer(name, target, happened, expected, share, settled, by_horizon, fold)


def _clearest_horizon(target: Target, happened: Flags, horizons: tuple[float, ...]) -> tuple[Flags, Flags]:
    """Which cases' state is known, and who had the event, at the horizon that has most of both kinds."""

    def states(horizon: float) -> tuple[Flags, Flags]:
        by_then = happened & (target.days <= horizon)
        other = (target.cause > 1) & (target.days <= horizon)
        return by_then | other | (target.days > horizon), by_then

    def rarer(horizon: float) -> int:
        settled, by_then = states(horizon)
        return min(int(by_then.sum()), int((settled & ~by_then).sum()))

    return states(max(horizons, key=rarer))
