"""Labels as arrays on a discrete time grid: the form in which evidence and fusion learn them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import (
    Case,
    ClassLabel,
    Cohort,
    FindingsLabel,
    MeasurementLabel,
    SurvivalLabel,
)
from prognosis.cohort.labels import REFERENCE
from prognosis.cohort.landmarks import landmarks_of
from prognosis.cohort.measurement import modelled
from prognosis.cohort.outcome import Findings, Measurement, Response, Value
from prognosis.cohort.task import Task
from prognosis.errors import CohortError

PRESENT, ABSENT, UNKNOWN = 1, 0, -1
ONE_BIN = np.array([0.0, 1.0])


@dataclass(frozen=True, slots=True)
class Target:
    """What happened to each case.

    Causes compete and classes exclude one another: a case has one question, answered by `cause`. Findings do
    not: a case has K questions, answered by `marks`, and each may be left open.

    Attributes:
        causes: Names of the K causes (or non-reference classes, or findings).
        cause: (n,) 0 for censored (or the reference class, or no finding present), else 1..K; of several
            findings that are present, the rarest.
        days: (n,) follow-up in days; 0.5 for a class or findings.
        edges: (B + 1,) bin edges in days, edges[0] = 0; a class and findings have the one bin [0, 1].
        survival: True for time to event, False for a class or findings.
        marks: (n, K) of findings: PRESENT, ABSENT or UNKNOWN; None for causes and classes.
        landmark: (n,) the landmark at which each case was asked, see `landmarks_of`; None without landmarks.
        values: (n,) of a measurement: on its modelled scale, less `centre`, over `spread`. Its one "cause" is
            that it was measured, which is so in every case. None for all else.
        centre: Mean of the modelled values.
        spread: Their standard deviation.
    """

    causes: tuple[str, ...]
    cause: NDArray[np.int64]
    days: NDArray[np.float64]
    edges: NDArray[np.float64]
    survival: bool
    marks: NDArray[np.int8] | None = None
    landmark: NDArray[np.float64] | None = None
    values: NDArray[np.float64] | None = None
    centre: float = 0.0
    spread: float = 1.0

    def __len__(self) -> int:
        return len(self.cause)

    def take(self, rows: Sequence[int] | NDArray[np.intp] | NDArray[np.bool_]) -> Target:
        """The target of the cases at `rows`."""
        return replace(
            self,
            cause=self.cause[rows],
            days=self.days[rows],
            marks=None if self.marks is None else self.marks[rows],
            landmark=None if self.landmark is None else self.landmark[rows],
            values=None if self.values is None else self.values[rows],
        )

    @property
    def happened(self) -> NDArray[np.bool_]:
        """(n, K) True where the cause occurred, the class is true, the finding is stated to be present."""
        if self.marks is not None:
            return self.marks == PRESENT
        return np.asarray(self.cause[:, None] == np.arange(1, len(self.causes) + 1))

    @property
    def answered(self) -> NDArray[np.bool_]:
        """(n, Q) True where a case's question has an answer: Q is K for findings, else 1."""
        if self.marks is not None:
            return self.marks != UNKNOWN
        return np.ones((len(self), 1), dtype=bool)

    @property
    def bins(self) -> int:
        """Number of time bins, B."""
        return len(self.edges) - 1

    def bin_of(self) -> NDArray[np.int64]:
        """(n,) the bin in which each case's follow-up ended; the last bin holds all that is beyond it."""
        inner = np.searchsorted(self.edges[1:-1], self.days, side="left")
        return inner.astype(np.int64)


def event_quantile_edges(
    days: NDArray[np.float64], event: NDArray[np.bool_], bins: int
) -> NDArray[np.float64]:
    """Bin edges at quantiles of the event times, so that each bin holds about as many events.

    Args:
        days: (n,) follow-up in days.
        event: (n,) True where any cause occurred.
        bins: The number wanted; fewer come back when events are tied or few.

    Returns:
        Strictly increasing edges from 0 to the last follow-up, which must be above 0.
    """
    quantiles = np.quantile(days[event], np.linspace(0.0, 1.0, bins + 1)[1:-1])
    edges = np.unique(np.concatenate([[0.0], quantiles, [float(days.max())]]))
    return np.asarray(edges)


