"""Strings, dates, numbers and references read from bytes: what is not plain is left to the mapping.

Functions take addresses. Each stops at a newline, which no JSON value holds as it is, so that none runs
beyond a block of whole lines by more than `WIDTH`.
"""

from __future__ import annotations

import numpy as np

from connectors.fhir.ingest.vectors import (
    WIDTH,
    beyond_ascii,
    byte,
    compiled,
    lowest,
    outside_ids,
    stopping,
    word,
)

NO_DATE = np.iinfo(np.int64).min
DAY_MICROSECONDS = 86_400_000_000

_ONE, _NOTHING = np.uint64(1), np.uint64(0)
_TENS = 10.0 ** np.arange(16)
_MONTH_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_PATIENT = np.uint64(int.from_bytes(b"Patient/", "little"))
_PRIME = np.uint64(0x9E3779B97F4A7C15)


@compiled
def string_end(at: int) -> int:
    """Where a string that begins at an address ends (its quotation mark).

    Less than 0 where it holds escapes, and 0 where it is no JSON, no UTF-8, or may name half a character.
    """
    begun, beyond, escaped = at, _NOTHING, False
    while True:
        stops = stopping(at)
        if stops == _NOTHING:
            beyond |= beyond_ascii(at)
            at += WIDTH
            continue
        place = lowest(stops)
        beyond |= beyond_ascii(at) & ((_ONE << np.uint64(place)) - _ONE)
        at += place
        found = byte(at)
        if found == 34:
            break
        length = _escape(at) if found == 92 else 0
        if length == 0:
            return 0
        at += length
        escaped = True
    if beyond != _NOTHING and not _is_utf8(begun, at):
        return 0
    return -at if escaped else at


@compiled
def _escape(at: int) -> int:
    """How long an escape is; 0 where it is none, or half a character."""
    sign = byte(at + 1)
    if sign == 34 or sign == 92 or sign == 47 or sign == 98 or sign == 102 or sign == 110:
        return 2
    if sign == 114 or sign == 116:
        return 2
    if sign != 117 or byte(at + 2) == 68 or byte(at + 2) == 100:
        return 0
    for place in range(at + 2, at + 6):
        digit = byte(place)
        if not (48 <= digit <= 57 or 65 <= digit <= 70 or 97 <= digit <= 102):
            return 0
    return 6


@compiled
def _is_utf8(at: int, end: int) -> bool:
    """Whether bytes are UTF-8: no overlong forms, no halves of characters, nothing beyond U+10FFFF."""
    while at < end:
        lead = byte(at)
        at += 1
        if lead < 128:
            continue
        if 194 <= lead <= 223:
            more, low, high = 1, 128, 191
        elif 224 <= lead <= 239:
            more, low, high = 2, 160 if lead == 224 else 128, 159 if lead == 237 else 191
        elif 240 <= lead <= 244:
            more, low, high = 3, 144 if lead == 240 else 128, 143 if lead == 244 else 191
        else:
            return False
        if at + more > end or not low <= byte(at) <= high:
            return False
        for place in range(at + 1, at + more):
            if not 128 <= byte(place) <= 191:
                return False
        at += more
    return True


@compiled
def number_at(at: int) -> tuple[float, int]:
    """A JSON number without exponent and of at most 15 digits, and where it ends; ends at 0 where it is none.

    An integer below 10^15 over a power of ten up to 10^15 is the nearest float, as both are floats.
    """
    negative = byte(at) == 45
    if negative:
        at += 1
    begun, whole, digits = at, 0, 0
    while 48 <= byte(at) <= 57 and digits < 16:
        whole = whole * 10 + byte(at) - 48
        digits += 1
        at += 1
    if digits == 0 or (byte(begun) == 48 and digits > 1):
        return 0.0, 0
    decimals = 0
    if byte(at) == 46:
        at += 1
        while 48 <= byte(at) <= 57 and digits < 16:
            whole = whole * 10 + byte(at) - 48
            digits += 1
            decimals += 1
            at += 1
        if decimals == 0:
            return 0.0, 0
    if digits > 15 or byte(at) == 101 or byte(at) == 69:
        return 0.0, 0
    number = whole / _TENS[decimals]
    return (-number if negative else number), at


@compiled
def number_end(at: int) -> int:
    """Where a JSON number without exponent and of at most 300 digits ends; 0 where it is none."""
    if byte(at) == 45:
        at += 1
    begun = at
    while 48 <= byte(at) <= 57:
        at += 1
    if at == begun or (byte(begun) == 48 and at > begun + 1):
        return 0
    if byte(at) == 46:
        at += 1
        part = at
        while 48 <= byte(at) <= 57:
            at += 1
        if at == part:
            return 0
    return 0 if at - begun > 300 or byte(at) == 101 or byte(at) == 69 else at


