"""The size that a compressed frame itself claims, read before a decoder allocates for it.

A file may state 10 x 10 pixels and carry a JPEG 2000 frame of 60,000 x 60,000: the decoder believes the
frame. The two must agree.
"""

from __future__ import annotations

import struct

JPEG_START = b"\xff\xd8"
JP2_START = b"\0\0\0\x0cjP  "
JPEG_2000_START = b"\xff\x4f\xff\x51"
START_OF_SCAN = 0xDA
STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
FRAME_HEADERS = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC} | {0xF7})
"""JPEG start-of-frame markers (ITU-T T.81 table B.1) and that of JPEG-LS (T.87)."""


def claimed_size(frame: bytes) -> tuple[int, int] | None:
    """The (rows, columns) that a JPEG, JPEG-LS or JPEG 2000 frame claims; None when it is none or damaged."""
    if frame.startswith(JP2_START):
        frame = _unboxed(frame)
    if frame.startswith(JPEG_2000_START):
        return _jpeg_2000(frame)
    if frame.startswith(JPEG_START):
        return _jpeg(frame)
    return None


def _unboxed(frame: bytes) -> bytes:
    """The beginning of the codestream that a JP2 file holds in a box (ITU-T T.800 annex I.4)."""
    place = 0
    while place + 8 <= len(frame):
        length, kind = struct.unpack_from(">I4s", frame, place)
        if kind == b"jp2c":
            return frame[place + 8 : place + 8 + 64]
        if length < 8:
            break
        place += length
    return b""


def _jpeg_2000(frame: bytes) -> tuple[int, int] | None:
    """From the SIZ segment (ITU-T T.800 A.5.1): the grid less its offset."""
    if len(frame) < 24:
        return None
    width, height, left, top = struct.unpack(">4I", frame[8:24])
    return height - top, width - left


def _jpeg(frame: bytes) -> tuple[int, int] | None:
    place = 2
    while place + 9 <= len(frame):
        if frame[place] != 0xFF:
            return None
        marker = frame[place + 1]
        if marker in FRAME_HEADERS:
            rows, columns = struct.unpack(">2H", frame[place + 5 : place + 9])
            return rows, columns
        if marker == START_OF_SCAN:
            return None
        if marker == 0xFF:  # fill
            place += 1
        elif marker in STANDALONE:
            place += 2
        else:
            place += 2 + struct.unpack(">H", frame[place + 2 : place + 4])[0]
    return None
