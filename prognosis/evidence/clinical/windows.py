"""As-of windows over events: one row a case, one column a concept's statistic over a stretch of time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case
from prognosis.cohort.measurement import LARGEST
from prognosis.evidence.clinical.concepts import (
    FROM_THE_START,
    Concept,
    Vocabulary,
    facts,
)
from prognosis.evidence.clinical.window_pass import STATISTICS, Facts, Floats, Ints, fill_windows

_SECONDS_PER_DAY = 86400.0
_WINDOW_STATISTICS = ("mean", "min", "max", "slope", "count")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table.

    Attributes:
        concept: The concept's place in the vocabulary.
        statistic: "last", "limit" (the last value was cut off by the assay's limit), "mean", "min", "max",
            "slope" (per day), "change" (per day, from the value known before the last one, and only "ever"),
            "count", "days_since", "is" (the last text is `category`) or "not_measured".
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
        demographic = concept.code in FROM_THE_START
        if concept.kind == "number":
            columns += [Column(place, "last", np.inf)]
            if not demographic:
                columns += [Column(place, s, np.inf) for s in ("limit", "days_since", "change")]
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


def window_table(cases: Sequence[Case], vocabulary: Vocabulary, columns: Sequence[Column]) -> WindowTable:
    """Summarise what was known of each case at its index.

    A text or unit that the training cohort did not have, or a number above 1e15 either way, is not used: the
    concept counts as not measured by it, and the case says so in `withheld`. Of facts of the same time the
    later in the record is last.

    Args:
        cases: In any order.
        vocabulary: The training cohort's.
        columns: From `table_columns`.
    """
    read, withheld = _read(cases, vocabulary)
    present = np.zeros(len(cases), dtype=bool)
    present[read.case] = True
    values = facts_table(read, len(cases), vocabulary.categories, columns)
    return WindowTable(values, present, withheld)


def facts_table(
    read: Facts, cases: int, categories: Sequence[Sequence[str]], columns: Sequence[Column]
) -> Floats:
    """(cases, columns) the statistics of sorted facts; NaN where one has nothing to rest on.

    Args:
        read: The facts, in the order that `Facts` asks for.
        cases: The number of cases.
        categories: The texts of each concept of the vocabulary; none for those that are not categories.
        columns: As in `window_table`.
    """
    spans = np.array(sorted({np.inf, *(column.window_days for column in columns)}, reverse=True))
    place = np.full((len(categories), len(spans), len(STATISTICS)), -1, dtype=np.int64)
    for number, column in enumerate(columns):
        if column.statistic in STATISTICS:
            window = int(np.searchsorted(-spans, -column.window_days))
            place[column.concept, window, STATISTICS.index(column.statistic)] = number
    values = np.empty((cases, len(columns)))
    values[:] = [0.0 if column.statistic == "count" else np.nan for column in columns]
    last = fill_windows(read, spans, place, values)
    for number, column in enumerate(columns):
        if column.statistic not in STATISTICS:
            values[:, number] = _of_last(read, last[:, column.concept], column, categories)
    return values


def _of_last(read: Facts, last: Ints, column: Column, categories: Sequence[Sequence[str]]) -> Floats:
    """(n,) "not_measured", "limit" or "is", read off the row of each case's last fact; -1 for no fact."""
    measured = last >= 0
    if column.statistic == "not_measured":
        return (~measured).astype(np.float64)
    values = np.full(len(last), np.nan)
    if column.statistic == "limit":
        values[measured] = read.limited[last[measured]]
    else:
        text = categories[column.concept].index(column.category)
        values[measured] = read.category[last[measured]] == text
    return values


def _read(cases: Sequence[Case], vocabulary: Vocabulary) -> tuple[Facts, tuple[str, ...]]:
    reader = vocabulary.reader()
    places = vocabulary.places()
    known: dict[str, set[str]] = {}
    for own in vocabulary.concepts:
        known.setdefault(own.code, set()).add(own.kind)
    texts = [{text: n for n, text in enumerate(own)} for own in vocabulary.categories]
    rows: list[tuple[int, int, float, float, bool, int]] = []
    withheld: list[str] = []
    for number, case in enumerate(cases):
        unused: dict[str, None] = {}
        strange: set[Concept] = set()  # told once, of the first fact
        for event in facts(case, vocabulary.entry_codes):
            reading = reader.reading(event)
            if reading is None:
                continue
            concept = reading.concept
            place = places.get(concept)
            if place is None or reading.refusal:
                if concept.code in known and (reading.refusal or concept not in strange):
                    strange.add(concept)
                    why = reading.refusal or _strange(concept, known[concept.code], event.source)
                    unused[f"{concept.code}: {why}"] = None
                continue
            category = -1
            if concept.kind == "category":
                category = texts[place].get(event.text or "", -1)
                if category < 0:
                    unused[f"{concept.code}: value not seen in training"] = None
                    continue
            age = (case.index_time - event.time).total_seconds() / _SECONDS_PER_DAY
            number_read = reading.number(event)
            value = np.nan if number_read is None else number_read
            if number_read is not None and not abs(value) <= LARGEST:
                unused[f"{concept.code}: {value:g} is beyond what any measurement reaches"] = None
                continue
            rows.append((place, number, age, value, event.comparator is not None, category))
        withheld.append("; ".join(unused))
    return _sorted_facts(rows), tuple(withheld)


_KIND = {"number": "a number", "category": "a text", "occurrence": "the fact alone"}
"""Kinds of a fact, in words."""


def _strange(concept: Concept, trained: Collection[str], source: str) -> str:
    """What a fact states that training did not, where it stands, and what would be right."""
    if concept.kind in trained:
        return f"unit {concept.unit or 'none'} not seen in training"
    meant = " or ".join(_KIND[kind] for kind in sorted(trained))
    where = f" at {source}" if source else ""
    return f"{_KIND[concept.kind]}{where}, where training had {meant}: give {meant}"


def _sorted_facts(rows: list[tuple[int, int, float, float, bool, int]]) -> Facts:
    table = np.array(rows, dtype=float).reshape(-1, 6)
    order = np.lexsort((-table[:, 2], table[:, 1]))  # stable: ties keep the record's order
    table = table[order]
    return Facts(
        case=table[:, 1].astype(np.int64),
        concept=table[:, 0].astype(np.int64),
        age_days=np.ascontiguousarray(table[:, 2]),
        number=np.ascontiguousarray(table[:, 3]),
        limited=table[:, 4].astype(bool),
        category=table[:, 5].astype(np.int64),
    )
