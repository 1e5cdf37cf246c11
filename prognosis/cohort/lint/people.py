"""One person counted twice: on both sides of a split, under two ids, or asked the same question again."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator

import numpy as np

from prognosis.cohort.case import Case, Cohort, SurvivalLabel
from prognosis.cohort.lint.columns import BOOKKEEPING
from prognosis.cohort.lint.finding import Finding, Thresholds
from prognosis.record import Event
from prognosis.record.codes import is_among


def on_both_sides(cohort: Cohort) -> Iterator[Finding]:
    """Patients with cases in more than one of the source's own parts (training, validation, test)."""
    parts: defaultdict[str, set[str]] = defaultdict(set)
    for case in cohort.cases:
        parts[case.patient].add(case.part)
    both = sum(len(found) > 1 for found in parts.values())
    if both:
        problem = "the source puts cases of one patient into more than one part"
        yield Finding("patient on both sides", "patients", problem, both, len(parts))


def at_two_sites(cohort: Cohort) -> Iterator[Finding]:
    """Patients of two sites with the same id, birth date and sex."""
    sites: defaultdict[Hashable, set[str]] = defaultdict(set)
    for case in cohort.cases:
        record = case.record
        if record.birth_date is not None:
            sites[record.patient_id, record.birth_date, record.sex].add(record.site)
    shared = sum(len(found) > 1 for found in sites.values())
    if shared:
        problem = "patients of two sites have the same id, birth date and sex"
        yield Finding("same person at two sites", "patients", problem, shared, len(sites))


def asked_twice(cohort: Cohort) -> Iterator[Finding]:
    """Cases of one patient at one index time with the same facts; two eyes of one patient differ in some."""
    repeats = len(cohort) - len({(case.patient, case.index_time, _facts(case)) for case in cohort.cases})
    if repeats:
        problem = "cases repeat a patient, an index time and every fact"
        yield Finding("same question twice", "cases", problem, repeats, len(cohort))


def same_records(cohort: Cohort, limits: Thresholds) -> Iterator[Finding]:
    """Patients whose facts, times since the index and outcome are all equal, where chance would not have it.

    The chance that two patients agree is taken as the product of how common each of their facts is and how
    common the follow-up is (the copies themselves counted once), times the number of pairs; fewer than
    `limits.chance` coincidences must be expected.
    """
    facts = [_facts(case) for case in cohort.cases]
    common = Counter(fact for own in facts for fact in own)
    holders: defaultdict[frozenset[Hashable], list[int]] = defaultdict(list)
    for row, own in enumerate(facts):
        holders[own].append(row)
    pairs = np.log(len(cohort) * max(len(cohort) - 1, 1) / 2.0)
    repeated = 0
    for shared, rows in holders.items():
        patients = {cohort.cases[row].patient for row in rows}
        if len(patients) > 1:
            others = len(cohort) - len(rows) + 1
            chance = pairs + sum(np.log((common[fact] - len(rows) + 1) / others) for fact in shared)
            repeated += len(patients) - 1 if chance < np.log(limits.chance) else 0
    if repeated:
        problem = "another patient has the same facts, times and outcome: one person under two ids"
        yield Finding("same record in two patients", "records", problem, repeated, len(set(cohort.patients)))


def _facts(case: Case) -> frozenset[Hashable]:
    found: set[Hashable] = {
        (event.code.system, event.code.value, event.number, event.text, (case.index_time - event.time))
        for event in case.record.events
        if event.code.system not in BOOKKEEPING
    }
    found |= {("birth date", case.record.birth_date), ("sex", case.record.sex)}
    if isinstance(case.label, SurvivalLabel):
        found.add(("outcome", case.label.cause, case.label.days))
    return frozenset(found)


def repeated_facts(cohort: Cohort) -> Iterator[Finding]:
    """Facts that a record states twice: the same code, value and time."""
    latest = {case.patient: case for case in sorted(cohort.cases, key=lambda case: case.index_time)}
    repeats: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for case in latest.values():
        seen: set[Hashable] = set()
        for event in case.record.events:
            if event.code.system in BOOKKEEPING:
                continue
            fact = _fact(event)
            code = str(event.code)
            total[code] += 1
            repeats[code] += fact in seen
            seen.add(fact)
    for code, count in sorted(repeats.items()):
        if count:
            yield Finding(
                "repeated fact", code, "records state a value twice at one time", count, total[code]
            )


def _fact(event: Event) -> Hashable:
    return event.time, event.code.system, event.code.value, event.number, event.text, event.unit


def empty_records(cohort: Cohort) -> Iterator[Finding]:
    """Cases about whom nothing is known at the index that evidence could read."""
    hidden = cohort.task.excluded_codes
    empty = 0
    for case in cohort.cases:
        record = case.record
        readable = any(
            event.code.system not in BOOKKEEPING and not is_among(str(event.code), hidden)
            for event in record.events
        )
        empty += not (readable or record.notes or record.studies or record.birth_date or record.sex)
    if empty:
        problem = "nothing is known at the index: no fact, note, film, birth date or sex"
        yield Finding("empty record", "cases", problem, empty, len(cohort))


def shared_between_patients(cohort: Cohort, limits: Thresholds) -> Iterator[Finding]:
    """Imaging studies, and notes of some length, that stand in the records of two patients."""
    studies = ((study.study_uid, case) for case in cohort.cases for study in case.record.studies)
    shared, total = _shared(studies)
    if shared:
        problem = "the same study is in the records of two patients: they may be one, or the join is wrong"
        yield Finding("same image in two patients", "studies", problem, shared, total)
    notes = (
        (hashlib.sha256(text.encode()).hexdigest(), case)
        for case in cohort.cases
        for note in case.record.notes
        if len(text := " ".join(note.text.split()).lower()) >= limits.note_characters
    )
    shared, total = _shared(notes)
    if shared:
        problem = "the same text is in the records of two patients: a template, or one patient twice"
        yield Finding("same note in two patients", "notes", problem, shared, total)


def _shared(items: Iterable[tuple[str, Case]]) -> tuple[int, int]:
    """How many distinct items have more than one patient, of how many."""
    holders: defaultdict[str, set[str]] = defaultdict(set)
    for item, case in items:
        holders[item].add(case.patient)
    return sum(len(patients) > 1 for patients in holders.values()), len(holders)
