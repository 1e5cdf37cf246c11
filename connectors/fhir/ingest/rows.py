"""Rows of facts in tables on disk."""

from __future__ import annotations

FACT = (
    *("place", "source", "patient", "medication", "happened", "ordinal", "kind", "time", "number", "notices"),
    *("meaning", "system", "value", "comparator", "unit", "text", "display"),
)
"""The columns of a fact: which line stated it, whom it is about, and what `Event`, `Note` or study it is.

The last six are given by the table of meanings where `meaning` is not NULL, unless they stand in the row.
"""

MEANT = ("system", "value", "comparator", "unit", "text", "display")
"""The columns of a meaning, beside its number and its kind."""

NONE, EVENT, NOTE, STUDY = 0, 1, 2, 3
"""Kinds of row: of a resource that states nothing, an event, a note, an imaging study."""


def quoted(text: str) -> str:
    """Text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"
