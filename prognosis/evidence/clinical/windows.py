"""As-of windows over events: one row a case, one column a concept's statistic over a stretch of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case
from prognosis.evidence.clinical.concepts import (
    AGE,
    SEX,
    Concept,
    ConceptReader,
    Vocabulary,
    facts,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SECONDS_PER_DAY = 86400.0
_WINDOW_STATISTICS = ("mean", "min", "max", "slope", "count")
_DEMOGRAPHIC = frozenset({str(AGE), str(SEX)})


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table.

    Attributes:
        concept: The concept's place in the vocabulary.
        statistic: "last", "limit" (the last value was cut off by the assay's limit), "mean", "min", "max",
            "slope" (per day), "count", "days_since", "is" (the last text is `category`) or "not_measured".
        window_days: The stretch before the index; infinite for "ever".
        category: For "is", the text.
    """

    concept: int
    statistic: str
    window_days: float
    category: str = ""


@dataclass(frozen=True, slots=True)
class WindowTable:
    """Cases by columns.

    Attributes:
        values: (n, columns) NaN where a statistic has nothing to rest on.
        present: (n,) True where the case has at least one usable fact.
        withheld: Per case, which facts were not used and why; "" where all were.
    """

    values: Floats
    present: NDArray[np.bool_]
    withheld: tuple[str, ...]


def table_columns(vocabulary: Vocabulary, windows_days: Sequence[float]) -> tuple[Column, ...]:
    """The columns of a vocabulary: every statistic over each window and ever."""
    columns: list[Column] = []
    spans = (np.inf, *sorted(windows_days, reverse=True))
    for place, concept in enumerate(vocabulary.concepts):
        demographic = concept.code in _DEMOGRAPHIC
        if concept.kind == "number":
            columns += [Column(place, "last", np.inf)]
            if not demographic:
                columns += [Column(place, "limit", np.inf), Column(place, "days_since", np.inf)]
                columns += [Column(place, s, span) for span in spans for s in _WINDOW_STATISTICS]
        elif concept.kind == "category":
            columns += [Column(place, "is", np.inf, text) for text in vocabulary.categories[place]]
            if not demographic:
                columns += [Column(place, "days_since", np.inf)]
        else:
            columns += [Column(place, "days_since", np.inf)]
            columns += [Column(place, "count", span) for span in spans]
        columns += [Column(place, "not_measured", np.inf)]
    return tuple(columns)


@dataclass(frozen=True, slots=True)
class _Facts:
    """Usable facts of all cases, sorted by concept, case and time: the oldest first."""

    case: Ints
    concept: Ints
    age_days: Floats
    number: Floats
    limited: NDArray[np.bool_]
    category: Ints


def window_table(cases: Sequence[Case], vocabulary: Vocabulary, columns: Sequence[Column]) -> WindowTable:
    """Summarise what was known of each case at its index.

    A text or unit that the training cohort did not have is not used: the concept counts as not measured
    by it, and the case says so in `withheld`. Of facts of the same time the later in the record is last.

    Args:
        cases: In any order.
        vocabulary: The training cohort's.
        columns: From `table_columns`.
    """
    read, withheld = _read(cases, vocabulary)
    values = np.full((len(cases), len(columns)), np.nan)
    index = {
        (column.concept, column.statistic, column.window_days, column.category): place
        for place, column in enumerate(columns)
    }
    present = np.zeros(len(cases), dtype=bool)
    present[read.case] = True
    _set_counts_to_zero(values, columns)
    bounds = np.searchsorted(read.concept, np.arange(len(vocabulary.concepts) + 1))
    for place in range(len(vocabulary.concepts)):
        own = slice(int(bounds[place]), int(bounds[place + 1]))
        if own.start < own.stop:
            _fill_concept(values, index, place, _rows(read, own), vocabulary.categories[place])
    return WindowTable(values, present, withheld)


def _set_counts_to_zero(values: Floats, columns: Sequence[Column]) -> None:
    for place, column in enumerate(columns):
        if column.statistic == "count":
            values[:, place] = 0.0
        elif column.statistic == "not_measured":
            values[:, place] = 1.0


def _rows(read: _Facts, own: slice) -> _Facts:
    return _Facts(
        read.case[own],
        read.concept[own],
        read.age_days[own],
        read.number[own],
        read.limited[own],
        read.category[own],
    )


_Index = dict[tuple[int, str, float, str], int]


