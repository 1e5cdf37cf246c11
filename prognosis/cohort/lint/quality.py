"""Damage: facts from after the index, two units, impossible values, images and notes of two patients."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from prognosis.cohort.case import Case, Cohort
from prognosis.cohort.lint.columns import Column
from prognosis.cohort.lint.finding import Finding, Thresholds
from prognosis.cohort.selection import age_years


def known_too_late(cohort: Cohort) -> Iterator[Finding]:
    """Cases whose record holds something that was not yet known at the index; `as_of` makes it impossible."""
    late: Counter[str] = Counter()
    for case in cohort.cases:
        record, index = case.record, case.index_time
        late["events"] += any(event.time > index for event in record.events)
        late["notes"] += any(note.time > index for note in record.notes)
        late["studies"] += any(study.time > index for study in record.studies)
    for kind, cases in late.items():
        if cases:
            problem = "the record of a case holds facts known only after its index"
            yield Finding("known after the index", kind, problem, cases, len(cohort))


def units_that_disagree(columns: tuple[Column, ...]) -> Iterator[Finding]:
    """Codes whose numbers come in more than one unit."""
    for column in columns:
        if len(column.units) > 1:
            total = column.units.total()
            (_, most), *_ = column.units.most_common(1)
            listed = ", ".join(f"{unit}: {count}" for unit, count in sorted(column.units.items()))
            problem = f"values come in {listed}"
            yield Finding("two units for one code", column.name, problem, total - most, total)


def impossible_values(cohort: Cohort, columns: tuple[Column, ...], limits: Thresholds) -> Iterator[Finding]:
    """Patients not yet born, or too old to be believed; concentrations below zero."""
    dated = [(case.record.birth_date, case.index_time) for case in cohort.cases]
    ages = [age_years(born, index) for born, index in dated if born is not None]
    for problem, count in (
        ("the patient is born after the index", sum(age < 0.0 for age in ages)),
        (
            f"the patient is older than {limits.oldest_years:g} years",
            sum(a > limits.oldest_years for a in ages),
        ),
    ):
        if count:
            yield Finding("implausible value", "birth date", problem, count, len(ages))
    for column in columns:
        if column.below_zero:
            problem = "a concentration is below zero"
            yield Finding("implausible value", column.name, problem, column.below_zero, column.units.total())


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
