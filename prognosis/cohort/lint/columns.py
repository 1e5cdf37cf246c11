"""The record at the index as columns: the last value of each code, as a one-column model would see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Cohort
from prognosis.cohort.selection import age_years
from prognosis.cohort.task import Task
from prognosis.record import Code, Event

BOOKKEEPING = frozenset({"prognosis", "outcome"})
NO_LEVEL = -1


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
    """

    name: str
    display: str = ""
    rows: list[int] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)
    texts: list[str | None] = field(default_factory=list)
    units: Counter[str] = field(default_factory=Counter)

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
        numbers = {number for number in self.numbers if not np.isnan(number)}
        named = [
            text if text is not None else _level_of(number, len(numbers) <= few)
            for text, number in zip(self.texts, self.numbers, strict=True)
        ]
        names = sorted({name for name in named if name is not None})
        place = {name: number for number, name in enumerate(names)}
        level = np.full(cases, NO_LEVEL, dtype=np.int64)
        level[self.rows] = [NO_LEVEL if name is None else place[name] for name in named]
        return Levels(tuple(names), level)


@dataclass(frozen=True, slots=True)
class Levels:
    """Names of levels, and (n,) the level of each case, -1 where it has none."""

    names: tuple[str, ...]
    level: NDArray[np.int64]


def _level_of(number: float, few: bool) -> str | None:
    if np.isnan(number):
        return "recorded"
    return f"{number:g}" if few else None


def columns_of(cohort: Cohort) -> tuple[Column, ...]:
    """Every code that evidence may read, and age and sex, sorted by name.

    Left out are the task's excluded codes and the bookkeeping of sources (systems "prognosis" and "outcome").
    """
    columns: dict[Code, Column] = {}
    age, sex = Column("birth date", "age at the index"), Column("sex", "sex")
    for row, events in _readable_events(cohort):
        record = cohort.cases[row].record
        if record.birth_date is not None:
            age.set(row, age_years(record.birth_date, cohort.cases[row].index_time), None)
        if record.sex is not None:
            sex.set(row, None, record.sex)
        for event in events:
            column = columns.get(event.code)
            if column is None:
                column = columns[event.code] = Column(str(event.code), event.display)
            if event.number is not None:
                column.units[event.unit or "no unit"] += 1
            column.set(row, event.number, event.text)
    found = sorted(columns.values(), key=lambda column: column.name)
    return (*(column for column in (age, sex) if column.rows), *found)


def readable(code: Code, task: Task) -> bool:
    """Whether evidence may read this code."""
    return code.system not in BOOKKEEPING and str(code) not in task.excluded_codes


def _readable_events(cohort: Cohort) -> Iterator[tuple[int, list[Event]]]:
    allowed: dict[Code, bool] = {}
    for row, case in enumerate(cohort.cases):
        kept: list[Event] = []
        for event in case.record.events:
            may = allowed.get(event.code)
            if may is None:
                may = allowed[event.code] = readable(event.code, cohort.task)
            if may:
                kept.append(event)
        yield row, kept