class _Put(Protocol):
    """Writes a statistic of the cases at `rows` where the table has its column."""

    def __call__(
        self, statistic: str, rows: Ints, what: Floats, window: float = np.inf, category: str = ""
    ) -> None: ...


def _fill_concept(
    values: Floats, index: _Index, concept: int, own: _Facts, categories: tuple[str, ...]
) -> None:
    """Fill the columns of one concept; `own` is sorted by case, then oldest first."""
    holder, last = _groups(own.case)
    final = np.append(last[1:], len(own.case)) - 1

    def put(statistic: str, rows: Ints, what: Floats, window: float = np.inf, category: str = "") -> None:
        place = index.get((concept, statistic, window, category))
        if place is not None:
            values[rows, place] = what

    put("not_measured", holder, np.zeros(len(holder)))
    put("days_since", holder, own.age_days[final])
    put("last", holder, own.number[final])
    put("limit", holder, own.limited[final].astype(float))
    for number, text in enumerate(categories):
        put("is", holder, (own.category[final] == number).astype(float), np.inf, text)
    for window in sorted({key[2] for key in index if key[0] == concept}):
        inside = own.age_days <= window
        if inside.any():
            _fill_window(own.case[inside], own.age_days[inside], own.number[inside], window, put)


def _fill_window(case: Ints, age_days: Floats, number: Floats, window: float, put: _Put) -> None:
    holder, first = _groups(case)
    count = np.diff(np.append(first, len(case))).astype(float)
    put("count", holder, count, window)
    if np.isnan(number[0]):
        return
    mean = np.add.reduceat(number, first) / count
    put("mean", holder, mean, window)
    put("min", holder, np.minimum.reduceat(number, first), window)
    put("max", holder, np.maximum.reduceat(number, first), window)
    group = np.repeat(np.arange(len(first)), count.astype(np.int64))
    before = age_days - (np.add.reduceat(age_days, first) / count)[group]
    spread = np.add.reduceat(before**2, first)
    together = np.add.reduceat(-before * (number - mean[group]), first)
    moved = spread > 1e-6
    put("slope", holder[moved], together[moved] / spread[moved], window)


def _groups(case: Ints) -> tuple[Ints, Ints]:
    """The cases in order, and where each one's facts begin."""
    first = np.flatnonzero(np.append(True, case[1:] != case[:-1]))
    return case[first], first.astype(np.int64)


def _read(cases: Sequence[Case], vocabulary: Vocabulary) -> tuple[_Facts, tuple[str, ...]]:
    reader = ConceptReader(vocabulary.excluded_codes)
    places = vocabulary.places()
    known = {concept.code for concept in vocabulary.concepts}
    texts = [{text: n for n, text in enumerate(own)} for own in vocabulary.categories]
    rows: list[tuple[int, int, float, float, bool, int]] = []
    withheld: list[str] = []
    for number, case in enumerate(cases):
        unused: dict[str, None] = {}
        for event in facts(case):
            concept = reader.concept(event)
            if concept is None:
                continue
            place = places.get(concept)
            if place is None:
                if concept.code in known:
                    unused[f"{concept.code}: {_strange(concept)} not seen in training"] = None
                continue
            category = -1
            if concept.kind == "category":
                category = texts[place].get(event.text or "", -1)
                if category < 0:
                    unused[f"{concept.code}: value not seen in training"] = None
                    continue
            age = (case.index_time - event.time).total_seconds() / _SECONDS_PER_DAY
            value = np.nan if event.number is None else event.number
            rows.append((place, number, age, value, event.comparator is not None, category))
        withheld.append("; ".join(unused))
    return _sorted_facts(rows), tuple(withheld)


def _strange(concept: Concept) -> str:
    return f"unit {concept.unit or 'none'}" if concept.kind == "number" else concept.kind


def _sorted_facts(rows: list[tuple[int, int, float, float, bool, int]]) -> _Facts:
    table = np.array(rows, dtype=float).reshape(-1, 6)
    order = np.lexsort((-table[:, 2], table[:, 1], table[:, 0]))  # stable: ties keep the record's order
    table = table[order]
    return _Facts(
        case=table[:, 1].astype(np.int64),
        concept=table[:, 0].astype(np.int64),
        age_days=table[:, 2],
        number=table[:, 3],
        limited=table[:, 4].astype(bool),
        category=table[:, 5].astype(np.int64),
    )
