"""A multipart body (RFC 2046, RFC 2387), as DICOMweb answers with, cut into its parts without copying them.

The boundary is looked for in the body, and what lies between is a view of it. A body that lacks its closing
boundary was cut off on the way, and is refused as a whole: its last part may end anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prognosis.errors import StudyError

PARAMETER = re.compile(r';\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))', re.IGNORECASE)
BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
LARGEST_HEADERS = 64 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a body.

    Attributes:
        headers: Names in lower case, without what they were folded over.
        content: A view of the body's bytes; it lives as long as the body.
    """

    headers: Mapping[str, str]
    content: memoryview


def parts(body: bytes, content_type: str, reference: str) -> tuple[Part, ...]:
    """The parts of a body, in order.

    Args:
        body: As it came; lines may end in CRLF or in LF, as the first boundary's does. What comes before the
            first boundary and after the closing one is left out.
        content_type: Of the answer; it names the boundary, quoted or not.
        reference: What messages call it.

    Raises:
        StudyError: The content type names no boundary, the body does not hold it or ends without it, or a
            part's headers do not end.
    """
    marker = b"--" + boundary_of(content_type, reference).encode("ascii")
    view = memoryview(body)
    found: list[Part] = []
    start = line_end = -1
    for place, after, closing in _delimiters(body, marker):
        if start >= 0:
            found.append(_part(body, view[start : place - line_end], start, reference))
        if closing:
            return tuple(found)
        if start < 0:
            line_end = 2 if body[after - 2 : after] == b"\r\n" else 1
        start = after
    raise StudyError(
        reference,
        "does not hold its boundary" if start < 0 else "ends without its closing boundary: it was cut off",
        "ask for it again",
    )


def boundary_of(content_type: str, reference: str) -> str:
    """The boundary that a multipart content type names.

    Raises:
        StudyError: It is no multipart type, or names no boundary that RFC 2046 allows.
    """
    stated = PARAMETER.search(content_type)
    if not content_type.strip().lower().startswith("multipart/") or stated is None:
        raise StudyError(reference, "is no multipart answer with a boundary", "ask for multipart/related")
    boundary = stated[2] if stated[1] is None else re.sub(r"\\(.)", r"\1", stated[1])
    if not BOUNDARY.fullmatch(boundary):
        raise StudyError(reference, "names a boundary that is not allowed", "give 1 to 70 plain characters")
    return boundary


def _delimiters(body: bytes, marker: bytes) -> Iterator[tuple[int, int, bool]]:
    """Each delimiter line: where it begins, where what follows it begins, and whether it closes the body."""
    place = body.find(marker)
    while place >= 0:
        after = place + len(marker)
        if place == 0 or body[place - 1] == 0x0A:
            if body[after : after + 2] == b"--":
                yield place, after + 2, True
            line = body.find(b"\n", after, after + 256)
            if line >= 0 and not body[after:line].strip(b" \t\r"):
                yield place, line + 1, False
        place = body.find(marker, after)


def _part(body: bytes, whole: memoryview, start: int, reference: str) -> Part:
    found = headers_end(body, start, start + len(whole))
    if found is None:
        raise StudyError(reference, "has a part whose headers do not end", "ask for it again")
    end, content = found
    text = bytes(body[start:end]).decode("latin-1")
    lines = re.sub(r"\r?\n[ \t]+", " ", text).splitlines()
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}
    return Part(headers, whole[content - start :])


def headers_end(body: bytes | bytearray, start: int, end: int) -> tuple[int, int] | None:
    """Where the headers of a part that lies in body[start:end] end, and where its content begins.

    Headers end at the first empty line, which may be the first line of all. None where there is no such line
    in the first `LARGEST_HEADERS` bytes.
    """
    if body[start : start + 2] == b"\r\n" or body[start : start + 1] == b"\n":
        return start, start + (2 if body[start] == 0x0D else 1)
    ends = [
        (place, len(gap))
        for gap in (b"\r\n\r\n", b"\n\n")
        if (place := body.find(gap, start, min(end, start + LARGEST_HEADERS))) >= 0
    ]
    if not ends:
        return None
    place, gap = min(ends)
    return place, place + gap
