"""How much one server may cost."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what one server may cost.

    Attributes:
        answer_bytes: Of one answer, inflated.
        silence_s: Seconds without a byte after which an attempt has failed.
        requests_at_once: Requests under way at one time.
    """

    answer_bytes: int = 64 * MEBIBYTE
    silence_s: float = 30.0
    requests_at_once: int = 4
