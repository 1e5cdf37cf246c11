"""Events as FHIR R4 resources of the type that their source names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from connectors.fhir.mapping_clinical import ENCOUNTER_END, ENCOUNTER_START, END_DISPLAY, INTENSIVE_CARE
from connectors.fhir.mapping_codes import ACT_CODE, ROLE_CODE
from connectors.fhir.mapping_fields import FHIR_ID
from connectors.fhir.write_elements import Resource, coding, concept, instant, observed, quantity
from connectors.fhir.write_history import (
    allergy,
    care_plan,
    family_history,
    immunization,
    kind_of_history,
    statement,
)
from connectors.fhir.write_subject import Subject
from prognosis.record import Code, Event

_PLAIN = ("Condition", "MedicationRequest", "Procedure", "MedicationStatement", "Immunization")
_TOGETHER = {"FamilyMemberHistory": family_history, "CarePlan": care_plan}
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


def event_resources(events: Sequence[Event], subject: Subject) -> Iterator[Resource]:
    """One resource an event, but starts and ends of encounters are paired and panels kept together.

    So are the conditions of one relative, and the categories of one plan.
    """
    encounters: dict[tuple[str, str, bool], list[Event]] = defaultdict(list)
    observations: dict[tuple[str, datetime], list[Event]] = defaultdict(list)
    histories: dict[tuple[str, str, datetime], list[Event]] = defaultdict(list)
    for number, event in enumerate(events):
        kind = resource_kind(event)
        if kind == "Encounter":
            key = (event.source or f"#{number}", event.code.value, bool(event.display))
            encounters[key].append(event)
        elif kind == "Observation" or kind in _TOGETHER:
            citable = event.source.startswith(f"{kind}/") and FHIR_ID.match(event.source.partition("/")[2])
            source = event.source if citable else f"#{number}"
            if kind == "Observation":
                observations[source, event.time].append(event)
            else:
                histories[kind, source, event.time].append(event)
        else:
            yield _WRITERS[kind](event, subject)
    for stays in encounters.values():
        yield from _encounters(stays, subject)
    for panel in observations.values():
        yield _observation(panel, subject)
    for (kind, _, _), stated in histories.items():
        yield _TOGETHER[kind](stated, subject)


def resource_kind(event: Event) -> str:
    """The resource type that can carry an event: the one its source names, where that type has room for it.

    A fact without a source is an Observation when it has a number or a text, else a Condition.
    """
    valued = event.number is not None or event.text is not None
    if event.code.system in (ENCOUNTER_START, ENCOUNTER_END) and event.code.value and not valued:
        return "Encounter"
    history = kind_of_history(event)
    if history is not None:
        return history
    named = event.source.partition("/")[0]
    if named in _PLAIN and not valued:
        return named
    if named == "MedicationAdministration" and event.text is None:
        return named
    if named == "Observation" or valued:
        return "Observation"
    return "Condition"


def _observation(panel: Sequence[Event], subject: Subject) -> Resource:
    """An Observation of one event, or a panel whose components are the events that share a source and a time.

    The record knows only when a result was known; what is known of a patient after death was observed
    by then, so effectiveDateTime is not written later than the death.
    """
    known = panel[0].time
    effective = subject.by_death(known)
    written = subject.resource("Observation", panel[0].source) | {"status": "final"}
    if len(panel) == 1:
        written |= observed(panel[0])
    else:
        written |= {"code": {"text": "Panel"}, "component": [observed(event) for event in panel]}
    return written | {"effectiveDateTime": instant(effective), "issued": instant(known)}


def _condition(event: Event, subject: Subject) -> Resource:
    return subject.resource("Condition", event.source) | {
        "verificationStatus": {"coding": [{"system": _VERIFICATION, "code": "confirmed"}]},
        "code": concept(event.code, event.display),
        "recordedDate": instant(event.time),
    }


def _medication_request(event: Event, subject: Subject) -> Resource:
    return subject.resource("MedicationRequest", event.source) | {
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": concept(event.code, event.display),
        "authoredOn": instant(event.time),
    }


def _administration(event: Event, subject: Subject) -> Resource:
    written = subject.resource("MedicationAdministration", event.source) | {
        "status": "completed",
        "medicationCodeableConcept": concept(event.code, event.display),
        "effectiveDateTime": instant(event.time),
    }
    return written if event.number is None else written | {"dosage": {"dose": quantity(event)}}


def _procedure(event: Event, subject: Subject) -> Resource:
    return subject.resource("Procedure", event.source) | {
        "status": "completed",
        "code": concept(event.code, event.display),
        "performedDateTime": instant(event.time),
    }


_WRITERS = {
    "Condition": _condition,
    "MedicationRequest": _medication_request,
    "MedicationAdministration": _administration,
    "Procedure": _procedure,
    "MedicationStatement": statement,
    "Immunization": immunization,
    "AllergyIntolerance": allergy,
}


def _encounters(stays: Sequence[Event], subject: Subject) -> Iterator[Resource]:
    """Encounters from the starts and ends under one source: each start with the first end after it."""
    ordered = sorted(stays, key=lambda event: (event.time, event.code.system != ENCOUNTER_START))
    begun: Event | None = None
    for event in ordered:
        if event.code.system == ENCOUNTER_START:
            if begun is not None:
                yield _encounter(begun, None, subject)
            begun = event
        else:
            yield _encounter(begun, event, subject)
            begun = None
    if begun is not None:
        yield _encounter(begun, None, subject)


def _encounter(start: Event | None, end: Event | None, subject: Subject) -> Resource:
    stated = start or end
    if stated is None:
        message = "an encounter needs a start or an end"
        raise ValueError(message)
    written = subject.resource("Encounter", stated.source)
    if end is not None and end.display != stated.display:
        written["extension"] = [{"url": END_DISPLAY, "valueString": end.display}]
    kind, display = stated.code.value, stated.display
    if kind == INTENSIVE_CARE:
        written |= {"class": coding(Code(ACT_CODE, "IMP"))}
        written |= {"type": [concept(Code(ROLE_CODE, INTENSIVE_CARE), display)]}
    else:
        written |= {"class": coding(Code(ACT_CODE, kind), display)}
    period = {
        name: instant(event.time) for name, event in (("start", start), ("end", end)) if event is not None
    }
    return written | {"status": "finished" if end is not None else "in-progress", "period": period}
