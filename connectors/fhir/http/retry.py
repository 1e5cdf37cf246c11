"""When a request is made again, and after how long."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from random import SystemRandom

_SECONDS = re.compile(r"[0-9]{1,9}\Z")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Waits between attempts: what the server asks for, else exponential backoff with jitter.

    Attributes:
        attempts: How often one request is made in all.
        deadline_s: Seconds that one request may take with all its attempts and waits.
        first_wait_s: Backoff after the first failure; doubled after each further one.
        longest_wait_s: No wait is longer, whatever the server asks for.
        draw: Uniform numbers in [0, 1): jitter keeps clients that failed together from returning together.
    """

    attempts: int = 5
    deadline_s: float = 120.0
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0
    draw: Callable[[], float] = field(default=SystemRandom().random, repr=False)

    def wait_s(self, failures: int, headers: Mapping[str, str] | None = None) -> float:
        """Seconds to wait after so many failures.

        Args:
            failures: Failed attempts so far, at least 1.
            headers: Of the answer that failed; None where there was no answer.

        Returns:
            Retry-After where the answer has one that can be read, else half to all of the backoff.
        """
        asked = retry_after_s(headers) if headers is not None else None
        if asked is not None:
            return min(asked, self.longest_wait_s)
        backoff = min(self.first_wait_s * 2.0 ** (failures - 1), self.longest_wait_s)
        return backoff * (0.5 + 0.5 * self.draw())


def is_retried(status: int) -> bool:
    """Whether a request is made again after this status: 429 and all 5xx; no other 4xx ever."""
    return status == 429 or 500 <= status <= 599


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The seconds that Retry-After asks for (RFC 9110, section 10.2.3); None where it cannot be read.

    A date is taken from the server's own Date, so that a wrong clock on either side does not matter.
    """
    asked = headers.get("retry-after", "").strip()
    if _SECONDS.match(asked):
        return float(asked)
    try:
        wait = parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError, OverflowError):
        return None
    return max(wait.total_seconds(), 0.0)
