"""Encounter, Condition, MedicationRequest, MedicationAdministration and Procedure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from connectors.fhir.mapping_codes import ROLE_CODE, Concept, concept_of, quantity_of
from connectors.fhir.mapping_facts import Facts
from connectors.fhir.mapping_fields import (
    Json,
    checked_status,
    element,
    elements,
    extension_string,
    flag,
    is_denied,
    string,
)
from connectors.fhir.mapping_references import patient_of, target_of
from connectors.fhir.mapping_times import happened, moment, no_time
from prognosis.errors import MappingError
from prognosis.record import Code, Event

ENCOUNTER_START = "encounter-start"
ENCOUNTER_END = "encounter-end"
INTENSIVE_CARE = "ICU"
END_DISPLAY = "urn:prognosis:end-display"
"""Extension that carries the name of an encounter's end where its start goes by another name."""

CONTRADICTED: Json = {}
"""Stands for a Medication that occurs more than once with different codes: which drug it is, is unknown."""

_INTENSIVE_CARE_ROLES = frozenset({"ICU", "PEDICU", "PEDNICU"})


def encounter_to_facts(resource: Json, source: str) -> Facts:
    """Read an Encounter as its start and its end, under its class or, in intensive care, "ICU".

    Raises:
        MappingError: There is no class, period or patient, or the end precedes the start.
    """
    patient = patient_of(resource, source)
    stated = frozenset({"arrived", "triaged", "in-progress", "onleave", "finished", "unknown"})
    silent = frozenset({"planned", "cancelled", "entered-in-error"})
    if not checked_status(resource, source, stated=stated, silent=silent):
        return Facts(patient, notices=("Encounter planned, cancelled or entered in error: no fact",))
    kind, display = _encounter_kind(resource, source)
    period = element(resource, "period", source) or {}
    start, end = moment(period, "start", source), moment(period, "end", source)
    if start is None and end is None:
        raise no_time(source, "period.start")
    if start is not None and end is not None and end.last < start.first:
        raise MappingError(source, "its period ends before it starts", "correct period")
    left = extension_string(resource, END_DISPLAY, source)
    events = []
    if start is not None:
        began = start.last
        if end is not None and start.precision != "instant" and began >= end.last:
            began = end.last - timedelta(microseconds=1)  # a stay within one day still starts before it ends
        events.append(Event(began, Code(ENCOUNTER_START, kind), source=source, display=display))
    if end is not None:
        events.append(Event(end.last, Code(ENCOUNTER_END, kind), source=source, display=left or display))
    earliest = start or end
    return Facts(patient, tuple(events), happened=earliest.first if earliest else None)


def _encounter_kind(resource: Json, source: str) -> tuple[str, str]:
    for concept in elements(resource, "type", source):
        for coding in elements(concept, "coding", source):
            display = string(coding, "display", source) or ""
            code = string(coding, "code", source)
            role = coding.get("system") == ROLE_CODE and code in _INTENSIVE_CARE_ROLES
            if role or "intensive care" in display.lower():
                return INTENSIVE_CARE, display
    kind = element(resource, "class", source) or {}
    code = string(kind, "code", source)
    if code is None:
        raise MappingError(source, "has no class", "send class, e.g. IMP, AMB or EMER")
    return code, string(kind, "display", source) or ""


def condition_to_facts(resource: Json, source: str) -> Facts:
    """Read a Condition as an event dated when it was recorded; a refuted one states nothing.

    Raises:
        MappingError: There is no coding, time or patient, or R4 knows no such verificationStatus.
    """
    patient = patient_of(resource, source)
    if is_denied(resource, source):
        return Facts(patient, notices=("Condition refuted or entered in error: no fact",))
    concept = concept_of(element(resource, "code", source), source)
    recorded = moment(resource, "recordedDate", source)
    onset = happened(resource, "onset", source)
    known = recorded or onset
    if known is None:
        raise no_time(source, "recordedDate, or at least onsetDateTime")
    notices = () if recorded else ("Condition.onset used for recordedDate",)
    return Facts(
        patient,
        (_event(known.last, concept, source),),
        happened=onset.first if onset else None,
        notices=notices,
    )


