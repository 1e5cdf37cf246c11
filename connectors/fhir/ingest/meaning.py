"""What lines of one structure mean: learnt from what the mapping makes of one of them.

Two lines that have the same keys, the same values wherever the mapping compares values, and dates that
stand to one another in the same order, give facts that differ in four things: the resource's id, the patient,
numbers and dates. The mapping copies those; it never calculates with them (a fact whose time is none of the
line's dates has no meaning here, and is left to the mapping). So one line shows from where each is copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.fhir.ingest.elements import ABOUT, DATE, ELEMENTS, NUMBER
from connectors.fhir.ingest.mapped import fact_rows, person_row
from connectors.fhir.ingest.tokens import Value
from connectors.fhir.mapping import resource_to_facts
from connectors.fhir.mapping_clinical import needs_medication
from connectors.fhir.mapping_fields import Json, source_of
from connectors.fhir.mapping_person import PATIENT_ID, patient_to_person
from connectors.fhir.mapping_references import target_of
from connectors.fhir.mapping_times import moment
from prognosis.errors import InputError

_DRUG = "urn:prognosis:ingest:a-drug"
_CONSTANT = ("kind", "system", "value", "comparator", "unit", "text", "display", "notices")


@dataclass(frozen=True, slots=True)
class Meaning:
    """The facts of a line.

    Attributes:
        places: By fact, its date and its number among the line's; -1 for none. A date is twice its place,
            plus 1 for its last instant.
        happened: The date of when it happened, likewise.
        consts: By fact, the columns that are the same for all such lines.
    """

    places: list[tuple[int, int]]
    happened: int
    consts: list[dict[str, Any]]


class _NotCopiedError(ValueError):
    """A fact holds what is not in the line."""


def meaning_of(resource: dict[str, Any], values: list[Value]) -> Meaning | None:
    """What a line means; None where the mapping refuses it, or only the mapping can say.

    Args:
        resource: The line, parsed; its numbers are replaced.
        values: Its values.
    """
    kind = resource["resourceType"]
    try:
        source = source_of(resource, "line")
        dated = [v for v in values if v.role(ELEMENTS[kind]) == DATE]
        dates = _dates(resource, dated)
        if kind == "Patient":
            return _person(resource, source, dated)
        numbers = _marked(resource, [v for v in values if v.role(ELEMENTS[kind]) == NUMBER])
        about = next(v for v in values if v.role(ELEMENTS[kind]) == ABOUT)
        return _facts(resource, source, dates, numbers, _at(resource, about.path))
    except (InputError, _NotCopiedError, StopIteration):
        return None


def _at(resource: object, path: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - JSON
    found: Any = resource
    for key in path:
        found = found[key]
    return found


def _dates(resource: Json, values: list[Value]) -> list[tuple[datetime, datetime]]:
    found = []
    for value in values:
        stated = moment(_at(resource, value.path[:-1]), str(value.path[-1]), "line")
        if stated is None or stated.precision not in ("day", "instant"):
            raise _NotCopiedError
        found.append((stated.first, stated.last))
    return found


def _marked(resource: dict[str, Any], values: list[Value]) -> Mapping[float, int]:
    """Put a number of its own in the place of each; which place each has."""
    marks = {}
    for place, value in enumerate(values):
        mark = 1_000_003.25 + 17 * place
        _at(resource, value.path[:-1])[value.path[-1]] = mark
        marks[mark] = place
    return marks


def _facts(
    resource: Json,
    source: str,
    dates: list[tuple[datetime, datetime]],
    numbers: Mapping[float, int],
    about: str,
) -> Meaning:
    drugs, drug = {}, None
    if needs_medication(resource):
        drug = target_of(resource["medicationReference"], source)
        if drug is None or not drug.startswith("Medication/"):
            raise _NotCopiedError
        drugs = {drug: {"code": {"coding": [{"system": _DRUG, "code": _DRUG}]}}}
    facts = resource_to_facts(resource, source, drugs)
    if facts is None or facts.notes or facts.studies or not about.endswith(facts.patient):
        raise _NotCopiedError
    rows = fact_rows(0, source, facts)
    consts = [{name: row.get(name) for name in _CONSTANT} for row in rows]
    for const, row in zip(consts, rows, strict=True):
        const["ordinal"] = row["ordinal"]
        const["medication"] = drug if const["system"] == _DRUG else None
        if const["medication"] is not None:
            const.update(system=None, value=None, display=None)
    places = [
        (
            _date(event.time, dates, (1,)) if event is not None else -1,
            -1 if event is None or event.number is None else numbers.get(event.number, len(numbers)),
        )
        for event in (facts.events or (None,))
    ]
    if any(number == len(numbers) for _, number in places):
        raise _NotCopiedError
    return Meaning(places, _date(facts.happened, dates, (0, 1)), consts)


def _person(resource: Json, source: str, values: list[Value]) -> Meaning:
    """Birth and death are what their elements say; whether the death precedes the birth, their order says."""
    person = patient_to_person(resource, source)
    born = [place for place, each in enumerate(values) if each.path == ("birthDate",)]
    died = [place for place, each in enumerate(values) if each.path == ("deceasedDateTime",)]
    named = any(each.get("system") == PATIENT_ID for each in resource.get("identifier", ()))
    if person.replaced_by or person.replaces or named:  # an id that is named may be the resource's by chance
        raise _NotCopiedError
    if len(str(resource.get("birthDate", "0123-56-89"))) != 10 or len(born) + len(died) != len(values):
        raise _NotCopiedError  # a birth with a time of day has another order
    row = person_row(0, person)
    const = {name: row[name] for name in ("sex", "organization", "organization_name", "notices")}
    return Meaning([(2 * born[0] if born else -1, -1)], 2 * died[0] + 1 if died else -1, [const])


def _date(instant: datetime | None, dates: list[tuple[datetime, datetime]], parts: tuple[int, ...]) -> int:
    """Which date of the line an instant is, and which of its two instants."""
    if instant is None:
        return -1
    for part in parts:
        for place, each in enumerate(dates):
            if each[part] == instant:
                return 2 * place + part
    raise _NotCopiedError
