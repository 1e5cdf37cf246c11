"""What is known of lines, in the form that the scan reads: a tree of lines, and meanings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.fhir.ingest import scanning
from connectors.fhir.ingest.elements import ABOUT, COMPARED, DATE, ELEMENTS, NAME, NUMBER
from connectors.fhir.ingest.growing import Growing
from connectors.fhir.ingest.meaning import Meaning
from connectors.fhir.ingest.scanning import (
    ENDS,
    FIRST,
    FOLLOWS,
    HASH,
    IS_NUMBER,
    LENGTH,
    MOST_COMPARED,
    MOST_DATES,
    MOST_NUMBERS,
    NEXT,
    ROW,
    TEXT,
)
from connectors.fhir.ingest.tokens import values_of
from connectors.fhir.ingest.vectors import WIDTH

MOST_STEPS, MOST_MEANINGS = 2_000_000, 250_000
"""What is kept in memory; lines beyond are read by the mapping."""


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
    _columns: dict[str, tuple[Growing, dict[str, int]]] = field(default_factory=dict)
    _texts: Growing = field(default_factory=lambda: Growing(np.uint8, room=65536))
    _steps: Growing = field(default_factory=lambda: Growing(np.int64, ROW))
    _table: NDArray[np.int64] = field(default_factory=lambda: np.zeros(4096, np.int64))
    _compared: Growing = field(default_factory=lambda: Growing(np.uint8, room=65536))
    _meanings: Growing = field(default_factory=lambda: Growing(np.int64, ROW))
    _facts: Growing = field(default_factory=lambda: Growing(np.int64, 2))
    _counts: Growing = field(default_factory=lambda: Growing(np.int64))

    def __post_init__(self) -> None:
        self._steps.add([[0] * ROW])

    def addresses(self) -> list[int]:
        """Of the tables, as the scan wants them, from `TREE` to `COUNTS`; others after anything was added."""
        tables = (
            self._steps,
            self._texts,
            None,
            None,
            self._meanings,
            self._compared,
            self._facts,
            self._counts,
        )
        found = [0 if each is None else each.rows.ctypes.data for each in tables]
        found[scanning.TABLE], found[scanning.MASK] = self._table.ctypes.data, len(self._table) - 1
        return found

    @property
    def full(self) -> bool:
        """Whether nothing more is kept."""
        return self._steps.count > MOST_STEPS or self._meanings.count > MOST_MEANINGS

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
        step = at = 0
        before = self._steps.count
        for value, role in zip(values, roles, strict=True):
            step = self._step(step, line[at : value.begin], role, value.number)
            at = value.end
        end = self._step(step, line[at:], ENDS, False)
        if self._steps.count > before:
            source = f"{kind}/".encode()
            self._steps.rows[end, IS_NUMBER], self._steps.rows[end, FIRST] = self._text(source), len(source)
        return self._steps.count > before

    def _text(self, text: bytes) -> int:
        begun = self._texts.add(np.frombuffer(text, np.uint8))
        self._texts.leave(WIDTH)  # the scan may read so much beyond
        return begun

    def _step(self, step: int, text: bytes, role: int, number: bool) -> int:
        """The step from another one over a text; made where there is none."""
        following = int(self._steps.rows[step, FIRST])
        while following:
            row = self._steps.rows[following]
            known = self._texts.rows[row[TEXT] : row[TEXT] + row[LENGTH]].tobytes()
            if known == text and row[FOLLOWS] == number:
                return following
            following = int(row[NEXT])
        row = (self._text(text), len(text), self._steps.rows[step, FIRST], number, role, number, 0, 0)
        made = self._steps.add([row])
        self._steps.rows[step, FIRST] = made
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
            (value.end - value.begin).to_bytes(4, "little") + line[value.begin : value.end]
            for value in compared
        )
        begun = self._compared.add(np.frombuffer(texts, np.uint8))
        self._compared.leave(WIDTH)
        first, count, happened = self._facts.count, -1, -1
        if meaning is not None:
            self._facts.add(meaning.places)
            count, happened = len(meaning.places), meaning.happened
            self.consts += meaning.consts
            self._persons.add([kind == "Patient"] * count)
        self._counts.add([0])
        number = self._meanings.add([(known, leaf, relation, begun, len(compared), first, count, happened)])
        self.kinds.append(kind)
        if 2 * self._meanings.count > len(self._table):
            self._table = np.zeros(4 * len(self._table), np.int64)
            for each in range(number):
                self._put_in_table(each)
        self._put_in_table(number)

    def _put_in_table(self, meaning: int) -> None:
        mask = len(self._table) - 1
        place = int(self._meanings.rows[meaning, HASH]) & mask
        while self._table[place]:
            place = (place + 1) & mask
        self._table[place] = meaning + 1

    @property
    def persons(self) -> NDArray[np.bool_]:
        """By fact: whether it is a person."""
        return self._persons.rows

    def column(self, name: str) -> NDArray[np.int64]:
        """What is constant in facts, by fact: a number itself, the place of a text in `values`, -1."""
        places, values = self._columns.setdefault(name, (Growing(np.int64), {}))
        for const in self.consts[places.count :]:
            value = const.get(name)
            if isinstance(value, str):
                value = values.setdefault(value, len(values))
            places.add([-1 if value is None else value])
        return places.rows

    def values(self, name: str) -> list[str]:
        """The texts of a column."""
        return list(self._columns[name][1])

    def taken(self) -> dict[str, int]:
        """How many lines of each type were read since this was last asked."""
        counts: dict[str, int] = {}
        for meaning in np.flatnonzero(self._counts.rows[: self._counts.count]).tolist():
            kind = self.kinds[meaning]
            counts[kind] = counts.get(kind, 0) + int(self._counts.rows[meaning])
        self._counts.rows[:] = 0
        return counts
