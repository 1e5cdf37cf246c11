"""The lines of a part sorted into those that SQL reads, by type, and those that the mapping reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from connectors.fhir.ingest.columns import COLUMNS, as_declared
from connectors.fhir.ingest.mapped import Mapped
from connectors.fhir.ingest.parts import Part, whole_lines
from connectors.fhir.ingest.shapes import BLANK, ODD, line_shapes
from connectors.fhir.parse import parse_resource
from prognosis.errors import InputError

KINDS = tuple(COLUMNS)
BY_MAPPING, NO_LINE = -1, -2


@dataclass(frozen=True, slots=True)
class Lines:
    """A file of lines of one type.

    Attributes:
        path: The file.
        kind: Their resource type.
        numbers: The number of each in the part, from 0; None where that is its place in the file.
        count: How many there are.
    """

    path: Path
    kind: str
    numbers: NDArray[np.int64] | None
    count: int


@dataclass(slots=True)
class Shapes:
    """Which type SQL reads lines of a shape as, found once a shape.

    Attributes:
        known: Place in `KINDS`, or `BY_MAPPING`, by shape.
    """

    known: dict[int, int] = field(default_factory=lambda: {ODD: BY_MAPPING, BLANK: NO_LINE})

    def verdicts(
        self, block: bytes, ends: NDArray[np.int64], shapes: NDArray[np.uint64]
    ) -> NDArray[np.int64]:
        """For each line its place in `KINDS`, `BY_MAPPING` or `NO_LINE`."""
        different, example, which = np.unique(shapes, return_index=True, return_inverse=True)
        found = [
            self._verdict(shape, block, ends, place)
            for shape, place in zip(different.tolist(), example.tolist(), strict=True)
        ]
        return np.array(found, np.int64)[which]

    def _verdict(self, shape: int, block: bytes, ends: NDArray[np.int64], place: int) -> int:
        if shape not in self.known:
            begun = int(ends[place - 1]) + 1 if place else 0
            self.known[shape] = _kind_read_as(block[begun : int(ends[place])])
        return self.known[shape]


def _kind_read_as(line: bytes) -> int:
    try:
        resource = parse_resource(line, "line")
    except InputError:
        return BY_MAPPING
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or kind not in COLUMNS or not line.lstrip().startswith(b"{"):
        return BY_MAPPING
    return KINDS.index(kind) if as_declared(resource, kind) else BY_MAPPING


def sorted_lines(part: Part, shapes: Shapes, mapped: Mapped, spool: Mapping[str, Path]) -> list[Lines]:
    """Give odd lines to the mapping, and the rest as files of one type each.

    A part all of whose lines are of one type and plain is that file itself; otherwise lines are copied.

    Args:
        part: What to read.
        shapes: What is known of shapes; added to.
        mapped: Reads the odd ones.
        spool: A file for each type, written anew.

    Raises:
        NotInPartsError: A line is longer than is sorted.
    """
    verdicts = [verdict for _, _, verdict in _sorted_blocks(part, shapes)]
    verdict = np.concatenate(verdicts) if verdicts else np.empty(0, np.int64)
    present = np.unique(verdict).tolist()
    if len(present) == 1 and present[0] >= 0:
        return [Lines(part.path, KINDS[present[0]], None, verdict.size)]
    number = 0
    kinds = {kind: spool[KINDS[kind]].open("wb") for kind in present if kind >= 0}
    try:
        for block, ends, verdict_here in _sorted_blocks(part, shapes):
            cuts = np.flatnonzero(np.diff(verdict_here)) + 1
            for first, last in zip([0, *cuts.tolist()], [*cuts.tolist(), len(ends)], strict=True):
                kind = int(verdict_here[first])
                begun = int(ends[first - 1]) + 1 if first else 0
                if kind >= 0:
                    kinds[kind].write(block[begun : int(ends[last - 1])] + b"\n")
                elif kind == BY_MAPPING:
                    _map(block, ends, (first, last), number, part, mapped)
            number += len(ends)
    finally:
        for copy in kinds.values():
            copy.close()
    chosen = {kind: np.flatnonzero(verdict == kind) for kind in kinds}
    return [Lines(spool[KINDS[kind]], KINDS[kind], numbers, numbers.size) for kind, numbers in chosen.items()]


def _sorted_blocks(
    part: Part, shapes: Shapes
) -> Iterator[tuple[bytes, NDArray[np.int64], NDArray[np.int64]]]:
    with part.path.open("rb") as stream:
        for block in whole_lines(stream):
            ends, found = line_shapes(block)
            yield block, ends, shapes.verdicts(block, ends, found)


def _map(
    block: bytes, ends: NDArray[np.int64], span: tuple[int, int], number: int, part: Part, mapped: Mapped
) -> None:
    for position in range(*span):
        begun = int(ends[position - 1]) + 1 if position else 0
        map_line(block[begun : int(ends[position]) + 1], number + position, part, mapped)


def map_line(content: bytes, number: int, part: Part, mapped: Mapped) -> None:
    """Give one line of a part to the mapping; one that holds nothing is none."""
    if content.strip():
        where = f"{part.name} line {part.lines_before + number + 1}"
        mapped.line(number, where, content)


def first_kind(part: Part) -> str | None:
    """The type of the first line, None where SQL reads none such."""
    with part.path.open("rb") as stream:
        for content in stream:
            if content.strip():
                verdict = _kind_read_as(content)
                return KINDS[verdict] if verdict >= 0 else None
    return None


def lines_held(path: Path) -> int:
    """How many lines of a file hold something."""
    count = 0
    with path.open("rb") as stream:
        for block in whole_lines(stream):
            content = np.frombuffer(block, np.uint8)
            ends = np.flatnonzero(content == ord("\n"))
            begins = np.concatenate(([0], ends[:-1] + 1)) if ends.size else ends
            count += int(np.count_nonzero(content[begins] > ord(" "))) if ends.size else 0
            last = block[int(ends[-1]) + 1 :] if ends.size else block
            count += bool(last.strip())
    return count
