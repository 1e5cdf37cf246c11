"""The record at the index as columns: the last value of each code, as a one-column model would see it."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Cohort
from prognosis.cohort.concepts import CodedConcept, Gathered, gathering
from prognosis.cohort.lint.laboratory import possible
from prognosis.cohort.selection import age_years
from prognosis.cohort.task import Task
from prognosis.record import Event
from prognosis.record.codes import CodeTable, is_among
from prognosis.record.units import Refusal

BOOKKEEPING = frozenset({"prognosis", "outcome"})
NO_LEVEL = -1
NO_UNIT = "no unit"

# UCUM: an amount of substance, mass or cells in a volume. A temperature or a balance may be below zero, an
# amount in a volume may not.
CONCENTRATION = re.compile(r"^[^/]*(g|mol|eq|\[IU\]|U|\*\d+|\{[^}]*\})/(L|dL|mL|uL|mm3|l|dl|ml|ul)$")
# LOINC: base excess in blood, arterial, venous and capillary blood; anion gap in serum, plasma and blood.
MAY_BE_NEGATIVE = frozenset(
    {"11555-0", "1925-7", "1927-3", "1926-5", "1863-0", "33037-3", "10466-1", "41276-7"}
)
BALANCE = re.compile(r"excess|deficit|gap|balance|differen|change|delta|slope|z-score", re.IGNORECASE)


@dataclass(slots=True)
class Column:
    """One code over the cases that have it.

    Attributes:
        name: "system|value", or "birth date" or "sex".
        display: Its name for people, "" where there is none.
        rows: Cases that have it, increasing.
        numbers: The last number in each of them; NaN where the last value is not a number.
        texts: The last text in each; None where it has none.
        units: How many values carry each unit; a number without a unit counts as "no unit".
        may_be_negative: True for an excess, a balance, a difference.
        below_zero: Concentrations below zero that may not be.
        out_of_range: Values outside what is possible for the code in its unit.
        not_finite: Numbers that are infinite or not a number; they are not kept.
        concept: What gathers the code: its numbers are then kept in the concept's unit, or not at all.
    """

    name: str
    display: str = ""
    rows: list[int] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)
    texts: list[str | None] = field(default_factory=list)
    units: Counter[str] = field(default_factory=Counter)
    may_be_negative: bool = False
    below_zero: int = 0
    out_of_range: int = 0
    not_finite: int = 0
    concept: CodedConcept | None = None

    def add(self, row: int, event: Event) -> None:
        """Note a fact of a case."""
        number = event.number
        if number is not None:
            self.units[event.unit or NO_UNIT] += 1
            if not math.isfinite(number):
                self.not_finite += 1
                number = None
            elif number < 0.0 and not self.may_be_negative and CONCENTRATION.match(event.unit or ""):
                self.below_zero += 1
            elif not _possible(number, event):
                self.out_of_range += 1
        if number is not None and self.concept is not None:
            change = self.concept.change(event.unit, self.name) if self.concept.unit else None
            if isinstance(change, Refusal):
                return
            number = None if change is None else change(number)
        self.set(row, number, event.text)

    def set(self, row: int, number: float | None, text: str | None) -> None:
        """Note a value of a case; a later value of the same case replaces it."""
        stated = np.nan if number is None else number
        if self.rows and self.rows[-1] == row:
            self.numbers[-1], self.texts[-1] = stated, text
            return
        self.rows.append(row)
        self.numbers.append(stated)
        self.texts.append(text)

    def observed(self, cases: int) -> NDArray[np.bool_]:
        """(cases,) True for the cases that have it."""
        here = np.zeros(cases, dtype=bool)
        here[self.rows] = True
        return here

    def numeric(self, cases: int) -> NDArray[np.float64]:
        """(cases,) the numbers; NaN elsewhere."""
        values = np.full(cases, np.nan)
        values[self.rows] = self.numbers
        return values

    def levels(self, cases: int, few: int) -> Levels:
        """The texts as numbered levels; numbers too where they take few values.

        A code that carries neither (a diagnosis) has the one level "recorded".
        """
        numbers = np.array(self.numbers)
        few_numbers = len(np.unique(numbers[~np.isnan(numbers)])) <= few
        level = np.full(cases, NO_LEVEL, dtype=np.int64)
        if not few_numbers and not np.isnan(numbers).any():
            return Levels((), level)
        named = [
            text if text is not None else _level_of(number, few_numbers)
            for text, number in zip(self.texts, self.numbers, strict=True)
        ]
        names = sorted({name for name in named if name is not None})
        place = {name: number for number, name in enumerate(names)}
        level[self.rows] = [NO_LEVEL if name is None else place[name] for name in named]
        return Levels(tuple(names), level)


@dataclass(frozen=True, slots=True)
class Levels:
    """Names of levels, and (n,) the level of each case, -1 where it has none."""

    names: tuple[str, ...]
    level: NDArray[np.int64]


def _possible(number: float, event: Event) -> bool:
    limits = possible(event.code.value, event.unit)
    return limits is None or limits[0] <= number <= limits[1]


def _level_of(number: float, few: bool) -> str | None:
    if np.isnan(number):
        return "recorded"
    return f"{number:g}" if few else None


def columns_of(cohort: Cohort) -> tuple[Column, ...]:
    """Every code that evidence may read, and age and sex, sorted by name.

    Left out are the task's excluded codes and the bookkeeping of sources (systems "prognosis" and "outcome").
    """
    columns: dict[tuple[str, str], Column | None] = {}
    gathered = gathering(cohort.task.concepts)
    age, sex = Column("birth date", "age at the index"), Column("sex", "sex")
    for row, case in enumerate(cohort.cases):
        record = case.record
        if record.birth_date is not None:
            age.set(row, age_years(record.birth_date, case.index_time), None)
        if record.sex is not None:
            sex.set(row, None, record.sex)
        for event in record.events:
            key = (event.code.system, event.code.value)  # strings keep their hash, a Code does not
            if key not in columns:
                columns[key] = _new_column(event, cohort.task, gathered)
            column = columns[key]
            if column is not None:
                column.add(row, event)
    found = sorted((column for column in columns.values() if column is not None), key=lambda c: c.name)
    return (*(column for column in (age, sex) if column.rows), *found)


def _new_column(event: Event, task: Task, gathered: CodeTable[Gathered]) -> Column | None:
    code = event.code
    if code.system in BOOKKEEPING or is_among(str(code), task.excluded_codes):
        return None
    may_be_negative = code.value in MAY_BE_NEGATIVE or BALANCE.search(event.display) is not None
    own = gathered.get(str(code))
    concept = None if own is None else own.concept
    return Column(str(code), event.display, may_be_negative=may_be_negative, concept=concept)


def acquisition_of(cohort: Cohort) -> tuple[Column, ...]:
    """How and where each case was seen: its site, and the view and modality of its last film."""
    site, view, modality = (Column(f"acquisition|{name}") for name in ("site", "view", "modality"))
    for row, case in enumerate(cohort.cases):
        site.set(row, None, case.record.site)
        series = [series for study in case.record.studies[-1:] for series in study.series[:1]]
        for shown in series:
            view.set(row, None, shown.view)
            modality.set(row, None, shown.modality)
    return tuple(column for column in (site, view, modality) if len(set(column.texts)) > 1)
