"""What was stated, given, suffered by relatives or planned, as FHIR R4 resources."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.fhir.mapping_codes import ROLE_CODE
from connectors.fhir.mapping_history import ALLERGY, CARE_PLAN, FAMILY_HISTORY
from connectors.fhir.write_elements import Resource, concept, instant
from connectors.fhir.write_subject import Subject
from prognosis.record import Code, Event

_ALLERGY_STATUS = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
_ALLERGY_VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
_KINDS = {
    ALLERGY: ("AllergyIntolerance", "Allergy: "),
    FAMILY_HISTORY: ("FamilyMemberHistory", "Family history: "),
    CARE_PLAN: ("CarePlan", "Care plan: "),
}


def kind_of_history(event: Event) -> str | None:
    """The resource type of a code that has a kind of its own before its system; None for other codes.

    One that has a value, or a name that reading would not give it, is an Observation and never a Condition:
    other readers of the export would take it for the patient's own.
    """
    kind, separator, _ = event.code.system.partition("|")
    if kind not in _KINDS or not separator:
        return None
    named, words = _KINDS[kind]
    valued = event.number is not None or event.text is not None
    told = event.display.startswith(words) and event.display.removeprefix(words).strip()
    return named if not valued and (told or not event.display) else "Observation"


def statement(event: Event, subject: Subject) -> Resource:
    """A MedicationStatement; whether the drug is still taken is not known."""
    return subject.resource("MedicationStatement", event.source) | {
        "status": "unknown",
        "medicationCodeableConcept": concept(event.code, event.display),
        "dateAsserted": instant(event.time),
    }


def immunization(event: Event, subject: Subject) -> Resource:
    """An Immunization; the record knows only when it was recorded."""
    return subject.resource("Immunization", event.source) | {
        "status": "completed",
        "vaccineCode": concept(event.code, event.display),
        "occurrenceDateTime": instant(subject.by_death(event.time)),
        "recorded": instant(event.time),
    }


def allergy(event: Event, subject: Subject) -> Resource:
    """An AllergyIntolerance; R4's ait-1 asks for a clinical status wherever it is no error."""
    return subject.resource("AllergyIntolerance", event.source) | {
        "clinicalStatus": concept(Code(_ALLERGY_STATUS, "active")),
        "verificationStatus": concept(Code(_ALLERGY_VERIFICATION, "confirmed")),
        "code": _bare(event),
        "recordedDate": instant(event.time),
    }


def family_history(stated: Sequence[Event], subject: Subject) -> Resource:
    """A FamilyMemberHistory of the conditions of one relative, of whom nothing else is known."""
    return subject.resource("FamilyMemberHistory", stated[0].source) | {
        "status": "partial",
        "date": instant(stated[0].time),
        "relationship": concept(Code(ROLE_CODE, "FAMMEMB"), "family member"),
        "condition": [{"code": _bare(event)} for event in stated],
    }


def care_plan(stated: Sequence[Event], subject: Subject) -> Resource:
    """A CarePlan of some categories; whether it is still followed is not known."""
    return subject.resource("CarePlan", stated[0].source) | {
        "status": "unknown",
        "intent": "plan",
        "category": [_bare(event) for event in stated],
        "created": instant(stated[0].time),
    }


def _bare(event: Event) -> Resource:
    """The CodeableConcept without the kind that stands before its system and its name."""
    kind, _, system = event.code.system.partition("|")
    return concept(Code(system, event.code.value), event.display.removeprefix(_KINDS[kind][1]))
