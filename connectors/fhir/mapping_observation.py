"""Observation: results, dated by when they were issued."""

from __future__ import annotations

from datetime import datetime

from connectors.fhir.mapping_codes import concept_of, label_of, number_of, quantity_of
from connectors.fhir.mapping_facts import Facts
from connectors.fhir.mapping_fields import (
    Json,
    checked_status,
    element,
    elements,
    extension_string,
    flag,
    string,
)
from connectors.fhir.mapping_references import patient_of
from connectors.fhir.mapping_times import Moment, happened, moment, no_time, over
from prognosis.errors import MappingError
from prognosis.record import Event

TEXT_BESIDE_NUMBER = "urn:prognosis:text"
"""Extension that carries a fact's text where its value is already a number."""

_STATED = frozenset({"registered", "preliminary", "final", "amended", "corrected", "unknown"})
_SILENT = frozenset({"cancelled", "entered-in-error"})
_UNREAD = ("valueRange", "valueRatio", "valueSampledData", "valuePeriod")


def observation_to_facts(resource: Json, source: str) -> Facts:
    """Read a FHIR R4 Observation as events dated when its result was issued.

    `issued` is used rather than `effectiveDateTime`: a result drawn before the index time but released
    after it was not yet known, and would leak. Each component is an event of its own; a panel without
    a value gives its components only. A dataAbsentReason says that there is no value: no fact.

    Raises:
        MappingError: There is no coding, time, patient or unit, or a value cannot be read.
    """
    patient = patient_of(resource, source)
    if not checked_status(resource, source, stated=_STATED, silent=_SILENT):
        return Facts(patient, notices=("Observation cancelled or entered in error: no fact",))
    notices: list[str] = []
    effective = happened(resource, "effective", source)
    time = _known(resource, effective, source, notices)
    components = elements(resource, "component", source)
    found = [_event(resource, time, source, parent=bool(components) or "hasMember" in resource)]
    found += [_event(component, time, source, parent=False) for component in components]
    events = tuple(event for event in found if event is not None)
    if not events:
        notices.append("Observation without a value (dataAbsentReason or panel): no fact")
    return Facts(patient, events, happened=effective.first if effective else time, notices=tuple(notices))


def _known(resource: Json, effective: Moment | None, source: str, notices: list[str]) -> datetime:
    issued = moment(resource, "issued", source)
    if effective is None:
        if issued is None:
            raise no_time(source, "issued, or at least effectiveDateTime")
        return issued.last
    if issued is not None and issued.last >= effective.first:
        return issued.last
    early = "Observation issued before it was made: the later time is used"
    notices.append("Observation.effective used for issued" if issued is None else early)
    return (over(resource, "effective", source) or effective).last


def _event(node: Json, time: datetime, source: str, *, parent: bool) -> Event | None:
    """The event of an Observation or component; None when it states no value or only groups."""
    valued = [key for key in node if key.startswith("value")]
    if len(valued) > 1:
        raise MappingError(source, "has more than one value[x]", "send one value an Observation or component")
    if valued and "dataAbsentReason" in node:
        problem = "has a value and a dataAbsentReason, which says that there is none"
        raise MappingError(source, problem, "send one of the two")
    if not valued and (parent or "dataAbsentReason" in node):
        return None
    concept = concept_of(element(node, "code", source), source)
    code, display = concept.code, concept.display
    if not valued:
        return Event(time, code, source=source, display=display)
    if valued[0] == "valueQuantity":
        given = quantity_of(element(node, "valueQuantity", source) or {}, source)
        beside = extension_string(node, TEXT_BESIDE_NUMBER, source)
        return Event(time, code, given.number, given.comparator, given.unit, beside, source, display)
    if valued[0] == "valueInteger":
        return Event(time, code, number_of(node, "valueInteger", source), source=source, display=display)
    return Event(time, code, text=_text(node, valued[0], source), source=source, display=display)


def _text(node: Json, key: str, source: str) -> str | None:
    """A value that is not a number, in words."""
    if key == "valueCodeableConcept":
        text = label_of(element(node, key, source), source)
        if not text:
            raise MappingError(source, "valueCodeableConcept is empty", "send a coding or a text")
        return text
    if key == "valueBoolean":
        return "true" if flag(node, key, source) else "false"
    if key in ("valueString", "valueDateTime", "valueTime"):
        return string(node, key, source)
    problem = f"{key} is not read" if key in _UNREAD else "has a value[x] that FHIR R4 does not define"
    raise MappingError(
        source, problem, "send valueQuantity, valueCodeableConcept, valueString or valueBoolean"
    )
