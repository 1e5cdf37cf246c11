"""Lines matched against those seen before, in one pass over the bytes.

What is known of lines is a tree. From each value a few constant texts may follow (`,"code":"`), each leading to
the next value, up to the end of the line. A line that runs down the tree has the keys, the nesting and the JSON
types of the line that made the branch, which the strict parser read. Its values that are compared, and how its
dates stand to one another, then choose the meaning: what the mapping made of a line that has the same. Where
that is not known, or a value is not plain, the scan stops, for the mapping to say.
"""

from __future__ import annotations

from typing import NamedTuple

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
from connectors.fhir.ingest.vectors import WIDTH, byte, compiled, differing, word

DONE, FULL, UNKNOWN_LINE, UNKNOWN_MEANING, TO_MAPPING = range(5)
"""Why a scan stops."""

MOST_COMPARED, MOST_DATES, MOST_NUMBERS = 512, 4, 128
"""Values of a line, at most."""

STATUS, AT, LINE, LEAF, RELATION, HASH, ROWS, SOURCE_BYTES, PATIENT_BYTES = range(9)
"""Places in the state of a scan."""

TEXT, BEFORE_NUMBER = 0, 1
"""What follows a constant text: a string or the end of the line, or a number."""

ROW_BYTES = 96
"""The longest source or patient: a type and an id of 64."""


class Tree(NamedTuple):
    """Values (nodes) and the constant texts that lead to them (edges).

    Attributes:
        texts: The constant texts, one behind the other.
        edges: By edge: where its text begins, its length, its node, the next edge from the same node, what
            follows.
        nodes: By node: its first edge, its role, 1 for a number, 1 where the line ends.
        kinds: By node where a line ends: where its source's beginning ("Observation/") is in `texts`, its
            length.
    """

    texts: NDArray[np.uint8]
    edges: NDArray[np.int64]
    nodes: NDArray[np.int64]
    kinds: NDArray[np.int64]


class Meanings(NamedTuple):
    """What lines mean.

    Attributes:
        table: By hash: a meaning plus 1, 0 for none; found by going on from the hash's place.
        texts: Compared values, each behind its length in four bytes.
        rows: By meaning: leaf, relation of dates, where its values begin in `texts`, how many they are, where
            its facts begin in `facts`, how many they are (-1: read by the mapping), its date of `happened`.
        hashes: By meaning.
        facts: By fact: its date, its number; -1 for none. A date is twice its place, plus 1 for its last instant.
        counts: By meaning: how many lines had it.
    """

    table: NDArray[np.int64]
    texts: NDArray[np.uint8]
    rows: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    facts: NDArray[np.int64]
    counts: NDArray[np.int64]


class Found(NamedTuple):
    """Facts as they are found, and room to work.

    Attributes:
        facts: By row: the line's number, happened, time, and which of `Meanings.facts` it is.
        numbers: By row.
        source_ends: Where the source of each row ends in `sources`; the first is 0.
        sources: Bytes.
        patient_ends: As of sources.
        patients: Bytes.
        compared: Of the line looked at: where each compared value begins, its length.
        dates: Its dates: first and last instants in turn.
        values: Its numbers.
    """

    facts: NDArray[np.int64]
    numbers: NDArray[np.float64]
    source_ends: NDArray[np.int32]
    sources: NDArray[np.uint8]
    patient_ends: NDArray[np.int32]
    patients: NDArray[np.uint8]
    compared: NDArray[np.int64]
    dates: NDArray[np.int64]
    values: NDArray[np.float64]


@compiled
def _same(one: int, other: int, length: int) -> bool:
    if length == 0:
        return True
    while length > WIDTH:
        if differing(one, other) != np.uint64(0):
            return False
        one += WIDTH
        other += WIDTH
        length -= WIDTH
    return differing(one, other) << np.uint64(64 - length) == np.uint64(0)


@compiled
def _next_edge(tree: Tree, texts: int, node: int, at: int, left: int) -> int:
    """The edge from a node whose text stands at an address; -1 where there is none."""
    edge = tree.nodes[node, 0]
    while edge >= 0:
        length = tree.edges[edge, 1]
        if length <= left and _same(texts + tree.edges[edge, 0], at, length):
            sign = byte(at + length)
            if tree.edges[edge, 4] == TEXT or sign == 45 or 48 <= sign <= 57:
                return edge
        edge = tree.edges[edge, 3]
    return -1


@compiled
def _relation(dates: NDArray[np.int64], count: int) -> int:
    """How dates stand to one another: one number for each order of first and last instants."""
    code = 1
    for one in range(2 * count):
        for other in range(one):
            code = code * 3 + (1 if dates[one] > dates[other] else 0) + (2 if dates[one] < dates[other] else 0)
    return code


@compiled
def _meaning(meanings: Meanings, state: NDArray[np.int64], compared: NDArray[np.int64], count: int) -> int:
    """The meaning of a line that ends in a leaf; -1 where it is not known."""
    known = np.uint64(state[HASH])
    mask = np.uint64(meanings.table.size - 1)
    place = known & mask
    texts = meanings.texts.ctypes.data
    while meanings.table[place] != 0:
        meaning = meanings.table[place] - 1
        row = meanings.rows[meaning]
        place = (place + np.uint64(1)) & mask
        if meanings.hashes[meaning] != known or row[0] != state[LEAF] or row[1] != state[RELATION]:
            continue
        if row[3] != count:
            continue
        at, same = texts + row[2], True
        for value in range(count):
            length = compared[value, 1]
            if np.int64(word(at) & np.uint64(0xFFFFFFFF)) != length or not _same(
                at + 4, compared[value, 0], length
            ):
                same = False
                break
            at += 4 + length
        if same:
            return meaning
    return -1


