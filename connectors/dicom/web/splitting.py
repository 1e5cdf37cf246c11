"""A multipart answer written to files part by part while it arrives, in memory that does not grow with it.

The rule by which `connectors.dicom.multipart` cuts a body that is held whole, for one that is not: what is
held back is never more than a delimiter could be long. An answer without its closing boundary was cut off.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from connectors.dicom.multipart import LARGEST_HEADERS, boundary_of, headers_end
from connectors.dicom.web.session import Answer, AnswerCutOffError
from prognosis.errors import SourceError, StudyError

LONGEST_LINE = 256
"""The most white space after a boundary, as in `multipart`."""

MOST_BYTES = 8 * 2**30
"""The largest answer that is written to disk."""


def write_parts(answer: Answer, folder: Path, reference: str, most_bytes: int = MOST_BYTES) -> list[Path]:
    """Write the content of each part to a file of its own, without the part's headers.

    Args:
        answer: Multipart.
        folder: Where; files are named by the part's number, from 1.
        reference: What messages call it.
        most_bytes: The largest body that is read.

    Returns:
        The files, in the order of the parts.

    Raises:
        AnswerCutOffError: The closing boundary is missing.
        StudyError: It is no multipart answer, does not hold its boundary, has a part whose headers do not
            end, or is too large.
        SourceError: The folder cannot be written.
    """
    marker = b"--" + boundary_of(answer.headers.get("Content-Type", ""), reference).encode("ascii")
    written: list[Path] = []
    with ExitStack() as opened:
        file: BinaryIO | None = None
        head = bytearray()
        for number, piece in part_pieces(_limited(answer.pieces, most_bytes, reference), marker, reference):
            try:
                if number > len(written):
                    _check_begun(file, written, reference)
                    opened.close()
                    file, head = None, bytearray()
                    written.append(folder / f"part{number}.dcm")
                if file is not None:
                    file.write(piece)
                    continue
                head += piece
                content = _begun(head, reference)
                if content is not None:
                    file = opened.enter_context(written[-1].open("xb"))
                    file.write(content)
            except OSError as error:
                raise SourceError(reference, "cannot be written to disk", "free some space") from error
        _check_begun(file, written, reference)
    return written


def _begun(head: bytearray, reference: str) -> bytes | None:
    """What follows a part's headers so far, None while they go on."""
    found = headers_end(head, 0, len(head))
    if found is not None:
        return bytes(head[found[1] :])
    if len(head) > LARGEST_HEADERS:
        raise _endless(reference)
    return None


def _check_begun(file: BinaryIO | None, written: list[Path], reference: str) -> None:
    if written and file is None:
        raise _endless(reference)


def _endless(reference: str) -> StudyError:
    return StudyError(reference, "has a part whose headers do not end", "ask for it again")


def _limited(pieces: Iterator[bytes], most_bytes: int, reference: str) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > most_bytes:
            raise StudyError(reference, f"is larger than {most_bytes} bytes", "export it as files")
        yield piece


def part_pieces(pieces: Iterator[bytes], marker: bytes, reference: str) -> Iterator[tuple[int, bytes]]:
    """The bytes of each part, its headers too, as they arrive: (number of the part from 1, some of it).

    All of the body is read, what follows the closing boundary too: it is left out.

    Args:
        pieces: The body.
        marker: Two hyphens and the boundary.
        reference: What messages call it.

    Raises:
        AnswerCutOffError: The closing boundary is missing.
        StudyError: The boundary is not there at all.
    """
    sought = b"\n" + marker
    held, start = b"\n", 1  # the first line follows no line's end, and is one all the same
    number, line_end = 0, 1
    for piece in pieces:
        held += piece
        look, undecided = start - 1, -1
        while (place := held.find(sought, look)) >= 0:
            look = place + len(sought)
            after = _delimiter_end(held, look)
            if after is None:
                undecided = place
                break
            if after == 0:
                continue
            end = max(start, place + 1 - line_end)
            if number:
                yield number, held[start:end]
            if held[look : look + 2] == b"--":
                for _epilogue in pieces:
                    pass
                return
            line_end = line_end if number else 1 + (held[after - 2 : after] == b"\r\n")
            number, start, look = number + 1, after, after - 1
        kept = max(start, (len(held) - len(sought) if undecided < 0 else undecided) - 1)
        if number and kept > start:
            yield number, held[start:kept]
        held, start = held[kept - 1 :], 1
    if number == 0:
        raise StudyError(reference, "does not hold its boundary", "ask for it again")
    raise AnswerCutOffError


def _delimiter_end(held: bytes, place: int) -> int | None:
    """Where a delimiter ends whose boundary ends at `place`; 0 if it is none, None if that is not known."""
    if held[place : place + 2] == b"--":
        return place + 2
    line = held.find(b"\n", place, place + LONGEST_LINE)
    stated = held[place : line if line >= 0 else place + LONGEST_LINE]
    if line < 0 and len(held) < place + LONGEST_LINE:
        return None
    return line + 1 if line >= 0 and not stated.strip(b" \t\r") else 0
