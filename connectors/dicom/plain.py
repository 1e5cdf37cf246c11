"""Our own parser of plain files: Part 10, little endian, every element in its place; nothing else.

It walks the top-level elements up to the pixel data, in bounds and without recursion on values, and keeps the
few that are used. Whatever it does not know for certain it leaves to pydicom by giving None.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from connectors.dicom.fields import PRESENT, USED, Fields
from connectors.dicom.guard import COMPRESSED, MAGIC, META_BUDGET, PREAMBLE

FIRST_READ = 16 * 1024
LARGEST_HEADER = 4 * 2**20
DEEPEST = 16
KEPT = 4096
UNDEFINED = 0xFFFFFFFF

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
PIXEL_DATA = 0x7FE00010
OTHER_PIXEL_DATA = frozenset({0x7FE00008, 0x7FE00009})
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""Value representations with a length of 16 and of 32 bits (PS3.5 section 7.1.2)."""

EXPLICIT_HEAD = struct.Struct("<HH2sH").unpack_from
IMPLICIT_HEAD = struct.Struct("<HHI").unpack_from
LONG_LENGTH = struct.Struct("<I").unpack_from


@dataclass(frozen=True, slots=True)
class Plain:
    """What a plain file says.

    Attributes:
        fields: Its used elements.
        syntax: Transfer syntax UID.
        offset: Where the value of PixelData begins in the file; None when there is no PixelData.
        length: Its bytes; None when it is compressed.
    """

    fields: Fields
    syntax: str
    offset: int | None
    length: int | None


class _NotPlainError(Exception):
    """Something that this parser leaves to pydicom."""


class _ShortError(Exception):
    """The elements go on beyond what was read of the file."""


def read_plain(path: Path) -> Plain | None:
    """Parse a file's header, None when it is not plain (or not DICOM, or damaged: pydicom will say which).

    The headers read last are kept, because a series is read twice: once to know it and once to open it.

    Args:
        path: The file; of it, at most `LARGEST_HEADER` bytes are read.
    """
    try:
        state = path.stat()
    except OSError:
        return None
    return _read(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=KEPT)
def _read(path: Path, _bytes: int, _changed: int) -> Plain | None:
    size = FIRST_READ
    try:
        with path.open("rb", buffering=0) as file:
            content = file.read(size)
            while True:
                try:
                    return _parse(content)
                except (_ShortError, struct.error):
                    if len(content) < size or size >= LARGEST_HEADER:
                        return None
                size *= 16
                content += file.read(size - len(content))
    except (_NotPlainError, OSError, ValueError):
        return None


def _parse(content: bytes) -> Plain:
    syntax, place = _meta(content)
    if syntax not in COMPRESSED | {IMPLICIT, EXPLICIT}:
        raise _NotPlainError
    walk = _walk(content, place, explicit=syntax != IMPLICIT)
    fields: dict[str, str] = {}
    for tag, kind, start, length in walk:
        if tag in OTHER_PIXEL_DATA:
            raise _NotPlainError
        if tag >= PIXEL_DATA:
            if tag != PIXEL_DATA:
                break
            return Plain(fields, syntax, start, None if length == UNDEFINED else length)
        if tag in USED:
            keyword, expected = USED[tag]
            value = b"" if length == UNDEFINED else content[start : start + length]
            fields[keyword] = _text(value, kind or expected.encode(), expected)
    return Plain(fields, syntax, None, None)


def _walk(content: bytes, place: int, *, explicit: bool) -> Iterator[tuple[int, bytes, int, int]]:
    """Top-level elements in their order: tag, value representation, where the value begins, its length.

    This is where reading a header spends its time, so what `_element` does stands here again, in line.
    """
    end, last = len(content), 0
    kind, start = b"", 0
    while place != end:
        if explicit:
            group, element, kind, length = EXPLICIT_HEAD(content, place)
            start = place + 8
            if kind not in SHORT:
                if kind not in LONG:
                    raise _NotPlainError
                length = LONG_LENGTH(content, start)[0]
                start += 4
        else:
            group, element, length = IMPLICIT_HEAD(content, place)
            start = place + 8
        tag = group << 16 | element
        if tag <= last:
            raise _NotPlainError
        last = tag
        if length == UNDEFINED and tag < PIXEL_DATA:
            place = _after_sequence(content, start, explicit, kind, 0)
        else:
            place = start + length
        if place > end and tag < PIXEL_DATA:
            raise _ShortError
        yield tag, kind, start, length
    if end >= FIRST_READ:
        raise _ShortError  # an element may end where the reading did


