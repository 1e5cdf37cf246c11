"""One row of numbers a case, for the peers: the last value of each code known at the index.

The model under test has its own, richer reading of the record; the peers get the plain table that a
statistician would make of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from prognosis.cohort.case import Case
from prognosis.cohort.concepts import CodedConcept, Gathered, gathering
from prognosis.cohort.task import Task
from prognosis.record.codes import CodeTable, is_among
from prognosis.record.units import Refusal
from prognosis.survival.curves import Floats

_DAYS_PER_YEAR = 365.25
_MOST_LEVELS = 20


@dataclass(frozen=True, slots=True)
class _Number:
    name: str
    median: float
    flagged: bool


@dataclass(frozen=True, slots=True)
class _Level:
    name: str
    level: str


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """Columns learned from the training cases: numbers with their medians, texts with their levels.

    Attributes:
        excluded: Codes that no feature may read: the outcome's, and those the task screens out.
        numbers: Numeric columns; a missing value becomes the training median, with a flag column where
            any training value was missing.
        levels: One column for each level of a text, except its commonest in training.
        concepts: The task's, by name: their codes are one column, in one unit.
    """

    excluded: frozenset[str]
    numbers: tuple[_Number, ...]
    levels: tuple[_Level, ...]
    concepts: Mapping[str, CodedConcept] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each column."""
        flags = (f"{number.name} missing" for number in self.numbers if number.flagged)
        levels = (f"{level.name} = {level.level}" for level in self.levels)
        return (*(number.name for number in self.numbers), *flags, *levels)

    def only(self, wanted: Callable[[str], bool]) -> FeatureTable:
        """The table with those columns alone whose value's name is wanted."""
        return FeatureTable(
            self.excluded,
            tuple(number for number in self.numbers if wanted(number.name)),
            tuple(level for level in self.levels if wanted(level.name)),
            self.concepts,
        )

    def transform(self, cases: Sequence[Case]) -> Floats:
        """(n, columns) the features of each case; finite everywhere."""
        gathered = gathering(self.concepts)
        known = [last_values(case, self.excluded, gathered) for case in cases]
        columns = [
            [_as_number(values.get(number.name), number.median) for values in known]
            for number in self.numbers
        ]
        columns += [
            [float(not isinstance(values.get(number.name), float)) for values in known]
            for number in self.numbers
            if number.flagged
        ]
        columns += [
            [float(values.get(level.name) == level.level) for values in known] for level in self.levels
        ]
        return np.array(columns, dtype=np.float64).reshape(len(columns), len(cases)).T


def last_values(
    case: Case, excluded: frozenset[str], gathered: CodeTable[Gathered] | None = None
) -> dict[str, float | str]:
    """The last value of each code in the case's record, with age at the index and sex.

    A code without any value counts as the text "present". Codes that a concept gathers count as its own, in
    its unit; a number that cannot be converted is left out.
    """
    values: dict[str, float | str] = {}
    for event in case.record.events:
        code = str(event.code)
        if is_among(code, excluded):
            continue
        own = gathered.get(code) if gathered else None
        if own is None:
            values[code] = event.number if event.number is not None else event.text or "present"
        elif event.number is None or not own.concept.unit:
            values[own.code] = event.text or "present"
        else:
            change = own.concept.change(event.unit, code)
            if not isinstance(change, Refusal):
                values[own.code] = change(event.number)
    if case.record.birth_date is not None:
        values["age"] = (case.index_time.date() - case.record.birth_date).days / _DAYS_PER_YEAR
    if case.record.sex is not None:
        values["sex"] = case.record.sex
    return values


def learn_features(task: Task, cases: Sequence[Case]) -> FeatureTable:
    """The columns that the training cases support; a column that never varies is left out.

    Args:
        task: Names the codes that may not be read.
        cases: The training cases.
    """
    excluded = task.excluded_codes | frozenset(task.index.codes)
    gathered = gathering(task.concepts)
    known = [last_values(case, excluded, gathered) for case in cases]
    numbers: list[_Number] = []
    levels: list[_Level] = []
    for name in sorted({name for values in known for name in values}):
        found = [values.get(name) for values in known]
        numeric = [value for value in found if isinstance(value, float)]
        texts = [value if isinstance(value, str) else "" for value in found]
        if numeric and (len(set(numeric)) > 1 or len(numeric) < len(found)):
            numbers.append(_Number(name, float(np.median(numeric)), len(numeric) < len(found)))
        if any(texts):
            levels.extend(_levels(name, texts))
    return FeatureTable(excluded, tuple(numbers), tuple(levels), task.concepts)


def _levels(name: str, texts: Sequence[str]) -> list[_Level]:
    """All levels but the commonest: "" (no text) may be the one left out, and never is a column."""
    commonest_first = sorted(set(texts), key=lambda text: (-texts.count(text), text))
    return [_Level(name, level) for level in commonest_first[1 : _MOST_LEVELS + 1] if level]


def _as_number(value: float | str | None, median: float) -> float:
    return value if isinstance(value, float) else median