@compiled
def _two(at: int) -> int:
    tens, ones = byte(at) - 48, byte(at + 1) - 48
    return tens * 10 + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else -100_000


@compiled
def first_instant(at: int, end: int) -> int:
    """The first microsecond since 1970 of YYYY-MM-DD or an instant with an offset; `NO_DATE` of others."""
    length = end - at
    if length != 10 and length < 20:
        return NO_DATE
    year, month, day = _two(at) * 100 + _two(at + 2), _two(at + 5), _two(at + 8)
    if byte(at + 4) != 45 or byte(at + 7) != 45 or not 1850 <= year <= 2250 or not 1 <= month <= 12:
        return NO_DATE
    leap = month == 2 and ((year % 4 == 0 and year % 100 != 0) or year % 400 == 0)
    if not 1 <= day <= _MONTH_DAYS[month - 1] + leap:
        return NO_DATE
    before = year - 1 if month <= 2 else year  # years begin in March: a leap day is the last of its year
    days = before * 365 + before // 4 - before // 100 + before // 400
    days += (153 * ((month + 9) % 12) + 2) // 5 + day - 1 - 719_468
    if length == 10:
        return days * DAY_MICROSECONDS
    clock = _clock(at, end)
    return clock if clock == NO_DATE else days * DAY_MICROSECONDS + clock


@compiled
def _clock(at: int, end: int) -> int:
    """Microseconds since midnight in UTC of "Thh:mm:ss.ffffff+hh:mm" behind a day."""
    hour, minute, second = _two(at + 11), _two(at + 14), _two(at + 17)
    if byte(at + 10) != 84 or byte(at + 13) != 58 or byte(at + 16) != 58:
        return NO_DATE
    if not (0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second <= 59):
        return NO_DATE
    at += 19
    unit, part = 1_000_000, 0
    if byte(at) == 46:
        at += 1
        while 48 <= byte(at) <= 57 and unit > 1:
            unit //= 10
            part += (byte(at) - 48) * unit
            at += 1
        if unit == 1_000_000:
            return NO_DATE
    seconds = hour * 3600 + minute * 60 + second
    sign = byte(at)
    if sign == 90 and at + 1 == end:
        return seconds * 1_000_000 + part
    hours, minutes = _two(at + 1), _two(at + 4)
    if at + 6 != end or byte(at + 3) != 58 or not (0 <= hours <= 14 and 0 <= minutes <= 59):
        return NO_DATE
    offset = hours * 3600 + minutes * 60
    if sign == 43:
        return (seconds - offset) * 1_000_000 + part
    return (seconds + offset) * 1_000_000 + part if sign == 45 else NO_DATE


@compiled
def is_id(at: int, end: int) -> bool:
    """Whether a text is a FHIR id: 1 to 64 of A-Z a-z 0-9 - and the full stop."""
    length = end - at
    if not 1 <= length <= 64:
        return False
    if length > WIDTH:
        if outside_ids(at) != _NOTHING:
            return False
        at += WIDTH
        length -= WIDTH
    return outside_ids(at) << np.uint64(64 - length) == _NOTHING


@compiled
def patient_id_at(at: int, end: int) -> int:
    """Where the id in a reference to a Patient begins, relative or http(s); 0 where it is none."""
    if end - at > 8 and word(at) == _PATIENT:
        return at + 8 if is_id(at + 8, end) else 0
    begun = end
    while begun > at and byte(begun - 1) != 47:
        begun -= 1
    if begun - 8 <= at + 8 or word(begun - 8) != _PATIENT or not is_id(begun, end):
        return 0
    place = begun - 9  # the slash before "Patient"
    if (
        byte(place) != 47
        or byte(at) != 104
        or byte(at + 1) != 116
        or byte(at + 2) != 116
        or byte(at + 3) != 112
    ):
        return 0
    at += 5 if byte(at + 4) == 115 else 4
    if byte(at) != 58 or byte(at + 1) != 47 or byte(at + 2) != 47 or place <= at + 3:
        return 0
    for letter in range(at + 3, place):
        sign = byte(letter)
        if sign <= 32 or sign >= 127 or sign == 63 or sign == 35:
            return 0
    return begun


@compiled
def mixed(state: np.uint64, at: int, length: int) -> np.uint64:
    """A number that goes on from `state` with a text; two texts rarely give the same one."""
    state = (state ^ np.uint64(length)) * _PRIME
    while length >= 8:
        state = (state ^ word(at)) * _PRIME
        state ^= state >> np.uint64(29)
        at += 8
        length -= 8
    if length > 0:
        state = (state ^ (word(at) & ((_ONE << np.uint64(8 * length)) - _ONE))) * _PRIME
        state ^= state >> np.uint64(29)
    return state
