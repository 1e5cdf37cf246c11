"""One part of an export read into tables on disk: known lines by a scan, the rest by the mapping."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from connectors.fhir.ingest import scanning
from connectors.fhir.ingest.elements import ELEMENTS
from connectors.fhir.ingest.known import Known
from connectors.fhir.ingest.mapped import Mapped
from connectors.fhir.ingest.meaning import meaning_of
from connectors.fhir.ingest.parts import LONGEST_LINE, NotInPartsError, Part
from connectors.fhir.ingest.scanned import Scanned
from connectors.fhir.ingest.tokens import values_of
from connectors.fhir.ingest.vectors import WIDTH
from connectors.fhir.parse import parse_resource
from prognosis.errors import InputError

_AT_ONCE = 2**20
_KIND = re.compile(rb'\s*\{\s*"resourceType"\s*:\s*"([A-Za-z]+)"')


@dataclass(slots=True)
class Reader:
    """Reads parts one after the other.

    Attributes:
        spool: A folder for copies of lines.
        known: What was learnt of lines so far.
    """

    spool: Path
    known: Known = field(default_factory=Known)

    def read(self, part: Part, stem: Path, mapped: Mapped) -> None:
        """Write `<stem>.facts.scanned.parquet` and `.persons.`, and what `mapped` writes.

        Raises:
            NotInPartsError: A line is too long to be read so.
        """
        scanned = Scanned(stem, mapped.part, self.known)
        state = np.zeros(16, np.int64)
        try:
            for block in blocks(part.path):
                self._block(block, state, scanned, part, mapped)
            scanned.flush(state)
        finally:
            scanned.close()
        mapped.received.update(self.known.taken())

    def _block(
        self, block: NDArray[np.uint8], state: NDArray[np.int64], scanned: Scanned, part: Part, mapped: Mapped
    ) -> None:
        state[scanning.AT] = 0
        places = self._places(scanned)
        asked = -1
        while True:
            scanning.scan(places, block, state)
            status, at = int(state[scanning.STATUS]), int(state[scanning.AT])
            if status == scanning.DONE:
                return
            if status == scanning.FULL and state[scanning.ROWS]:
                scanned.flush(state)
                continue
            line = _line_at(block, at)
            learnt = False
            if status == scanning.UNKNOWN_LINE:
                learnt = self._learn_line(line)
            elif status == scanning.UNKNOWN_MEANING and asked != at:
                learnt = self._learn_meaning(line, state)
                asked = at
            if learnt:
                places = self._places(scanned)
                continue
            if line.strip():
                number = int(state[scanning.LINE])
                mapped.line(number, f"{part.name} line {part.lines_before + number + 1}", line)
            state[scanning.AT] = at + len(line)
            state[scanning.LINE] += 1

    def _places(self, scanned: Scanned) -> NDArray[np.int64]:
        return np.array([*self.known.addresses(), *scanned.found.addresses()], np.int64)

    def _learn_line(self, line: bytes) -> bool:
        """Whether the tree has a line that it did not have."""
        found = _KIND.match(line)
        if self.known.full or (found is not None and found[1].decode() not in ELEMENTS):
            return False
        try:
            resource = parse_resource(line, "line")
        except InputError:
            return False
        kind = resource.get("resourceType")
        return isinstance(kind, str) and kind in ELEMENTS and self.known.add_line(line, kind)

    def _learn_meaning(self, line: bytes, state: NDArray[np.int64]) -> bool:
        if self.known.full:
            return False
        resource = parse_resource(line, "line")
        values = values_of(line)
        self.known.add_meaning(
            line,
            resource["resourceType"],
            tuple(state[[scanning.FOUND_LEAF, scanning.FOUND_RELATION, scanning.FOUND_HASH]].tolist()),
            meaning_of(resource, values),
        )
        return True


def _line_at(block: NDArray[np.uint8], at: int) -> bytes:
    """The line that begins at a place, with its newline."""
    for room in (2**14, block.size):
        found = block[at : at + room].tobytes()
        end = found.find(b"\n")
        if end >= 0:
            return found[: end + 1]
    return found


def blocks(path: Path) -> Iterator[NDArray[np.uint8]]:
    """A file as blocks of whole lines, each with its newline; a block is gone when the next is asked for.

    Raises:
        NotInPartsError: A line is longer than `LONGEST_LINE`.
    """
    room = bytearray(_AT_ONCE + LONGEST_LINE + WIDTH + 1)
    view, numbers = memoryview(room), np.frombuffer(room, np.uint8)
    held = 0
    with path.open("rb", buffering=0) as stream:
        while True:
            got = stream.readinto(view[held : held + _AT_ONCE])
            if not got:
                break
            end = room.rfind(b"\n", held, held + got) + 1
            held += got
            if end:
                yield numbers[:end]
                numbers[: held - end] = numbers[end:held].copy()
                held -= end
            elif held > LONGEST_LINE:
                raise NotInPartsError
    if held:
        room[held] = ord("\n")
        yield numbers[: held + 1]
