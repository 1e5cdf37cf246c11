"""Clinical concepts: a code with its unit and kind of value, and the vocabulary of a training cohort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from typing import Literal

from prognosis.cohort.case import Case
from prognosis.cohort.concepts import CONCEPT, CodedConcept, gathering
from prognosis.cohort.landmarks import entry_time
from prognosis.record import Code, Event
from prognosis.record.codes import is_among
from prognosis.record.units import Refusal, UnitChange

Kind = Literal["number", "category", "occurrence"]

AGE = Code("prognosis", "age")
SEX = Code("prognosis", "sex")
SINCE_ENTRY = Code("prognosis", "time-since-entry")
FROM_THE_START = frozenset({str(AGE), str(SEX), str(SINCE_ENTRY)})
"""Known of every case at its index and at no other time."""
BOOKKEEPING = frozenset({"prognosis|index", "prognosis|part", "prognosis|follow-up-complete"})
BOOKKEEPING_SYSTEM = "outcome"
DAYS_PER_YEAR = 365.25


@dataclass(frozen=True, slots=True, order=True)
class Concept:
    """What is counted as one clinical feature; two units of one code are two concepts and never mix.

    Attributes:
        code: "system|value".
        unit: UCUM unit of a number, "" where it has none.
        kind: A number, a category (text) or a mere occurrence.
    """

    code: str
    unit: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The concepts of a training cohort.

    Attributes:
        concepts: In a fixed order.
        names: Concept to a name for people.
        categories: For a category, its texts, the most common first; empty for other kinds.
        excluded_codes: "system|value" that no evidence may read.
        entry_codes: Of the event that landmarks are counted from; how long ago it was is then a fact.
        gathered: The task's concepts by name: their codes are read as one, in one unit.
    """

    concepts: tuple[Concept, ...]
    names: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]
    excluded_codes: frozenset[str]
    entry_codes: tuple[str, ...] = ()
    gathered: Mapping[str, CodedConcept] = field(default_factory=dict)

    def reader(self) -> ConceptReader:
        """What reads events as these concepts."""
        return ConceptReader(self.excluded_codes, self.gathered)

    def places(self) -> Mapping[Concept, int]:
        """Concept to its place in the order."""
        return {concept: place for place, concept in enumerate(self.concepts)}


@dataclass(frozen=True, slots=True)
class CodeRoles:
    """Which codes a task takes out of the ordinary; each is "system|value".

    Attributes:
        excluded: No evidence may read them.
        entry: Of the event that landmarks are counted from; empty for a task without landmarks.
        measured: Of the measurement that is asked for; empty for other tasks.
        as_logarithm: Whether that measurement is modelled as its logarithm.
        gathered: Concepts by name, each of which gathers codes.
    """

    excluded: frozenset[str] = frozenset()
    entry: tuple[str, ...] = ()
    measured: frozenset[str] = frozenset()
    as_logarithm: bool = False
    gathered: Mapping[str, CodedConcept] = field(default_factory=dict)

    def asks_for(self, concept: Concept) -> bool:
        """Whether a concept is the measurement that is asked for, or gathers one of its codes."""
        if is_among(concept.code, self.measured):
            return True
        own = self.gathered.get(concept.code.removeprefix(f"{CONCEPT}|"))
        return own is not None and not self.measured.isdisjoint(own.every_code)


@dataclass(frozen=True, slots=True)
class Reading:
    """How events of one code, unit and kind are read.

    Attributes:
        concept: What they are counted as.
        change: Of their numbers, where they are read in another unit than their own.
        refusal: Why their numbers are not read, where they are not.
    """

    concept: Concept
    change: UnitChange | None = None
    refusal: str = ""

    def as_read(self, event: Event) -> Event:
        """The event with its number in the concept's unit; without one where the concept has no numbers."""
        if event.number is None or (self.concept.kind == "number" and self.change is None):
            return event
        if self.concept.kind != "number":
            return replace(event, number=None, unit=None, comparator=None)
        return replace(event, number=self.number(event), unit=self.concept.unit)

    def number(self, event: Event) -> float | None:
        """The event's number in the concept's unit; None where the concept has no numbers."""
        if event.number is None or self.concept.kind != "number":
            return None
        return event.number if self.change is None else self.change(event.number)


class ConceptReader:
    """Reads events as concepts; remembers each code's text, which is costly to make a million times.

    Args:
        excluded_codes: "system|value" that no evidence may read.
        gathered: What gathers codes into concepts of a task.
    """

    def __init__(
        self, excluded_codes: frozenset[str], gathered: Mapping[str, CodedConcept] | None = None
    ) -> None:
        self._excluded = excluded_codes | BOOKKEEPING
        self._gathered = gathering(gathered or {})
        self._texts: dict[Code, str | None] = {}
        self._readings: dict[tuple[Code, str | None, Kind], Reading | None] = {}

    def reading(self, event: Event) -> Reading | None:
        """How the event is read; None where no evidence may read it."""
        kind: Kind = "occurrence"
        if event.number is not None:
            kind = "number"
        elif event.text:
            kind = "category"
        key = (event.code, event.unit if kind == "number" else None, kind)
        if key not in self._readings:
            code = self._text(event.code)
            self._readings[key] = None if code is None else self._new(code, key[1], kind)
        return self._readings[key]

    def _new(self, code: str, unit: str | None, kind: Kind) -> Reading:
        own = self._gathered.get(code)
        if own is None:
            return Reading(Concept(code, unit or "", kind))
        if kind != "number":
            return Reading(Concept(own.code, "", kind))
        if not own.concept.unit:
            return Reading(Concept(own.code, "", "occurrence"))
        change = own.concept.change(unit, code)
        concept = Concept(own.code, own.concept.unit, kind)
        if isinstance(change, Refusal):
            return Reading(concept, refusal=f"unit {unit or 'none'} {change.reason}")
        return Reading(concept, change)

    def _text(self, code: Code) -> str | None:
        if code not in self._texts:
            text = str(code)
            hidden = is_among(text, self._excluded) or text.startswith(f"{BOOKKEEPING_SYSTEM}|")
            self._texts[code] = None if hidden else text
        return self._texts[code]


