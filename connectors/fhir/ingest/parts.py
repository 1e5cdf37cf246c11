"""An export cut into parts, whole lines of one file each, so that work can stop between them."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from connectors.fhir.files import MAX_INFLATION

PART_BYTES = 256 * 2**20
BLOCK_BYTES = 8 * 2**20
"""What is held in memory of a part at once, when its lines are looked at."""

LONGEST_LINE = 4 * 2**20


class NotInPartsError(ValueError):
    """A file that only the reader of single resources can read: a line without end, a damaged archive."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some lines of a file.

    Attributes:
        path: A file that holds them and nothing else.
        name: The file of the export that they come from, as errors cite it.
        lines_before: How many lines of that file precede them.
    """

    path: Path
    name: str
    lines_before: int


def file_parts(path: Path, name: str, spool: Path, part_bytes: int = PART_BYTES) -> Iterator[Part]:
    """The parts of an NDJSON file, in order; those of a large or compressed one are copied to `spool`.

    Args:
        path: .ndjson or .ndjson.gz.
        name: How errors cite it.
        spool: A file that is written anew for each part.
        part_bytes: About how large a part may be.

    Raises:
        NotInPartsError: It has a line beyond `LONGEST_LINE`, or inflates far beyond its size.
        OSError: It cannot be read, or (EOFError, zlib.error) inflated.
    """
    packed = path.name.lower().endswith(".gz")
    if not packed and path.stat().st_size <= part_bytes:
        yield Part(path, name, 0)
        return
    budget = path.stat().st_size * MAX_INFLATION + 64 * 2**20 if packed else path.stat().st_size + 1
    lines = received = 0
    with gzip.open(path, "rb") if packed else path.open("rb") as stream:
        while True:
            size = count = 0
            with spool.open("wb") as copy:
                for block in whole_lines(stream, part_bytes):
                    copy.write(block)
                    size += len(block)
                    count += block.count(b"\n")
            received += size
            if received > budget:
                raise NotInPartsError
            if not size:
                return
            yield Part(spool, name, lines)
            lines += count


def whole_lines(stream: BinaryIO | gzip.GzipFile, most: int | None = None) -> Iterator[bytes]:
    """Blocks of whole lines, until about `most` bytes were given.

    Raises:
        NotInPartsError: A line is longer than `LONGEST_LINE`.
    """
    size = 0
    while most is None or size < most:
        block = stream.read(BLOCK_BYTES if most is None else min(BLOCK_BYTES, most - size))
        if not block:
            return
        if not block.endswith(b"\n"):
            block += stream.readline(LONGEST_LINE)
            if not block.endswith(b"\n") and stream.read(1):
                raise NotInPartsError
        size += len(block)
        yield block
