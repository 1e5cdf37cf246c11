"""Lines matched against those seen before, in one pass over the bytes.

What is known of lines is a tree. From each value a few constant texts may follow (`,"code":"`), each leading
to the next value, up to the end of the line. A line that runs down the tree has the keys, the nesting and the
JSON types of the line that made the branch, which the strict parser read. Its values that are compared, and
how its dates stand to one another, then choose the meaning: what the mapping made of a line that has the
same. Where that is not known, or a value is not plain, the scan stops, for the mapping to say.

Compiled functions take addresses of tables, whose rows are `ROW` words of eight bytes: passing arrays would
cost more than reading a value does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from connectors.fhir.ingest.elements import ABOUT, COMPARED, DATE, NAME, NUMBER
from connectors.fhir.ingest.values import (
    DAY_MICROSECONDS,
    NO_DATE,
    first_instant,
    is_id,
    mixed,
    number_at,
    number_end,
    patient_id_at,
    string_end,
)
from connectors.fhir.ingest.vectors import (
    WIDTH,
    byte,
    compiled,
    copied,
    differing,
    put,
    put_end,
    put_number,
    whole,
    word,
)

DONE, FULL, UNKNOWN_LINE, UNKNOWN_MEANING, TO_MAPPING = range(5)
"""Why a scan stops."""

MOST_COMPARED, MOST_DATES, MOST_NUMBERS = 512, 4, 128
"""Values of a line, at most."""

ROW = 8
"""Words in a row of a table."""

TEXT, LENGTH, NEXT, FOLLOWS, ROLE, IS_NUMBER, FIRST = range(7)
"""Of a step of the tree (a constant text and the value that it leads to): where the text begins, its length,
the other step from the same value (0: none), 1 where a number follows, the value's role, 1 for a number, the
first step from the value. Step 0 leads to the beginning of a line."""

ENDS = -1
"""The role of a step that ends a line. Its `IS_NUMBER` and `FIRST` say where the source's beginning
("Observation/") is among the texts, and its length."""

HASH, LEAF, RELATION, VALUES, VALUE_COUNT, FACTS, FACT_COUNT, HAPPENED = range(8)
"""Of a meaning: its hash; the last step of its lines; how their dates stand; where its compared values begin,
each behind its length in four bytes; how many; its first fact; how many (-1: read by the mapping); the date
of `happened`, -1 for none. A date is twice its place in the line, plus 1 for its last instant."""

STATUS, AT, LINE, ROWS, SOURCE_BYTES, PATIENT_BYTES, FOUND_LEAF, FOUND_RELATION, FOUND_HASH = range(9)
"""Places in the state of a scan."""

SOURCE_LENGTH = 96
"""The longest source or patient, a type and an id of 64, and no less than `WIDTH` beyond half of it."""

TREE, TREE_TEXTS, TABLE, MASK, MEANINGS, MEANING_TEXTS, MEANING_FACTS, COUNTS = range(8)
OUT, NUMBERS, SOURCE_ENDS, SOURCES, PATIENT_ENDS, PATIENTS, WORK, ROOM = range(8, 16)
"""Places in the list of addresses; `MASK` and `ROOM` (rows) are numbers."""

_NAME, _ABOUT, _COMPARED, _DATES, _NUMBERS = (
    0,
    2,
    8,
    8 + 2 * MOST_COMPARED,
    8 + 2 * (MOST_COMPARED + MOST_DATES),
)
WORK_WORDS = _NUMBERS + MOST_NUMBERS
"""Words to work in: where the id begins, its length, the same of the patient's, the counts of compared
values, dates and numbers, and those themselves."""
_COMPARED_COUNT, _DATE_COUNT, _NUMBER_COUNT = 4, 5, 6
_NO_BITS = np.uint64(0)


@compiled
def _same(one: int, other: int, length: int) -> bool:
    if length == 0:
        return True
    while length > WIDTH:
        if differing(one, other) != _NO_BITS:
            return False
        one += WIDTH
        other += WIDTH
        length -= WIDTH
    return differing(one, other) << np.uint64(64 - length) == _NO_BITS


@compiled
def _copy(to: int, at: int, length: int) -> int:
    """Copy a text, and up to `WIDTH` bytes behind it that are written over later; where the copy ends."""
    end = to + length
    while to < end:
        copied(to, at)
        to += WIDTH
        at += WIDTH
    return end


@compiled
def _relation(dates: int, count: int) -> int:
    """How dates stand to one another: one number for each order of first and last instants."""
    code = 1
    for one in range(2 * count):
        mine = whole(dates + 8 * one)
        for another in range(one):
            other = whole(dates + 8 * another)
            code = code * 3 + (1 if mine > other else 0) + (2 if mine < other else 0)
    return code


@compiled
def _value(role: int, is_number: int, at: int, work: int) -> int:
    """Read a value; where it ends, or 0 where it is not plain."""
    if role == NUMBER:
        number, end = number_at(at)
        put_number(work + 8 * (_NUMBERS + whole(work + 8 * _NUMBER_COUNT)), number)
        put(work + 8 * _NUMBER_COUNT, whole(work + 8 * _NUMBER_COUNT) + 1)
        return end
    end = number_end(at) if is_number == 1 else string_end(at)
    if end < 0:
        end = -end if role != NAME and role != ABOUT and role != DATE else 0
    if end == 0:
        return 0
    if role == COMPARED:
        count = whole(work + 8 * _COMPARED_COUNT)
        put(work + 8 * (_COMPARED + 2 * count), at)
        put(work + 8 * (_COMPARED + 2 * count + 1), end - at)
        put(work + 8 * _COMPARED_COUNT, count + 1)
    elif role == DATE:
        first = first_instant(at, end)
        if first == NO_DATE:
            return 0
        count = whole(work + 8 * _DATE_COUNT)
        put(work + 8 * (_DATES + 2 * count), first)
        put(work + 8 * (_DATES + 2 * count + 1), first + (DAY_MICROSECONDS - 1 if end - at == 10 else 0))
        put(work + 8 * _DATE_COUNT, count + 1)
    elif role == NAME:
        if not is_id(at, end):
            return 0
        put(work + 8 * _NAME, at)
        put(work + 8 * (_NAME + 1), end - at)
    elif role == ABOUT:
        start = patient_id_at(at, end)
        if start == 0:
            return 0
        put(work + 8 * _ABOUT, start)
        put(work + 8 * (_ABOUT + 1), end - start)
    return end


@compiled
def _down(tree: int, texts: int, at: int, stop: int, work: int) -> tuple[int, int]:
    """Run down the tree: the last step and where the line ends.

    It ends at 0 where no branch has it, and at -1 where a value is not plain.
    """
    for place in range(8):
        put(work + 8 * place, 0)
    step = tree
    while True:
        following = whole(step + 8 * FIRST)
        while True:
            if following == 0:
                return 0, 0
            step = tree + 8 * ROW * following
            length = whole(step + 8 * LENGTH)
            if length <= stop - at and _same(texts + whole(step + 8 * TEXT), at, length):
                sign = byte(at + length)
                if whole(step + 8 * FOLLOWS) == 0 or sign == 45 or 48 <= sign <= 57:
                    break
            following = whole(step + 8 * NEXT)
        at += length
        role = whole(step + 8 * ROLE)
        if role == ENDS:
            return following, at
        at = _value(role, whole(step + 8 * IS_NUMBER), at, work)
        if at == 0:
            return 0, -1


@compiled
def _meaning(known: np.uint64, leaf: int, relation: int, places: NDArray[np.int64]) -> int:
    """The meaning of a line that ended in a leaf, as an address; 0 where it is not known."""
    mask = np.uint64(places[MASK])
    slot = known & mask
    work = places[WORK]
    count = whole(work + 8 * _COMPARED_COUNT)
    while True:
        meaning = whole(places[TABLE] + 8 * np.int64(slot))
        if meaning == 0:
            return 0
        row = places[MEANINGS] + 8 * ROW * (meaning - 1)
        slot = (slot + np.uint64(1)) & mask
        if word(row) != known or whole(row + 8 * LEAF) != leaf or whole(row + 8 * RELATION) != relation:
            continue
        at, same = places[MEANING_TEXTS] + whole(row + 8 * VALUES), whole(row + 8 * VALUE_COUNT) == count
        value = work + 8 * _COMPARED
        for _ in range(count):
            length = whole(value + 8)
            same = same and np.int64(word(at) & np.uint64(0xFFFFFFFF)) == length
            if not same or not _same(at + 4, whole(value), length):
                same = False
                break
            at += 4 + length
            value += 16
        if same:
            return row


@compiled
def _put(row: int, leaf: int, state: int, places: NDArray[np.int64]) -> None:
    """Write the facts of a line that has a meaning."""
    work = places[WORK]
    step = places[TREE] + 8 * ROW * leaf
    start, length = places[TREE_TEXTS] + whole(step + 8 * IS_NUMBER), whole(step + 8 * FIRST)
    happened = whole(row + 8 * HAPPENED)
    when = whole(work + 8 * (_DATES + happened)) if happened >= 0 else NO_DATE
    line, to = whole(state + 8 * LINE), whole(state + 8 * ROWS)
    source = places[SOURCES] + whole(state + 8 * SOURCE_BYTES)
    patient = places[PATIENTS] + whole(state + 8 * PATIENT_BYTES)
    first = whole(row + 8 * FACTS)
    for fact in range(first, first + whole(row + 8 * FACT_COUNT)):
        date = whole(places[MEANING_FACTS] + 16 * fact)
        number = whole(places[MEANING_FACTS] + 16 * fact + 8)
        out = places[OUT] + 32 * to
        put(out, line)
        put(out + 8, when)
        put(out + 16, whole(work + 8 * (_DATES + date)) if date >= 0 else NO_DATE)
        put(out + 24, fact)
        if number >= 0:
            put(places[NUMBERS] + 8 * to, whole(work + 8 * (_NUMBERS + number)))
        else:
            put_number(places[NUMBERS] + 8 * to, np.nan)
        source = _copy(_copy(source, start, length), whole(work + 8 * _NAME), whole(work + 8 * (_NAME + 1)))
        about = whole(work + 8 * (_ABOUT + 1))
        if about > 0:
            patient = _copy(patient, whole(work + 8 * _ABOUT) - 8, about + 8)
        to += 1
        put_end(places[SOURCE_ENDS] + 4 * to, source - places[SOURCES])
        put_end(places[PATIENT_ENDS] + 4 * to, patient - places[PATIENTS])
    put(state + 8 * ROWS, to)
    put(state + 8 * SOURCE_BYTES, source - places[SOURCES])
    put(state + 8 * PATIENT_BYTES, patient - places[PATIENTS])


@compiled
def scan(places: NDArray[np.int64], block: NDArray[np.uint8], state: NDArray[np.int64]) -> None:
    """Read lines from `state[AT]` on until one cannot be read, there is no room, or the block ends.

    Args:
        places: Addresses of what is known of lines, and of what is filled.
        block: Whole lines, each with its newline; `WIDTH` bytes more are in memory behind them.
        state: As named above; gone on from and left at the line that stopped the scan.
    """
    begun, work = block.ctypes.data, places[WORK]
    stop = begun + block.size
    at = begun + state[AT]
    while at < stop:
        leaf, end = _down(places[TREE], places[TREE_TEXTS], at, stop, work)
        if end <= 0:
            state[STATUS] = UNKNOWN_LINE if end == 0 else TO_MAPPING
            return
        relation = _relation(work + 8 * _DATES, whole(work + 8 * _DATE_COUNT))
        known = np.uint64(relation) * np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(leaf)
        value = work + 8 * _COMPARED
        for _ in range(whole(work + 8 * _COMPARED_COUNT)):
            known = mixed(known, whole(value), whole(value + 8))
            value += 16
        row = _meaning(known, leaf, relation, places)
        facts = whole(row + 8 * FACT_COUNT) if row != 0 else -1
        if facts < 0:
            state[FOUND_LEAF], state[FOUND_RELATION], state[FOUND_HASH] = leaf, relation, np.int64(known)
            state[STATUS] = UNKNOWN_MEANING if row == 0 else TO_MAPPING
            return
        if state[ROWS] + facts > places[ROOM]:
            state[STATUS] = FULL
            return
        _put(row, leaf, state.ctypes.data, places)
        count = places[COUNTS] + (row - places[MEANINGS]) // ROW
        put(count, whole(count) + 1)
        at = end
        state[AT] = at - begun
        state[LINE] += 1
    state[STATUS] = DONE