@compiled
def _copy(to: NDArray[np.uint8], place: int, at: int, length: int) -> int:
    for letter in range(length):
        to[place + letter] = byte(at + letter)
    return place + length


@compiled
def _put(
    tree: Tree, meanings: Meanings, found: Found, state: NDArray[np.int64], meaning: int, names: NDArray[np.int64]
) -> None:
    """Write the facts of a line."""
    row = meanings.rows[meaning]
    start, length = tree.kinds[state[LEAF]]
    texts = tree.texts.ctypes.data
    for fact in range(row[4], row[4] + row[5]):
        to = state[ROWS]
        found.facts[to, 0] = state[LINE]
        found.facts[to, 1] = found.dates[row[6]] if row[6] >= 0 else NO_DATE
        date, number = meanings.facts[fact]
        found.facts[to, 2] = found.dates[date] if date >= 0 else NO_DATE
        found.facts[to, 3] = fact
        found.numbers[to] = found.values[number] if number >= 0 else np.nan
        place = _copy(found.sources, state[SOURCE_BYTES], texts + start, length)
        state[SOURCE_BYTES] = _copy(found.sources, place, names[0], names[1])
        found.source_ends[to + 1] = state[SOURCE_BYTES]
        if names[3] > 0:
            place = _copy(found.patients, state[PATIENT_BYTES], names[2] - 8, 8)
            state[PATIENT_BYTES] = _copy(found.patients, place, names[2], names[3])
        found.patient_ends[to + 1] = state[PATIENT_BYTES]
        state[ROWS] += 1


@compiled
def _value(tree: Tree, node: int, at: int, found: Found, names: NDArray[np.int64], counts: NDArray[np.int64]) -> int:
    """Read the value of a node; where it ends, or 0 where it is not plain."""
    role, begun = tree.nodes[node, 1], at
    if role == NUMBER:
        found.values[counts[2]], end = number_at(at)
        counts[2] += 1
        return end
    if tree.nodes[node, 2] == 1:
        end = number_end(at)
    else:
        end = string_end(at)
        if end < 0:
            if role == NAME or role == ABOUT or role == DATE:
                return 0
            end = -end
    if end == 0:
        return 0
    if role == COMPARED:
        found.compared[counts[0], 0] = begun
        found.compared[counts[0], 1] = end - begun
        counts[0] += 1
    elif role == DATE:
        first = first_instant(begun, end)
        if first == NO_DATE:
            return 0
        found.dates[2 * counts[1]] = first
        found.dates[2 * counts[1] + 1] = first + (DAY_MICROSECONDS - 1 if end - begun == 10 else 0)
        counts[1] += 1
    elif role == NAME:
        if not is_id(begun, end):
            return 0
        names[0], names[1] = begun, end - begun
    elif role == ABOUT:
        start = patient_id_at(begun, end)
        if start == 0:
            return 0
        names[2], names[3] = start, end - start
    return end


@compiled
def _line(
    tree: Tree, at: int, stop: int, found: Found, state: NDArray[np.int64], names: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> int:  # fmt: skip
    """Run down the tree; where the line ends, 0 where no branch has it, -1 where a value is not plain."""
    texts = tree.texts.ctypes.data
    node = 0
    counts[:] = 0
    names[:] = 0
    while True:
        edge = _next_edge(tree, texts, node, at, stop - at)
        if edge < 0:
            return 0
        at += tree.edges[edge, 1]
        node = tree.edges[edge, 2]
        if tree.nodes[node, 3] == 1:
            state[LEAF] = node
            return at
        at = _value(tree, node, at, found, names, counts)
        if at == 0:
            return -1


@compiled
def scan(tree: Tree, meanings: Meanings, block: NDArray[np.uint8], found: Found, state: NDArray[np.int64]) -> None:
    """Read lines from `state[AT]` on until one cannot be read, there is no room, or the block ends.

    Args:
        tree: Of lines.
        meanings: Of lines; counted.
        block: Whole lines, each with its newline; `WIDTH` bytes more are in memory behind them.
        found: Filled.
        state: As named above; gone on from and left at the line that stopped the scan.
    """
    begun = block.ctypes.data
    stop = begun + block.size
    names, counts = np.zeros(4, np.int64), np.zeros(3, np.int64)
    while state[AT] < block.size:
        end = _line(tree, begun + state[AT], stop, found, state, names, counts)
        if end <= 0:
            state[STATUS] = UNKNOWN_LINE if end == 0 else TO_MAPPING
            return
        state[RELATION] = _relation(found.dates, counts[1])
        known = mixed(np.uint64(state[RELATION]), begun, 0) ^ np.uint64(state[LEAF])
        for value in range(counts[0]):
            known = mixed(known, found.compared[value, 0], found.compared[value, 1])
        state[HASH] = np.int64(known)
        meaning = _meaning(meanings, state, found.compared, counts[0])
        if meaning < 0 or meanings.rows[meaning, 5] < 0:
            state[STATUS] = UNKNOWN_MEANING if meaning < 0 else TO_MAPPING
            return
        rows = state[ROWS] + meanings.rows[meaning, 5]
        if rows > found.numbers.size:
            state[STATUS] = FULL
            return
        _put(tree, meanings, found, state, meaning, names)
        meanings.counts[meaning] += 1
        state[AT] = end - begun
        state[LINE] += 1
    state[STATUS] = DONE
