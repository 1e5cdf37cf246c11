"""What lines of NDJSON look like without their values: a number for each, found in one pass over the bytes.

Two lines of one shape have the same keys in the same order, the same nesting and the same JSON types. An
export of a million resources has some hundreds of shapes, so that whatever is a matter of structure (a key
twice, a number in quotes, an array where an object belongs) is decided once a shape and not once a line. What
a shape cannot vouch for makes the line odd: escapes of half a character, strings without content, null,
numbers with an exponent or of more than 17 characters, raw control characters.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.fhir.ingest.parts import LONGEST_LINE

ODD = 0
BLANK = 1

_START = np.uint64(14695981039346656037)
_PRIME = np.uint64(1099511628211)


def _hashed(text: bytes) -> np.uint64:
    state = int(_START)
    for byte in text:
        state = ((state ^ byte) * int(_PRIME)) % 2**64
    return np.uint64(state)


_TYPE_KEY = _hashed(b"resourceType")


def _scan(  # noqa: C901, PLR0912, PLR0915 - one loop over bytes, compiled
    block: NDArray[np.uint8], ends: NDArray[np.int64], shapes: NDArray[np.uint64]
) -> int:
    """Fill in where each line of `block` ends (its newline) and its shape; how many lines there are."""
    size = block.size
    lines = 0
    i = 0
    while i < size:
        begun = i
        shape = _START
        odd = False
        seen = False
        objects = np.uint64(0)  # one bit a level: whether it is an object
        depth = 0
        key_next = False
        type_next = False
        while i < size and block[i] != 10:
            c = block[i]
            if c == 34:
                i += 1
                if key_next or type_next:
                    state = _START
                    while i < size and block[i] != 34 and block[i] != 10:
                        if block[i] == 92 or block[i] < 32:
                            odd = True
                        state = (state ^ np.uint64(block[i])) * _PRIME
                        i += 1
                    shape = (shape ^ state) * _PRIME
                    type_next = key_next and depth == 1 and state == _TYPE_KEY
                    key_next = False
                else:
                    content = False
                    while i < size:
                        d = block[i]
                        if d == 34 or d == 10:
                            break
                        if d == 92:
                            if i + 5 >= size:
                                odd = True
                                i += 1
                                continue
                            e = block[i + 1]
                            if e == 117:
                                for place in range(i + 2, i + 6):
                                    h = block[place]
                                    if not (48 <= h <= 57 or 65 <= h <= 70 or 97 <= h <= 102):
                                        odd = True
                                if block[i + 2] == 68 or block[i + 2] == 100:
                                    odd = True  # half of a character beyond the first plane
                                if (
                                    block[i + 2] == 48
                                    and block[i + 3] == 48
                                    and (block[i + 4] == 48 or block[i + 4] == 49)
                                ):
                                    odd = True  # a control character
                                if odd:
                                    i += 1
                                    continue
                                i += 6
                                continue
                            if e == 34 or e == 92 or e == 47:
                                content = True
                            elif not (e == 98 or e == 102 or e == 110 or e == 114 or e == 116):
                                odd = True
                                i += 1
                                continue
                            i += 2
                            continue
                        if d < 32:
                            odd = True
                        elif (32 < d < 127) or (d >= 195 and d != 225 and d != 226 and d != 227):
                            content = True  # the other lead bytes may begin a space
                        i += 1
                    if not content:
                        odd = True
                    shape = (shape ^ np.uint64(34)) * _PRIME
                    type_next = False
                if i < size and block[i] == 34:
                    i += 1
                else:
                    odd = True
                seen = True
                continue
            if c == 32 or c == 9 or c == 13:
                i += 1
                continue
            seen = True
            if c == 45 or 48 <= c <= 57:
                first = i
                if c == 45:
                    i += 1
                whole = i
                while i < size and 48 <= block[i] <= 57:
                    i += 1
                if i == whole or (block[whole] == 48 and i > whole + 1):
                    odd = True
                if i < size and block[i] == 46:
                    i += 1
                    part = i
                    while i < size and 48 <= block[i] <= 57:
                        i += 1
                    if i == part:
                        odd = True
                if i - first > 17:
                    odd = True
                shape = (shape ^ np.uint64(48)) * _PRIME
                key_next = type_next = False
                continue
            shape = (shape ^ np.uint64(c)) * _PRIME
            type_next = type_next and c == 58
            if c == 123 or c == 91:
                depth += 1
                if depth > 63:
                    odd = True
                    depth = 63
                bit = np.uint64(1) << np.uint64(depth)
                objects = objects | bit if c == 123 else objects & ~bit
                key_next = c == 123
            elif c == 125 or c == 93:
                depth = max(depth - 1, 0)
                key_next = False
            elif c == 44:
                key_next = (objects >> np.uint64(depth)) & np.uint64(1) == np.uint64(1)
            elif c == 110:
                odd = True  # null, or no JSON at all
            i += 1
        if i - begun > LONGEST_LINE:
            odd = True
        ends[lines] = i
        if not seen:
            shapes[lines] = BLANK
        elif odd or shape < np.uint64(2):
            shapes[lines] = ODD
        else:
            shapes[lines] = shape
        lines += 1
        i += 1
    return lines


@cache
def _machine_code() -> Callable[..., Any]:
    from numba import njit

    try:
        made: Callable[..., Any] = njit(cache=True, nogil=True)(_scan)
    except RuntimeError:  # no folder that machine code may be kept in
        made = njit(nogil=True)(_scan)
    return made


def line_shapes(block: bytes | bytearray | memoryview) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Where each line ends (the place of its newline, or of the end of the block), and its shape.

    Args:
        block: Whole lines.

    Returns:
        Ends, increasing; shapes: `ODD`, `BLANK`, or the same number for lines of the same shape.
    """
    content = np.frombuffer(block, np.uint8)
    newlines = int(np.count_nonzero(content == 10)) + 1
    ends, shapes = np.empty(newlines, np.int64), np.empty(newlines, np.uint64)
    lines = _machine_code()(content, ends, shapes)
    ends, shapes = ends[:lines], shapes[:lines]
    if content.size and int(content.max()) > 127:
        _refuse_other_text(block, ends, shapes)
    return ends, shapes


def _refuse_other_text(
    block: bytes | bytearray | memoryview, ends: NDArray[np.int64], shapes: NDArray[np.uint64]
) -> None:
    """Lines that are not UTF-8 become odd."""
    try:
        str(block, "utf-8")
    except UnicodeDecodeError:
        view = memoryview(block)
        begun = 0
        for number, end in enumerate(ends.tolist()):
            try:
                str(view[begun:end], "utf-8")
            except UnicodeDecodeError:
                shapes[number] = ODD
            begun = end + 1
