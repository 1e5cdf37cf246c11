"""Columns that say nothing, name the patient, or say what another says."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.lint.columns import Column
from prognosis.cohort.lint.finding import Finding, Thresholds
from prognosis.cohort.lint.names import plain_name

IDENTIFIER = re.compile(
    r"^((patient|subject|person|case|record|row|study|hospital|encounter) ?(id|number|no|nr|nbr|key)"
    r"|p?id|ids|mrn|uuid|row ?names?|row|unnamed \d+|serial( number| no)?)$"
)
NEARLY_ALL = 0.95
LONGEST_IDENTIFIER = 40


def redundant_columns(columns: tuple[Column, ...], cases: int, limits: Thresholds) -> Iterator[Finding]:
    """Findings about columns that evidence could do without."""
    alike: defaultdict[bytes, list[Column]] = defaultdict(list)
    for column in columns:
        if len(column.rows) < limits.least_cases:
            continue
        code = _numbered(column, limits.many_levels)
        sizes = np.bincount(code)
        if len(sizes) == 1:
            valued = column.texts[0] is not None or not np.isnan(column.numbers[0])
            if valued and len(column.rows) == cases:
                problem = "every case has the one value"
                yield Finding("constant column", column.name, problem, cases, cases)
            continue
        sign = _identifier(column, len(sizes))
        if sign:
            yield Finding("identifier as a column", column.name, sign, len(sizes), len(column.rows))
        levels = len(sizes) <= min(limits.many_levels, len(column.rows) // 2)
        comparable = levels or not np.isnan(column.numbers).any()
        if comparable and np.sort(sizes)[:-1].sum() >= limits.least_events:
            where = np.asarray(column.rows, dtype=np.int64)
            alike[where.tobytes() + b"|" + code.tobytes()].append(column)
    for group in alike.values():
        for other in group[1:]:
            problem = f"its values are those of {group[0].name}, perhaps recoded"
            size = len(other.rows)
            yield Finding("same values in two columns", other.name, problem, size, size)


def _numbered(column: Column, many: int) -> NDArray[np.int64]:
    """The values numbered so that recodings of one another are equal.

    A few levels count in the order in which they first appear, whatever they are; many numbers by their
    rank. Many texts are all numbered apart, as no recoding of them is looked for.
    """
    place: dict[tuple[float | None, str | None], int] = {}
    code = np.array(
        [
            place.setdefault((None if np.isnan(number) else number, text), len(place))
            for number, text in zip(column.numbers, column.texts, strict=True)
        ],
        dtype=np.int64,
    )
    if len(place) > min(many, len(column.rows) // 2) and not np.isnan(column.numbers).any():
        return np.unique(column.numbers, return_inverse=True)[1].astype(np.int64)
    return code


def _identifier(column: Column, distinct: int) -> str:
    """Why a column looks like an identifier, or ""."""
    if IDENTIFIER.match(plain_name(column.name.rpartition("|")[2])):
        return "its name is that of an identifier"
    texts = [text for text in column.texts if text is not None]
    size = len(column.rows)
    if len(texts) == size:
        one_word = all(len(text) <= LONGEST_IDENTIFIER and " " not in text for text in texts)
        return "nearly every case has a text of its own" if one_word and distinct > NEARLY_ALL * size else ""
    numbers = np.array(column.numbers)
    whole = bool(np.isfinite(numbers).all() and (numbers == np.round(numbers)).all())
    if whole and distinct == size and numbers.max() - numbers.min() < 2 * size:
        return "its values are serial numbers"
    return ""