def _meta(content: bytes) -> tuple[str, int]:
    """The transfer syntax, and where the file meta group ends (PS3.10 section 7.1)."""
    if content[PREAMBLE : PREAMBLE + 4] != MAGIC:
        raise _NotPlainError
    place = PREAMBLE + 4
    tag, kind, length, start = _element(content, place, explicit=True)
    if tag != 0x00020000 or kind != b"UL" or length != 4:
        raise _NotPlainError
    stated = struct.unpack_from("<I", content, start)[0]
    place = start + 4
    end = place + stated
    if stated > META_BUDGET:
        raise _NotPlainError
    syntax = ""
    while place < end:
        tag, kind, length, start = _element(content, place, explicit=True)
        if tag >> 16 != 2 or length == UNDEFINED:
            raise _NotPlainError
        if tag == 0x00020010:
            syntax = content[start : start + length].decode("ascii").strip(" \0")
        place = start + length
    if place != end:
        raise _NotPlainError
    if end > len(content):
        raise _ShortError
    return syntax, end


def _element(content: bytes, place: int, explicit: bool) -> tuple[int, bytes, int, int]:
    """Tag, value representation (empty where implicit), length of the value and where it begins."""
    if place + 12 > len(content):
        raise _ShortError
    group, element = struct.unpack_from("<HH", content, place)
    tag = group << 16 | element
    if not explicit or group == 0xFFFE:
        return tag, b"", struct.unpack_from("<I", content, place + 4)[0], place + 8
    kind = content[place + 4 : place + 6]
    if kind in SHORT:
        return tag, kind, struct.unpack_from("<H", content, place + 6)[0], place + 8
    if kind not in LONG:
        raise _NotPlainError
    return tag, kind, struct.unpack_from("<I", content, place + 8)[0], place + 12


def _after_sequence(content: bytes, place: int, explicit: bool, kind: bytes, depth: int) -> int:
    """Where a sequence of undefined length ends."""
    if (explicit and kind != b"SQ") or depth > DEEPEST:
        raise _NotPlainError
    while True:
        if place + 8 > len(content):
            raise _ShortError
        group, element, length = struct.unpack_from("<HHI", content, place)
        tag = group << 16 | element
        place += 8
        if tag == SEQUENCE_END:
            return place
        if tag != ITEM:
            raise _NotPlainError
        place = _after_item(content, place, explicit, depth) if length == UNDEFINED else place + length


def _after_item(content: bytes, place: int, explicit: bool, depth: int) -> int:
    while True:
        if place + 8 > len(content):
            raise _ShortError
        if content[place : place + 8] == b"\xfe\xff\x0d\xe0\0\0\0\0":
            return place + 8
        _, kind, length, start = _element(content, place, explicit)
        if length == UNDEFINED:
            place = _after_sequence(content, start, explicit, kind, depth + 1)
        else:
            place = start + length


def _text(value: bytes, kind: bytes, expected: str) -> str:
    """An element's value as text; characters beyond ASCII and escapes need a character set: not plain."""
    if kind != expected.encode():
        raise _NotPlainError
    if kind == b"SQ":
        return PRESENT
    if kind == b"US":
        return "\\".join(str(each) for each in struct.unpack(f"<{len(value) // 2}H", value))
    if kind == b"FD":
        return "\\".join(str(each) for each in struct.unpack(f"<{len(value) // 8}d", value))
    if not value.isascii() or b"\x1b" in value:
        raise _NotPlainError
    return value.decode("ascii").strip(" \0")