def medication_request_to_facts(resource: Json, source: str, medications: Mapping[str, Json]) -> Facts:
    """Read a MedicationRequest as an event dated when it was written; a plan or a ban states nothing.

    Args:
        resource: One MedicationRequest.
        source: How it is cited.
        medications: Codes of Medication resources, by "Medication/x".

    Raises:
        MappingError: There is no medication code, authoredOn, status, intent or patient.
    """
    patient = patient_of(resource, source)
    stated = frozenset({"active", "on-hold", "completed", "stopped", "unknown"})
    silent = frozenset({"cancelled", "entered-in-error", "draft"})
    ordered = checked_status(resource, source, stated=stated, silent=silent)
    orders = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})
    ideas = frozenset({"proposal", "plan", "option"})
    meant = checked_status(resource, source, stated=orders, silent=ideas, key="intent")
    if not ordered or not meant or flag(resource, "doNotPerform", source):
        return Facts(
            patient, notices=("MedicationRequest not in force (status, intent, doNotPerform): no fact",)
        )
    concept = medication_of(resource, source, medications)
    authored = moment(resource, "authoredOn", source)
    if authored is None:
        raise no_time(source, "authoredOn")
    return Facts(patient, (_event(authored.last, concept, source),), happened=authored.first)


def administration_to_facts(resource: Json, source: str, medications: Mapping[str, Json]) -> Facts:
    """Read a MedicationAdministration as an event at its start, with the dose where it has one.

    Raises:
        MappingError: There is no medication code, time or patient, or the dose has no unit.
    """
    patient = patient_of(resource, source)
    stated = frozenset({"in-progress", "on-hold", "completed", "stopped", "unknown"})
    silent = frozenset({"not-done", "entered-in-error"})
    if not checked_status(resource, source, stated=stated, silent=silent):
        return Facts(patient, notices=("MedicationAdministration not done or entered in error: no fact",))
    concept = medication_of(resource, source, medications)
    effective = happened(resource, "effective", source)
    if effective is None:
        raise no_time(source, "effectiveDateTime or effectivePeriod")
    event = _event(effective.last, concept, source)
    dose = element(element(resource, "dosage", source) or {}, "dose", source)
    if dose is not None:
        given = quantity_of(dose, source)
        event = replace(event, number=given.number, comparator=given.comparator, unit=given.unit)
    return Facts(patient, (event,), happened=effective.first)


def procedure_to_facts(resource: Json, source: str) -> Facts:
    """Read a Procedure as an event at its start: R4 has no time at which it was recorded.

    Raises:
        MappingError: There is no coding, time or patient.
    """
    patient = patient_of(resource, source)
    stated = frozenset({"in-progress", "on-hold", "stopped", "completed", "unknown"})
    silent = frozenset({"preparation", "not-done", "entered-in-error"})
    if not checked_status(resource, source, stated=stated, silent=silent):
        return Facts(patient, notices=("Procedure not done or entered in error: no fact",))
    concept = concept_of(element(resource, "code", source), source)
    performed = happened(resource, "performed", source)
    if performed is None:
        raise no_time(source, "performedDateTime or performedPeriod")
    return Facts(patient, (_event(performed.last, concept, source),), happened=performed.first)


def needs_medication(resource: Json) -> bool:
    """Whether the drug is named by a Medication resource outside this one."""
    node = resource.get("medicationReference")
    return isinstance(node, dict) and not str(node.get("reference", "")).startswith("#")


def medication_of(resource: Json, source: str, medications: Mapping[str, Json]) -> Concept:
    """The drug that a resource names: by a code, a contained Medication or one beside it.

    Raises:
        MappingError: It names none that has a code.
    """
    node = element(resource, "medicationReference", source)
    if node is None:
        return concept_of(element(resource, "medicationCodeableConcept", source), source, "medication")
    target = target_of(node, source) or ""
    if target.startswith("#"):
        contained = elements(resource, "contained", source)
        medication = next((item for item in contained if f"#{item.get('id')}" == target), None)
    else:
        medication = medications.get(target)
    if medication is None:
        raise MappingError(source, "its Medication is not in the source", "export Medication resources too")
    if medication == CONTRADICTED:
        raise two_drugs(source)
    return concept_of(element(medication, "code", source), source, "medication")


def two_drugs(source: str) -> MappingError:
    """The error of a resource whose Medication has several codes."""
    problem = "its Medication occurs more than once with different codes"
    return MappingError(source, problem, "keep one version of each resource")


def _event(time: datetime, concept: Concept, source: str) -> Event:
    return Event(time, concept.code, source=source, display=concept.display)
