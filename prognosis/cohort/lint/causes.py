"""Causes of a task of which the sources hold no event at all: more likely misspelt than absent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from prognosis.cohort.lint.finding import Finding
from prognosis.cohort.outcome import State, TimeToEvent
from prognosis.cohort.task import Task
from prognosis.record import PatientRecord
from prognosis.record.codes import is_among


def causes_never_seen(task: Task, records: Collection[PatientRecord]) -> dict[str, str]:
    """What to tell of each cause, or state, none of whose codes is in any record; nothing without records.

    Args:
        task: The question.
        records: The full records of the sources, selected or not.
    """
    codes = _codes(task)
    if not records or not codes:
        return {}
    stated = {str(event.code) for record in records for event in record.events}
    return {
        name: f"no event of {name}: none of its codes {', '.join(own)} is in the sources; "
        "check their spelling"
        for name, own in codes.items()
        if not any(is_among(code, own) for code in stated)
    }


def never_seen(task: Task, records: Collection[PatientRecord]) -> Iterator[Finding]:
    """The same as findings."""
    for name, problem in causes_never_seen(task, records).items():
        yield Finding("cause without any event", name, problem, 0, len(records))


def _codes(task: Task) -> Mapping[str, tuple[str, ...]]:
    outcome = task.outcome
    if isinstance(outcome, TimeToEvent):
        return outcome.causes
    return {outcome.name: outcome.start_codes} if isinstance(outcome, State) else {}
