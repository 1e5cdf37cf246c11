"""One line of the audit, and how it is chained to the one before."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from prognosis.errors import AuditError

START = "0" * 64
"""What stands before the first entry."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What was asked and what was answered, by reference: no identifier, no content.

    Attributes:
        time: When the answer was ready, ISO 8601.
        request: Of the request; the client was told it too.
        client: Who asked, "" where that is not known.
        route: Method and route, without what stood in its place holders.
        status: Of the answer.
        answer: sha256 of the answer's bytes.
        patient: The patient's pseudonym, "" where none was named.
        model_id: Which model answered, "" where none did.
        score: Which stored score was given, "" for none.
        card: The uuid of the card that was given, "" for none.
    """

    time: str
    request: str
    client: str
    route: str
    status: int
    answer: str
    patient: str = ""
    model_id: str = ""
    score: str = ""
    card: str = ""

    def text(self) -> str:
        """The entry as it is kept and hashed: JSON with sorted keys."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def read(cls, number: int, text: str) -> Entry:
        """The entry that a line holds.

        Raises:
            AuditError: It holds none.
        """
        try:
            stated: dict[str, Any] = json.loads(text)
            return cls(**stated)
        except (ValueError, TypeError) as error:
            raise AuditError(
                f"audit entry {number}", "cannot be read", "keep the file and find out"
            ) from error


def chained(before: str, number: int, text: str) -> str:
    """The hash of an entry: of the hash before it, its number and its text."""
    return hashlib.sha256(f"{before}\n{number}\n{text}".encode()).hexdigest()
