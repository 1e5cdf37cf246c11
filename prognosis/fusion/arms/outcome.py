"""What came of the cases that are compared, as the estimate reads it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prognosis.cohort.arms import ArmCohort
from prognosis.cohort.case import ClassLabel, SurvivalLabel
from prognosis.cohort.outcome import Response as ResponseOutcome
from prognosis.cohort.outcome import State
from prognosis.cohort.task import Task
from prognosis.errors import CohortError
from prognosis.treatment import ArmCases, FollowUp, Response
from prognosis.treatment.analysis import check_horizon


@dataclass(frozen=True, slots=True)
class Came:
    """What arms are judged by.

    Attributes:
        event: The event asked about, or the response; of a state the state, whose absence is the response.
        observed: A follow-up, or a response of which 1 is better than 0.
    """

    event: str
    observed: FollowUp | Response


def outcome_of(compared: ArmCohort) -> Came:
    """The outcome of the compared cases.

    Raises:
        CohortError: The task's outcome does not say which of two results is better.
    """
    task = compared.cohort.task
    if task.is_survival:
        number = {name: place + 1 for place, name in enumerate(task.causes)}
        labels = [case.label for case in compared.cohort.cases if isinstance(case.label, SurvivalLabel)]
        cause = [0 if label.cause is None else number[label.cause] for label in labels]
        days = np.array([label.days for label in labels])
        return Came(task.causes[0], FollowUp(days, np.array(cause, dtype=np.int64)))
    _check_direction(task)
    event = task.causes[0]
    seen = [
        isinstance(case.label, ClassLabel) and case.label.category == event for case in compared.cohort.cases
    ]
    better = np.array(seen) != isinstance(task.outcome, State)
    return Came(event, Response(better.astype(np.float64), np.ones(len(seen), dtype=bool)))


@dataclass(frozen=True, slots=True)
class Horizons:
    """The latest horizon by which arms can be judged, and why later (or other) ones cannot."""

    days: float
    unanswered: dict[float, str]


def horizons_of(task: Task, cases: ArmCases, followed: FollowUp) -> Horizons:
    """The latest of the task's horizons that every arm's follow-up reaches.

    Raises:
        CohortError: None does; the reason is that of the latest.
    """
    unanswered: dict[float, str] = {}
    refused: CohortError | None = None
    for days in sorted(task.horizons_days, reverse=True):
        try:
            check_horizon(cases, followed, days)
        except CohortError as error:
            unanswered[days] = f"{error.reference} {error.problem}"
            refused = refused or error
        else:
            return Horizons(days, unanswered)
    if refused is None:
        raise CohortError(f"task {task.name}", "states no horizon", "state horizons_days")
    raise refused


def _check_direction(task: Task) -> None:
    reference = f"task {task.name}"
    if not isinstance(task.outcome, ResponseOutcome | State):
        problem = f"has an outcome of kind {task.outcome.kind}, which does not say what is better"
        raise CohortError(reference, problem, "ask for a time_to_event, a state or a response of two classes")
    if len(task.causes) > 1:
        problem = f"has {len(task.causes) + 1} classes of response"
        raise CohortError(reference, problem, "gather the grades into two classes: no response, response")
