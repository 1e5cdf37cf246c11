"""How long to wait before a question is asked again, and which answers are worth asking again for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

ATTEMPTS = 4
"""How often a question is asked in all."""

PASSING = frozenset({429, 500, 502, 503, 504})
"""Statuses that may be others in a moment. No other answer is asked for again."""

FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0


def wait_seconds(attempt: int, headers: Mapping[str, str], chance: float) -> float:
    """Seconds to wait: as Retry-After asks, in seconds or as a date (RFC 9110 section 10.2.3), else growing.

    A date is compared with the answer's own Date, so that the two machines' clocks need not agree.

    Args:
        attempt: How many questions went before this one, from 0.
        headers: Of the answer, names in any case as the mapping allows; {} where there was none.
        chance: Uniform on [0, 1): many clients that failed together must not come back together.

    Returns:
        At most `LONGEST_WAIT`, however long the archive asks for.
    """
    asked = _asked(headers.get("Retry-After", "").strip(), headers.get("Date", ""))
    if asked is None:
        asked = FIRST_WAIT * 2.0**attempt * (0.5 + 0.5 * chance)
    return min(max(asked, 0.0), LONGEST_WAIT)


def _asked(stated: str, now: str) -> float | None:
    if re.fullmatch(r"[0-9]{1,9}", stated):
        return float(stated)
    until, since = _date(stated), _date(now)
    if until is None or since is None:
        return None
    return (until - since).total_seconds()


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
