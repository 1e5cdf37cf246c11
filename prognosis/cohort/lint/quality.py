"""Values that cannot be: two units for one code, ages, concentrations below zero, laboratory limits."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from prognosis.cohort.case import Cohort
from prognosis.cohort.concepts import CodedConcept
from prognosis.cohort.lint.columns import NO_UNIT, Column
from prognosis.cohort.lint.finding import Finding, Thresholds
from prognosis.cohort.lint.names import plain_name
from prognosis.cohort.selection import age_years
from prognosis.record.units import Refusal

AGE_IN_YEARS = re.compile(r"^(num )?age( at \w+)?( (in )?(years|yrs))?$")


def units_that_disagree(columns: tuple[Column, ...]) -> Iterator[Finding]:
    """Codes whose numbers come in more than one unit, or in one that their concept cannot be read in."""
    for column in columns:
        if column.concept is not None and column.concept.unit:
            yield from _not_converted(column, column.concept)
        elif len(column.units) > 1:
            total = column.units.total()
            (_, most), *_ = column.units.most_common(1)
            listed = ", ".join(f"{unit}: {count}" for unit, count in sorted(column.units.items()))
            problem = f"values come in {listed}"
            yield Finding("two units for one code", column.name, problem, total - most, total)


def _not_converted(column: Column, concept: CodedConcept) -> Iterator[Finding]:
    """Each unit of a gathered code of which no number is read."""
    for unit, count in sorted(column.units.items()):
        change = concept.change(None if unit == NO_UNIT else unit, column.name)
        if isinstance(change, Refusal):
            problem = f"values in {unit} are not read in {concept.unit}: it {change.reason}"
            yield Finding("unit cannot be converted", column.name, problem, count, column.units.total())


def impossible_values(cohort: Cohort, columns: tuple[Column, ...], limits: Thresholds) -> Iterator[Finding]:
    """Patients not yet born, or too old to be believed; values that no living patient has."""
    dated = [(case.record.birth_date, case.index_time) for case in cohort.cases]
    ages = [age_years(born, index) for born, index in dated if born is not None]
    yield from _ages("birth date", ages, limits)
    for column in columns:
        if AGE_IN_YEARS.match(plain_name(column.name.rpartition("|")[2])):
            numbers = [number for number in column.numbers if not np.isnan(number)]
            yield from _ages(column.name, numbers, limits)
        for count, problem in (
            (column.below_zero, "a concentration is below zero"),
            (column.out_of_range, "a value lies outside what is possible for this code in its unit"),
        ):
            if count:
                yield Finding("implausible value", column.name, problem, count, column.units.total())


def _ages(subject: str, ages: list[float], limits: Thresholds) -> Iterator[Finding]:
    oldest = limits.oldest_years
    for problem, count in (
        ("the patient is born after the index", sum(age < 0.0 for age in ages)),
        (f"the patient is older than {oldest:g} years", sum(age > oldest for age in ages)),
    ):
        # A column in days or months is another quantity than years; then nearly all would be too old.
        if count > 0 and not (subject != "birth date" and count > len(ages) / 2.0):
            yield Finding("implausible value", subject, problem, count, len(ages))
