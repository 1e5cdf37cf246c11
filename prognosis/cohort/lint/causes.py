"""Codes of a task of which the sources hold no event at all: more likely misspelt than absent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from prognosis.cohort.arms import AGE, SEX
from prognosis.cohort.concepts import CONCEPT, gathering
from prognosis.cohort.lint.finding import Finding
from prognosis.cohort.outcome import Response, State, TimeToEvent
from prognosis.cohort.task import Task
from prognosis.cohort.treatment import IMAGING, TEXT
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


def codes_never_seen(task: Task, records: Collection[PatientRecord]) -> dict[str, str]:
    """What to tell of codes of the response, the arms and their assignment that no record has.

    Of an arm, and of a concept that `depends_on` names, one code is enough: they are lists, of which few are
    used at one place. Nothing without records.

    Args:
        task: The question.
        records: The full records of the sources, selected or not.
    """
    named = _assigned_and_answered(task)
    if not records or not named:
        return {}
    stated = {str(event.code) for record in records for event in record.events}
    return {
        name: f"{what}: {', '.join(own)} {'is' if len(own) == 1 else 'are'} in no record of the sources; "
        "check the spelling"
        for name, (what, own) in named.items()
        if not any(is_among(code, own) for code in stated)
    }


def never_seen(task: Task, records: Collection[PatientRecord]) -> Iterator[Finding]:
    """The same as findings."""
    for name, problem in causes_never_seen(task, records).items():
        yield Finding("cause without any event", name, problem, 0, len(records))
    for name, problem in codes_never_seen(task, records).items():
        yield Finding("code that no record has", name, problem, 0, len(records))


def _assigned_and_answered(task: Task) -> dict[str, tuple[str, tuple[str, ...]]]:
    """By subject of a finding, what is asked for in words, and the codes of which one must be there."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    outcome, treatment = task.outcome, task.treatment
    if isinstance(outcome, Response):
        own = outcome.lesions
        graded = () if outcome.code is None else (outcome.code,)
        codes = graded if own is None else (*own.codes, *own.node_codes)
        found["response"] = ("nobody's response was assessed", codes)
    if treatment is None:
        return found
    for arm in treatment.arms:
        if arm.codes:
            found[arm.name] = (f"nobody began the arm {arm.name}", arm.codes)
    for code in treatment.strata:
        found[code] = ("treatment.strata names what nobody has", (code,))
    gathered, alike = gathering(task.concepts), dict[str, tuple[str, ...]]()
    for code in treatment.depends_on:
        if code not in (AGE, SEX, TEXT, IMAGING):
            concept = gathered.get(code)
            subject = code if concept is None else f"{CONCEPT}|{concept.name}"
            alike[subject] = (*alike.get(subject, ()), code)
    return found | {
        subject: ("treatment.depends_on names what nobody has", codes) for subject, codes in alike.items()
    }


def _codes(task: Task) -> Mapping[str, tuple[str, ...]]:
    outcome = task.outcome
    if isinstance(outcome, TimeToEvent):
        return outcome.causes
    return {outcome.name: outcome.start_codes} if isinstance(outcome, State) else {}
