"""Patient and Organization: who the record is about, when they died, and which site keeps it."""

from __future__ import annotations

from datetime import date, datetime

from connectors.fhir.mapping_facts import Person
from connectors.fhir.mapping_fields import Json, element, elements, flag, string
from connectors.fhir.mapping_references import linked_patient, target_of
from connectors.fhir.mapping_times import moment
from prognosis.errors import MappingError
from prognosis.record import Code, Event

PATIENT_ID = "urn:prognosis:patient-id"
"""Identifier system under which an export keeps a patient id that is no valid FHIR id."""

DEATH = Code("MEDS", "MEDS_DEATH")
DEATH_DISPLAY = "Death"


def patient_to_person(resource: Json, source: str) -> Person:
    """Read a FHIR R4 Patient.

    A death without a date cannot be dated and gives no event; it is noticed, since a model would
    otherwise take the patient for alive. A death dated by month or year only is refused. Links of type
    `refer` and `seealso` do not say that two Patients are one: they are noticed, and joined to nothing.

    Raises:
        MappingError: A date is malformed, the death precedes the birth, or an element has a wrong type.
    """
    notices: list[str] = []
    birth_date = _birth_date(resource, source, notices)
    died = _died(resource, source, notices)
    if died is not None and birth_date is not None and died.date() < birth_date:
        raise MappingError(source, "the death precedes the birth", "correct birthDate or deceasedDateTime")
    if any(link.get("type") in ("refer", "seealso") for link in elements(resource, "link", source)):
        notices.append("Patient.link of type refer or seealso: the two Patients are kept apart")
    organization = element(resource, "managingOrganization", source)
    name = string(organization, "display", source) if organization is not None else None
    return Person(
        source=source,
        patient_id=_patient_id(resource, source),
        birth_date=birth_date,
        sex=_sex(resource, source, notices),
        died=died,
        organization=target_of(organization, source) if organization is not None else None,
        organization_name=name or "",
        replaced_by=_linked(resource, source, "replaced-by"),
        replaces=_linked(resource, source, "replaces"),
        notices=tuple(notices),
    )


def death_event(source: str, died: datetime) -> Event:
    """The event that tasks read a death from."""
    return Event(died, DEATH, source=source, display=DEATH_DISPLAY)


def organization_name(resource: Json, source: str) -> str:
    """The name a site goes by: Organization.name, else its id."""
    return string(resource, "name", source) or source.partition("/")[2]


def _patient_id(resource: Json, source: str) -> str:
    for identifier in elements(resource, "identifier", source):
        if identifier.get("system") == PATIENT_ID:
            value = string(identifier, "value", source)
            if value is not None:
                return value
    return source.partition("/")[2]


def _sex(resource: Json, source: str, notices: list[str]) -> str | None:
    gender = string(resource, "gender", source)
    if gender in ("female", "male", "other"):
        return gender
    if gender not in (None, "unknown"):
        notices.append("Patient.gender is not a FHIR code: sex taken as unknown")
    return None


def _birth_date(resource: Json, source: str, notices: list[str]) -> date | None:
    birth = moment(resource, "birthDate", source)
    if birth is None:
        return None
    if birth.precision in ("month", "year"):
        notices.append("Patient.birthDate without a day: the middle of its month or year is used")
        return (birth.first + (birth.last - birth.first) / 2).date()
    return birth.first.date()


def _died(resource: Json, source: str, notices: list[str]) -> datetime | None:
    died = moment(resource, "deceasedDateTime", source)
    if died is None:
        if flag(resource, "deceasedBoolean", source):
            notices.append(
                "Patient.deceasedBoolean without a date: the death cannot be dated and gives no event"
            )
        return None
    if died.precision in ("month", "year"):
        raise MappingError(source, "deceasedDateTime has no day", "send the day of death")
    return died.last


def _linked(resource: Json, source: str, kind: str) -> tuple[str, ...]:
    links = [link for link in elements(resource, "link", source) if link.get("type") == kind]
    targets = (linked_patient(link, source) for link in links)
    return tuple(target for target in targets if target is not None)
