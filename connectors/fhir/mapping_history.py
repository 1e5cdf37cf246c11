"""MedicationStatement, Immunization, AllergyIntolerance, FamilyMemberHistory and CarePlan.

What is not a diagnosis of the patient's, a drug given or a procedure done is filed under a kind of its own
before its code, "family-history|http://snomed.info/sct|22298006": no matcher of the code alone can take a
father's infarction for the patient's, or an allergy to a drug for the drug.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from connectors.fhir.mapping_clinical import medication_of
from connectors.fhir.mapping_codes import Concept, concept_of
from connectors.fhir.mapping_facts import Facts
from connectors.fhir.mapping_fields import Json, checked_status, element, elements, is_denied, string
from connectors.fhir.mapping_references import patient_of
from connectors.fhir.mapping_times import Moment, happened, moment, no_time, period_start
from prognosis.errors import MappingError
from prognosis.record import Code, Event

ALLERGY = "allergy"
FAMILY_HISTORY = "family-history"
CARE_PLAN = "care-plan"

_NO_BLOOD_RELATIVES = """
    ADOPTF ADOPTM ADOPTP CHLDADOPT DAUADOPT SONADOPT CHLDFOST DAUFOST SONFOST FTHFOST MTHFOST PRNFOST
    STPCHLD STPDAU STPSON STPFTH STPMTH STPPRN STPBRO STPSIS STPSIB CHLDINLAW DAUINLAW SONINLAW
    FTHINLAW MTHINLAW PRNINLAW SIBINLAW BROINLAW SISINLAW DOMPART SPS HUSB WIFE SIGOTHR FRND NBOR ROOM
    ONESELF
