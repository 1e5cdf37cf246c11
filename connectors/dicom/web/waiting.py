"""How long an archive may take, when a question is asked again, and which answers are worth that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

PASSING = frozenset({429, 500, 502, 503, 504})
"""Statuses that may be others in a moment. No other answer is asked for again."""

FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one archive may keep its caller.

    Attributes:
        attempts: How often a question is asked in all.
        deadline_s: Seconds that one question may take with all its attempts and waits, however steadily its
            answers drip.
        silence_s: Seconds without a byte, before an answer or within it, after which an attempt has failed.
        connect_s: Seconds for a connection.
        first_wait_s: Before the second attempt, where the archive does not say when; then doubled.
    """

    attempts: int = 4
    deadline_s: float = 3600.0
    silence_s: float = 60.0
    connect_s: float = 10.0
    first_wait_s: float = FIRST_WAIT


def wait_seconds(attempt: int, headers: Mapping[str, str], chance: float, first: float = FIRST_WAIT) -> float:
    """Seconds to wait: as Retry-After asks, in seconds or as a date (RFC 9110 section 10.2.3), else growing.

    A date is compared with the answer's own Date, so that the two machines' clocks need not agree.

    Args:
        attempt: How many questions went before this one, from 0.
        headers: Of the answer, names in any case as the mapping allows; {} where there was none.
        chance: Uniform on [0, 1): many clients that failed together must not come back together.
        first: The longest wait after the first question.

    Returns:
        At most `LONGEST_WAIT`, however long the archive asks for.
    """
    asked = _asked(headers.get("Retry-After", "").strip(), headers.get("Date", ""))
    if asked is None:
        asked = first * 2.0**attempt * (0.5 + 0.5 * chance)
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
