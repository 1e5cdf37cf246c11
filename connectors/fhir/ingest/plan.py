"""How SQL reads a resource type: what a plan is, and what plans of several types share.

A plan stages one row a resource, with `plain` saying whether SQL can decide it; what is not plain is read by
the mapping, which is the only place that refuses anything. The rules are the mapping's, for the cases
that make up the mass of an export.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.fhir.ingest.expressions import (
    ID,
    coding_of,
    first_instant,
    last_instant,
    quoted,
    reference_to,
    system_of,
)
from connectors.fhir.mapping import ANSWER

FACT = (
    *("place", "source", "patient", "medication", "happened", "ordinal", "kind", "time", "system", "value"),
    *("number", "comparator", "unit", "text", "display", "notices"),
)
"""The columns of a fact: which line stated it, whom it is about, and what `Event`, `Note` or study it is."""

NONE, EVENT, NOTE, STUDY = 0, 1, 2, 3
"""Kinds of row: of a resource that states nothing, an event, a note, an imaging study."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How one resource type is read.

    Attributes:
        staged: SELECT from `lines` (the declared elements and `line`) giving `line`, `plain` and more.
        rows: SELECTs from `staged` giving fact rows, or, of Patient, the columns of a person.
        parted: SELECT from `staged` of lines that a part of the resource makes odd; "" where there is none.
    """

    staged: str
    rows: tuple[str, ...]
    parted: str = ""


def fact(source: str, **columns: str) -> str:
    """A SELECT of fact rows; columns that are not given are NULL."""
    typed = {
        **dict.fromkeys(FACT, "CAST(NULL AS VARCHAR)"),
        "place": "line",
        "source": "source",
        "patient": "patient",
        "medication": "CAST(NULL AS VARCHAR)",
        "happened": "happened",
        "ordinal": "0",
        "kind": str(EVENT),
        "number": "CAST(NULL AS DOUBLE)",
        **columns,
    }
    typed["ordinal"] = f"CAST({typed['ordinal']} AS INTEGER)"
    typed["kind"] = f"CAST({typed['kind']} AS TINYINT)"
    return f"SELECT {', '.join(f'{typed[name]} AS {name}' for name in FACT)} FROM {source}"


PERIOD_END = 'period."end"'


def happened_text(stem: str) -> str:
    """The text of when something took place, by the mapping's order."""
    return f'coalesce({stem}DateTime, {stem}Instant, {stem}Period.start, {stem}Period."end")'


def source_column(kind: str) -> str:
    """How a resource is cited; NULL where its id is none."""
    return f"CASE WHEN regexp_full_match(id, {quoted(ID)}) THEN '{kind}/' || id END AS source"


def staged_sql(kind: str, *, first: str, then: str, plain: str) -> str:
    """SELECT in three steps: elements, what is made of them, and whether all of it could be made."""
    about = f"{source_column(kind)}, {reference_to('Patient', 'subject.reference')} AS patient"
    answer = f"len(list_filter(identifier, lambda i: i.system = {quoted(ANSWER)})) > 0 AS answer"
    sound = "source IS NOT NULL AND patient IS NOT NULL AND NOT coalesce(answer, FALSE)"
    return (
        f"SELECT *, coalesce({sound} AND {plain}, FALSE) AS plain FROM ("
        f"SELECT *, {then} FROM (SELECT line, resourceType, {about}, {answer}, {first} FROM lines))"
    )


def dated(name: str, text: str) -> str:
    """A date's text and its first instant."""
    return f"{text} AS {name}_text, {first_instant(text)} AS {name}_first"


def is_good(name: str) -> str:
    """Whether a date is absent or was read."""
    return f"({name}_text IS NULL OR {name}_first IS NOT NULL)"


def last(name: str) -> str:
    """The last instant of a date."""
    return last_instant(f"{name}_first", f"{name}_text")


CODE = f"{coding_of('code.coding')} AS chosen"
CODED = {
    "system": system_of("chosen"),
    "value": "chosen.code",
    "display": "coalesce(chosen.display, '')",
}