"""
NO_BLOOD_RELATIVES = frozenset(_NO_BLOOD_RELATIVES.split())
"""v3-RoleCode relationships that share no descent with the patient, and the patient ("ONESELF")."""


def statement_to_facts(resource: Json, source: str, medications: Mapping[str, Json]) -> Facts:
    """Read a MedicationStatement as an event dated when it was asserted; a drug not taken states nothing.

    FHIR R4, MedicationStatement: `dateAsserted`; `status` intended and not-taken say that it was not used.

    Args:
        resource: One MedicationStatement.
        source: How it is cited.
        medications: Codes of Medication resources, by "Medication/x".

    Raises:
        MappingError: There is no medication code, time or patient.
    """
    patient = patient_of(resource, source)
    stated = frozenset({"active", "completed", "stopped", "on-hold", "unknown"})
    silent = frozenset({"entered-in-error", "intended", "not-taken"})
    if not checked_status(resource, source, stated=stated, silent=silent):
        return Facts(patient, notices=("MedicationStatement not taken, or entered in error: no fact",))
    concept = medication_of(resource, source, medications)
    taken = happened(resource, "effective", source)
    known, notices = _known(resource, "dateAsserted", taken, source, "effective")
    event = Event(known, concept.code, source=source, display=concept.display)
    return Facts(patient, (event,), happened=taken.first if taken else None, notices=notices)


def immunization_to_facts(resource: Json, source: str) -> Facts:
    """Read an Immunization as an event dated when it was recorded; one that was not done states nothing.

    FHIR R4, Immunization: `recorded` is when it was first captured in the subject's record, `occurrence`
    when it was given, which may be words ("in childhood") that date nothing.

    Raises:
        MappingError: There is no vaccine code, time or patient.
    """
    patient = patient_of(resource, source)
    silent = frozenset({"not-done", "entered-in-error"})
    if not checked_status(resource, source, stated=frozenset({"completed"}), silent=silent):
        return Facts(patient, notices=("Immunization not done or entered in error: no fact",))
    concept = concept_of(element(resource, "vaccineCode", source), source, "vaccineCode")
    given = happened(resource, "occurrence", source)
    known, notices = _known(resource, "recorded", given, source, "occurrence")
    event = Event(known, concept.code, source=source, display=concept.display)
    return Facts(patient, (event,), happened=given.first if given else None, notices=notices)


def allergy_to_facts(resource: Json, source: str) -> Facts:
    """Read an AllergyIntolerance as an event "allergy|system|value" dated when it was recorded.

    FHIR R4, AllergyIntolerance: `code` is often the substance or drug itself, and may also say that there is
    no known allergy; under the kind "allergy" both keep their meaning.

    Raises:
        MappingError: There is no coding, time or patient, or R4 knows no such verificationStatus.
    """
    patient = patient_of(resource, source)
    if is_denied(resource, source):
        return Facts(patient, notices=("AllergyIntolerance refuted or entered in error: no fact",))
    concept = concept_of(element(resource, "code", source), source)
    onset = happened(resource, "onset", source)
    fallback = "onset" if onset is not None else "lastOccurrence"
    began = onset or moment(resource, "lastOccurrence", source)
    known, notices = _known(resource, "recordedDate", began, source, fallback)
    return Facts(patient, (_of_kind(ALLERGY, "Allergy", known, concept, source),), notices=notices)


def family_history_to_facts(resource: Json, source: str) -> Facts:
    """Read a FamilyMemberHistory as an event "family-history|system|value" for each condition of a relative.

    They are dated by `date`, when the history was recorded or last updated (FHIR R4, FamilyMemberHistory).
    The patient's own record gains no condition and no death by it, and someone who shares no descent with
    the patient (a spouse, an adoptive parent) gives no fact. Which relative it was is not kept.

    Raises:
        MappingError: There is no date, patient, relationship or status, or a condition has no coding.
    """
    patient = patient_of(resource, source)
    stated, silent = frozenset({"partial", "completed"}), frozenset({"entered-in-error", "health-unknown"})
    if not checked_status(resource, source, stated=stated, silent=silent):
        return Facts(patient, notices=("FamilyMemberHistory unknown or entered in error: no fact",))
    relationship = element(resource, "relationship", source)
    if relationship is None:
        raise MappingError(source, "has no relationship", "send relationship, e.g. v3-RoleCode FTH")
    relation = {string(coding, "code", source) for coding in elements(relationship, "coding", source)}
    if relation & NO_BLOOD_RELATIVES:
        return Facts(patient, notices=("FamilyMemberHistory of no blood relative: no fact",))
    conditions = elements(resource, "condition", source)
    if not conditions:
        return Facts(patient, notices=("FamilyMemberHistory without a condition: no fact",))
    recorded = moment(resource, "date", source)
    if recorded is None:
        raise no_time(source, "date")
    concepts = [concept_of(element(each, "code", source), source, "condition.code") for each in conditions]
    events = [_of_kind(FAMILY_HISTORY, "Family history", recorded.last, each, source) for each in concepts]
    return Facts(patient, tuple(dict.fromkeys(events)))


def care_plan_to_facts(resource: Json, source: str) -> Facts:
    """Read a CarePlan as an event "care-plan|system|value" for each category, dated when it was created.

    Activities are not read: FHIR R4 (CarePlan.activity) does not say when one was added to the plan, so that
    a later turn of care could be dated before it was known.

    Raises:
        MappingError: There is no time, patient, status or intent, or a category has no coding.
    """
    patient = patient_of(resource, source)
    stated = frozenset({"active", "on-hold", "completed", "unknown"})
    silent = frozenset({"draft", "revoked", "entered-in-error"})
    in_force = checked_status(resource, source, stated=stated, silent=silent)
    meant = frozenset({"plan", "order"}), frozenset({"proposal", "option"})
    intended = checked_status(resource, source, stated=meant[0], silent=meant[1], key="intent")
    if not in_force or not intended:
        return Facts(patient, notices=("CarePlan not in force (status, intent): no fact",))
    categories = elements(resource, "category", source)
    if not categories:
        return Facts(patient, notices=("CarePlan without a category: no fact",))
    created = moment(resource, "created", source)
    known = created or period_start(resource, "period", source)
    if known is None:
        raise no_time(source, "created, or at least period.start")
    notices = [] if created else ["CarePlan.period used for created"]
    if elements(resource, "activity", source):
        notices.append("CarePlan.activity is not read: when it was added is not stated")
    concepts = [concept_of(category, source, "category") for category in categories]
    events = [_of_kind(CARE_PLAN, "Care plan", known.last, each, source) for each in concepts]
    return Facts(patient, tuple(dict.fromkeys(events)), notices=tuple(notices))


def _of_kind(kind: str, words: str, known: datetime, concept: Concept, source: str) -> Event:
    """An event whose code says before the code system what it is a code of."""
    display = f"{words}: {concept.display}" if concept.display else ""
    code = Code(f"{kind}|{concept.code.system}", concept.code.value)
    return Event(known, code, source=source, display=display)


def _known(
    resource: Json, key: str, occurred: Moment | None, source: str, fallback: str
) -> tuple[datetime, tuple[str, ...]]:
    """When a fact was written down, else when it took place, and what to notice of that.

    Raises:
        MappingError: It has neither time.
    """
    kind = source.partition("/")[0]
    written = moment(resource, key, source)
    if written is None:
        if occurred is None:
            raise no_time(source, f"{key}, or at least {fallback}")
        return occurred.last, (f"{kind}.{fallback} used for {key}",)
    if occurred is not None and written.last < occurred.first:
        return occurred.last, (f"{kind}.{key} is before its {fallback}: the later time is used",)
    return written.last, ()