def facts(case: Case, entry_codes: tuple[str, ...] = ()) -> Iterator[Event]:
    """The case's events known by its index; age, sex and the time since entry as events of the index.

    Args:
        case: Whose record is read.
        entry_codes: Of the event that landmarks are counted from; empty for a task without landmarks.
    """
    yield from demographics(case)
    entry = entry_time(case.record, entry_codes) if entry_codes else None
    if entry is not None and entry <= case.index_time:
        days = (case.index_time - entry).total_seconds() / 86400.0
        source = f"Patient/{case.record.patient_id}"
        yield Event(case.index_time, SINCE_ENTRY, days, unit="d", source=source, display="Time since entry")
    for event in case.record.events:
        if event.time <= case.index_time:
            yield event


def demographics(case: Case) -> Iterator[Event]:
    """Age at the index in years, and sex, where the record has them."""
    record = case.record
    source = f"Patient/{record.patient_id}"
    if record.birth_date is not None:
        birth = datetime.combine(record.birth_date, time(), tzinfo=UTC)
        years = (case.index_time - birth).total_seconds() / 86400.0 / DAYS_PER_YEAR
        yield Event(case.index_time, AGE, number=years, unit="a", source=source, display="Age")
    if record.sex:
        yield Event(case.index_time, SEX, text=record.sex, source=source, display="Sex")


def learn_vocabulary(
    cases: Sequence[Case],
    excluded_codes: frozenset[str],
    fewest_cases: int,
    most_categories: int,
    entry_codes: tuple[str, ...] = (),
    gathered: Mapping[str, CodedConcept] | None = None,
) -> Vocabulary:
    """The concepts that at least `fewest_cases` of the cases have, whatever their values.

    Args:
        cases: Training cases.
        excluded_codes: "system|value" that no evidence may read.
        fewest_cases: A rarer concept could not survive pruning.
        most_categories: Texts kept for a category; the rarer ones count as not seen.
        entry_codes: Of the event that landmarks are counted from; empty for a task without landmarks.
        gathered: The task's concepts by name.
    """
    gathered = gathered or {}
    reader = ConceptReader(excluded_codes, gathered)
    holders: Counter[Concept] = Counter()
    texts: dict[Concept, Counter[str]] = {}
    names: dict[Concept, str] = {}
    for case in cases:
        own: set[Concept] = set()
        own_texts: set[tuple[Concept, str]] = set()
        for event in facts(case, entry_codes):
            reading = reader.reading(event)
            if reading is None or reading.refusal:
                continue
            concept = reading.concept
            own.add(concept)
            if concept.kind == "category" and event.text is not None:
                own_texts.add((concept, event.text))
            if event.display and concept not in names:
                names[concept] = event.display
        holders.update(own)
        for concept, text in own_texts:
            texts.setdefault(concept, Counter())[text] += 1
    kept = sorted(concept for concept, count in holders.items() if count >= fewest_cases)
    labels = {f"{CONCEPT}|{name}": own.label for name, own in gathered.items()}
    names |= {concept: labels[concept.code] for concept in kept if concept.code in labels}
    return Vocabulary(
        concepts=tuple(kept),
        names=_distinct_names(kept, names),
        categories=tuple(_commonest(texts.get(concept, Counter()), most_categories) for concept in kept),
        excluded_codes=excluded_codes,
        entry_codes=entry_codes,
        gathered=gathered,
    )


_ENDS = {"encounter-start": " begins", "encounter-end": " ends"}


def _distinct_names(concepts: Sequence[Concept], displays: Mapping[Concept, str]) -> tuple[str, ...]:
    """Displays; where two concepts share one, the end of an encounter they are of, else code and unit."""
    names = [displays.get(concept) or Code.parse(concept.code).value for concept in concepts]
    shared = {name for name, count in Counter(names).items() if count > 1}
    names = [
        name + _ENDS.get(Code.parse(concept.code).system, "") if name in shared else name
        for name, concept in zip(names, concepts, strict=True)
    ]
    shared = {name for name, count in Counter(names).items() if count > 1}
    return tuple(
        f"{name} ({Code.parse(concept.code).value} {concept.unit}".rstrip() + ")" if name in shared else name
        for name, concept in zip(names, concepts, strict=True)
    )


def _commonest(texts: Counter[str], most: int) -> tuple[str, ...]:
    return tuple(sorted(sorted(texts), key=lambda text: -texts[text])[:most])