def cohort_target(cohort: Cohort, bins: int = 15, edges: NDArray[np.float64] | None = None) -> Target:
    """The cohort's labels as arrays.

    Args:
        cohort: Cases that all carry a label.
        bins: Number of event-quantile bins for a time to event.
        edges: Use these bin edges (a trained model's) instead of finding them.

    Raises:
        CohortError: The task asks for masks, there are no cases, a case has no label, nothing ever happened,
            a finding is present in every case or in none that it is known of, a measurement has one value in
            all cases, or nobody was followed.
    """
    task = cohort.task
    reference = f"cohort of task {task.name}"
    _check_labelled(cohort, reference)
    if isinstance(task.outcome, Findings):
        return _findings_target(cohort, constant_refused=edges is None)
    if task.measurement is not None:
        return _measured_target(cohort, task.measurement, constant_refused=edges is None)
    cause, days = _codes(task, cohort.cases)
    landmark = landmarks_of(cohort)
    if edges is not None:
        return Target(task.causes, cause, days, edges, task.is_survival, landmark=landmark)
    if not (cause > 0).any():
        raise CohortError(reference, "has no event of any cause", "use a longer follow-up or another outcome")
    if not days.any():
        raise CohortError(
            reference, "has no follow-up: every case ends at its index", "check the event times"
        )
    if not task.is_survival:
        if (cause > 0).all():
            raise CohortError(
                reference, "has no case of the reference class", "add cases without the outcome"
            )
        return Target(task.causes, cause, days, ONE_BIN, survival=False, landmark=landmark)
    edges = event_quantile_edges(days, cause > 0, bins)
    return Target(task.causes, cause, days, edges, survival=True, landmark=landmark)


def _check_labelled(cohort: Cohort, reference: str) -> None:
    if cohort.task.asks_for_masks:
        remedy = "give a task whose outcome is a time to an event, a state or a value"
        raise CohortError(reference, "asks for masks, which are no event and no class", remedy)
    if not cohort.cases:
        raise CohortError(reference, "has no cases", "check the index, the exclusions and the sources")
    if any(case.label is None for case in cohort.cases):
        raise CohortError(reference, "has a case without a label", "build it with labels required")


def _codes(task: Task, cases: Sequence[Case]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    number = {name: position + 1 for position, name in enumerate(task.causes)}
    cause = np.zeros(len(cases), dtype=np.int64)
    days = np.full(len(cases), 0.5)
    for row, case in enumerate(cases):
        if isinstance(case.label, SurvivalLabel):
            cause[row] = number[case.label.cause] if case.label.cause is not None else 0
            days[row] = case.label.days
        elif isinstance(case.label, ClassLabel):
            cause[row] = number.get(case.label.category, 0)
    return cause, days


def _findings_target(cohort: Cohort, *, constant_refused: bool) -> Target:
    causes = cohort.task.causes
    number = {True: PRESENT, False: ABSENT, None: UNKNOWN}
    marks = np.array(
        [[number[_state(case, name)] for name in causes] for case in cohort.cases], dtype=np.int8
    )
    present = marks == PRESENT
    for place, name in enumerate(causes):
        known = int((marks[:, place] != UNKNOWN).sum())
        if constant_refused and present[:, place].sum() in {0, known}:
            held = "in every case" if known and present[:, place].any() else "in no case"
            raise CohortError(
                f"cohort of task {cohort.task.name}",
                f"{name} is present {held} of the {known} that it is known of",
                "leave the finding out of the task, or add cases with and without it",
            )
    rarity = np.where(present, present.sum(axis=0), len(marks) + 1)
    cause = np.where(present.any(axis=1), rarity.argmin(axis=1) + 1, 0)
    days = np.full(len(marks), 0.5)
    return Target(causes, cause.astype(np.int64), days, ONE_BIN, survival=False, marks=marks)


def _measured_target(cohort: Cohort, outcome: Measurement, *, constant_refused: bool) -> Target:
    stated = [case.label.value for case in cohort.cases if isinstance(case.label, MeasurementLabel)]
    values = modelled(outcome, np.array(stated))
    if constant_refused and not np.ptp(values) > 0.0:
        raise CohortError(
            f"cohort of task {cohort.task.name}",
            f"{outcome.name} has the same value in every case",
            "add cases, or ask about another quantity",
        )
    measured, days = np.ones(len(values), dtype=np.int64), np.full(len(values), 0.5)
    landmark = landmarks_of(cohort)
    names = cohort.task.causes
    centre, spread = float(values.mean()), float(values.std()) or 1.0
    return Target(
        names,
        measured,
        days,
        ONE_BIN,
        survival=False,
        landmark=landmark,
        values=(values - centre) / spread,
        centre=centre,
        spread=spread,
    )


def one_finding_each(cohort: Cohort) -> tuple[Cohort, ...]:
    """The cohort as one of each finding asked alone, of the labelled cases that it is known of.

    A cohort of any other task comes back as it is. What is said of one finding at a time is then the same
    as of a class with two values.
    """
    outcome = cohort.task.outcome
    if not isinstance(outcome, Findings):
        return (cohort,)
    found = []
    for name, values in outcome.findings.items():
        alone = outcome.model_copy(update={"findings": {name: values}})
        task = cohort.task.model_copy(update={"outcome": alone})
        known = [case for case in cohort.cases if _state(case, name) is not None]
        if known:
            found.append(Cohort(task, tuple(known), cohort.exclusions))
    return tuple(found)


def _state(case: Case, finding: str) -> bool | None:
    return case.label.state(finding) if isinstance(case.label, FindingsLabel) else None


def reference_class(task: Task) -> str:
    """The name of "nothing happened": the first class of a Value or a Response, else "none"."""
    if isinstance(task.outcome, Value | Response):
        return next(iter(task.outcome.classes.values()))
    return REFERENCE
