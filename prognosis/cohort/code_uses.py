"""Which codes of the sources nothing gathers or names, and which units could not be converted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from prognosis.cohort.concepts import Gathered, gathering
from prognosis.cohort.outcome import Findings, Mask, Measurement, Response, State, TimeToEvent
from prognosis.cohort.task import Task
from prognosis.record import Event, PatientRecord
from prognosis.record.codes import CodeTable, is_among
from prognosis.record.units import Refusal

_BOOKKEEPING = frozenset({"prognosis", "outcome"})


@dataclass(frozen=True, slots=True)
class UnusedCode:
    """A code that no concept gathers and the task does not name; evidence reads it by itself, unit by unit.

    Attributes:
        code: "system|value".
        display: The name that most of its facts carry, "" for none.
        patients: How many have it.
        facts: How many there are.
    """

    code: str
    display: str
    patients: int
    facts: int


@dataclass(frozen=True, slots=True)
class UnconvertedUnit:
    """A unit of a gathered code whose numbers are not read.

    Attributes:
        code: "system|value".
        concept: What gathers it.
        unit: Of the numbers, "" for none.
        wanted: The concept's.
        reason: Why they are not converted.
        patients: How many have such a number.
        facts: How many there are.
    """

    code: str
    concept: str
    unit: str
    wanted: str
    reason: str
    patients: int
    facts: int


@dataclass(frozen=True, slots=True)
class CodeUses:
    """What a task leaves aside of its sources; the most patients first, then the most facts, then by code.

    Attributes:
        codes_in_all: How many codes the sources hold.
        gathered: How many of them a concept gathers.
        unused: Those that nothing gathers or names.
        unconverted: Units of gathered codes that could not be converted.
    """

    codes_in_all: int
    gathered: int
    unused: tuple[UnusedCode, ...]
    unconverted: tuple[UnconvertedUnit, ...]


@dataclass(slots=True)
class _Count:
    patients: set[str] = field(default_factory=set)
    facts: int = 0
    displays: Counter[str] = field(default_factory=Counter)

    def add(self, person: str, display: str) -> None:
        self.patients.add(person)
        self.facts += 1
        self.displays[display] += 1

    @property
    def display(self) -> str:
        return min(self.displays, key=lambda text: (-self.displays[text], text))


def code_uses(task: Task, records: Iterable[PatientRecord]) -> CodeUses:
    """Count the codes and units of full records that the task's concepts leave aside.

    Args:
        task: Names codes, and gathers them in its concepts.
        records: As read from the sources; the whole of each, whatever the index.
    """
    table, named = gathering(task.concepts), _named_by(task)
    codes: dict[str, _Count] = defaultdict(_Count)
    refused: dict[tuple[str, str, str], _Count] = defaultdict(_Count)
    for record in records:
        for event in record.events:
            if event.code.system in _BOOKKEEPING:
                continue
            code = str(event.code)
            codes[code].add(record.person, event.display)
            refusal = _refusal(event, table.get(code))
            if refusal is not None:
                refused[code, event.unit or "", refusal.reason].add(record.person, "")
    unused = [
        UnusedCode(code, count.display, len(count.patients), count.facts)
        for code, count in codes.items()
        if table.get(code) is None and not is_among(code, named)
    ]
    return CodeUses(
        codes_in_all=len(codes),
        gathered=sum(table.get(code) is not None for code in codes),
        unused=tuple(sorted(unused, key=lambda each: (-each.patients, -each.facts, each.code))),
        unconverted=_unconverted(refused, table),
    )


def _refusal(event: Event, own: Gathered | None) -> Refusal | None:
    if own is None or not own.concept.unit or event.number is None:
        return None
    change = own.concept.change(event.unit, str(event.code))
    return change if isinstance(change, Refusal) else None


def _unconverted(
    refused: Mapping[tuple[str, str, str], _Count], table: CodeTable[Gathered]
) -> tuple[UnconvertedUnit, ...]:
    found = []
    for (code, unit, reason), count in refused.items():
        own = table.get(code)
        if own is not None:
            wanted, people = own.concept.unit, len(count.patients)
            found.append(UnconvertedUnit(code, own.name, unit, wanted, reason, people, count.facts))
    return tuple(sorted(found, key=lambda each: (-each.patients, -each.facts, each.code, each.unit)))


def _named_by(task: Task) -> frozenset[str]:
    """The codes that the task itself names, whatever for."""
    outcome = task.outcome
    named = {*task.index.codes, *task.index.visit_codes, *task.screening.exclude_codes, *task.subgroup_codes}
    named.update(code for rule in task.exclusions for code in rule.codes)
    named.update(code for arm in task.arms for code in arm.codes)
    if isinstance(outcome, TimeToEvent):
        named.update(code for codes in outcome.causes.values() for code in codes)
    elif isinstance(outcome, State):
        named.update((*outcome.start_codes, *outcome.end_codes, *outcome.unknown_codes))
    elif isinstance(outcome, Measurement):
        named.update(outcome.codes)
    elif isinstance(outcome, Findings):
        named.update(values.code for values in outcome.findings.values())
    elif isinstance(outcome, Response):
        named.update(outcome.named_codes)
    elif not isinstance(outcome, Mask):
        named.add(outcome.code)
    return frozenset(named)
