"""What is known of lines, in the form that the scan reads: a tree of lines, and meanings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.fhir.ingest.elements import ABOUT, COMPARED, DATE, ELEMENTS, NAME, NUMBER
from connectors.fhir.ingest.growing import Growing
from connectors.fhir.ingest.meaning import Meaning
from connectors.fhir.ingest.scanning import (
    BEFORE_NUMBER,
    MOST_COMPARED,
    MOST_DATES,
    MOST_NUMBERS,
    TEXT,
    Meanings,
    Tree,
)
from connectors.fhir.ingest.tokens import Value, values_of
from connectors.fhir.ingest.vectors import WIDTH

MOST_NODES, MOST_MEANINGS = 2_000_000, 250_000
"""What is kept in memory; lines beyond are read by the mapping."""


def _bytes(text: bytes) -> np.ndarray:
    return np.frombuffer(text, np.uint8)


@dataclass(slots=True)
class Known:
    """Grows as lines are met; never forgets.

    Attributes:
        consts: What is constant in each fact, by its place among all facts.
        kinds: The resource type of each meaning.
    """

    consts: list[dict[str, Any]] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    _persons: Growing = field(default_factory=lambda: Growing(np.bool_))
    _columns: dict[str, tuple[Growing, dict[Any, int]]] = field(default_factory=dict)
    _texts: Growing = field(default_factory=lambda: Growing(np.uint8, room=65536))
    _edges: Growing = field(default_factory=lambda: Growing(np.int64, 5))
    _nodes: Growing = field(default_factory=lambda: Growing(np.int64, 4))
    _leaves: Growing = field(default_factory=lambda: Growing(np.int64, 2))
    _table: Any = field(default_factory=lambda: np.zeros(4096, np.int64))
    _compared: Growing = field(default_factory=lambda: Growing(np.uint8, room=65536))
    _rows: Growing = field(default_factory=lambda: Growing(np.int64, 7))
    _hashes: Growing = field(default_factory=lambda: Growing(np.uint64))
    _facts: Growing = field(default_factory=lambda: Growing(np.int64, 2))
    _counts: Growing = field(default_factory=lambda: Growing(np.int64))

    def __post_init__(self) -> None:
        self._node(0, 0, 0)

    @property
    def tree(self) -> Tree:
        """As the scan reads it; made anew after each line that was added."""
        return Tree(self._texts.rows, self._edges.rows, self._nodes.rows, self._leaves.rows)

    @property
    def meanings(self) -> Meanings:
        """As the scan reads them; made anew after each that was added."""
        return Meanings(
            self._table,
            self._compared.rows,
            self._rows.rows,
            self._hashes.rows,
            self._facts.rows,
            self._counts.rows,
        )

    @property
    def full(self) -> bool:
        """Whether nothing more is kept."""
        return self._nodes.count > MOST_NODES or self._rows.count > MOST_MEANINGS

    def add_line(self, line: bytes, kind: str) -> bool:
        """Add a branch for a line, with its newline; False where there is one, or it has too many values."""
        values = values_of(line)
        roles = [value.role(ELEMENTS[kind]) for value in values]
        if (
            roles.count(COMPARED) > MOST_COMPARED
            or roles.count(DATE) > MOST_DATES
            or roles.count(NUMBER) > MOST_NUMBERS
            or roles.count(NAME) != 1
            or roles.count(ABOUT) > 1
        ):
            return False
        node = at = 0
        before = self._edges.count
        for value, role in zip(values, roles, strict=True):
            node = self._step(node, line[at : value.begin], value, role)
            at = value.end
        end = self._step(node, line[at:], None, 0)
        prefix = f"{kind}/".encode()
        if not self._leaves.rows[end, 1]:
            self._leaves.rows[end] = (self._text(prefix), len(prefix))
        return self._edges.count > before

    def _text(self, text: bytes) -> int:
        begun = self._texts.add(_bytes(text))
        if len(self._texts.rows) < self._texts.count + WIDTH:  # the scan may read so much beyond
            self._texts.add(np.zeros(WIDTH, np.uint8))
        return begun

    def _node(self, role: int, number: int, end: int) -> int:
        self._leaves.add([(0, 0)])
        return self._nodes.add([(-1, role, number, end)])

    def _step(self, node: int, text: bytes, value: Value | None, role: int) -> int:
        """The node that a text leads to."""
        follows = BEFORE_NUMBER if value is not None and value.number else TEXT
        edge = int(self._nodes.rows[node, 0])
        while edge >= 0:
            begin, length, target, beside, what = self._edges.rows[edge].tolist()
            if what == follows and self._texts.rows[begin : begin + length].tobytes() == text:
                return int(target)
            edge = beside
        made = self._node(role, follows, int(value is None))
        row = (self._text(text), len(text), made, int(self._nodes.rows[node, 0]), follows)
        self._nodes.rows[node, 0] = self._edges.add([row])
        return made

    def add_meaning(
        self, line: bytes, kind: str, scanned: tuple[int, int, int], meaning: Meaning | None
    ) -> None:
        """Add what a line means; None where only the mapping can say.

        Args:
            line: As it was scanned.
            kind: Its resource type.
            scanned: Where it ends in the tree, how its dates stand, its hash, as the scan left them.
            meaning: What the mapping made of it.
        """
        leaf, relation, known = scanned
        compared = [value for value in values_of(line) if value.role(ELEMENTS[kind]) == COMPARED]
        texts = b"".join(
            (value.end - value.begin).to_bytes(4, "little") + line[value.begin : value.end] for value in compared
        )
        begun = self._compared.add(_bytes(texts))
        if len(self._compared.rows) < self._compared.count + WIDTH:
            self._compared.add(np.zeros(WIDTH, np.uint8))
        places = meaning.places if meaning is not None else []
        first = self._facts.add(np.array(places, np.int64).reshape(-1, 2))
        count = len(places) if meaning is not None else -1
        happened = meaning.happened if meaning is not None else -1
        self._hashes.add(np.array([known], np.int64).view(np.uint64))
        self._counts.add([0])
        number = self._rows.add([(leaf, relation, begun, len(compared), first, count, happened)])
        self.kinds.append(kind)
        if meaning is not None:
            self.consts += meaning.consts
            self._persons.add([kind == "Patient"] * len(meaning.consts))
        if 2 * self._rows.count > len(self._table):
            self._table = np.zeros(4 * len(self._table), np.int64)
            for each in range(number):
                self._put_in_table(each)
        self._put_in_table(number)

    def _put_in_table(self, meaning: int) -> None:
        mask = len(self._table) - 1
        place = int(self._hashes.rows[meaning]) & mask
        while self._table[place]:
            place = (place + 1) & mask
        self._table[place] = meaning + 1

    @property
    def persons(self) -> NDArray[np.bool_]:
        """By fact: whether it is a person."""
        return self._persons.rows

    def column(self, name: str) -> tuple[NDArray[np.int64], list[Any]]:
        """What is constant in facts, by column: the place of each fact's value, -1 for none, and the values."""
        places, values = self._columns.setdefault(name, (Growing(np.int64), {}))
        for const in self.consts[places.count :]:
            value = const.get(name)
            places.add([-1 if value is None else values.setdefault(value, len(values))])
        return places.rows, list(values)

    def taken(self) -> dict[str, int]:
        """How many lines of each type were read since this was last asked."""
        counts: dict[str, int] = {}
        for meaning in np.flatnonzero(self._counts.rows[: self._counts.count]).tolist():
            kind = self.kinds[meaning]
            counts[kind] = counts.get(kind, 0) + int(self._counts.rows[meaning])
        self._counts.rows[:] = 0
        return counts
