"""Any FHIR R4 resource as the facts it states: pure functions from parsed JSON, no reading or writing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connectors.fhir.mapping_clinical import (
    administration_to_facts,
    condition_to_facts,
    encounter_to_facts,
    medication_request_to_facts,
    procedure_to_facts,
)
from connectors.fhir.mapping_documents import document_to_facts, imaging_study_to_facts, report_to_facts
from connectors.fhir.mapping_facts import Facts
from connectors.fhir.mapping_fields import Json
from connectors.fhir.mapping_history import (
    allergy_to_facts,
    care_plan_to_facts,
    family_history_to_facts,
    immunization_to_facts,
    statement_to_facts,
)
from connectors.fhir.mapping_observation import observation_to_facts
from connectors.fhir.mapping_references import patient_of

ANSWER = "urn:prognosis:answer"
"""Identifier system of what prognosis itself writes back. An answer read as evidence would answer itself."""

_MAPPINGS: Mapping[str, Callable[[Json, str], Facts]] = {
    "Observation": observation_to_facts,
    "Condition": condition_to_facts,
    "Encounter": encounter_to_facts,
    "Procedure": procedure_to_facts,
    "DocumentReference": document_to_facts,
    "DiagnosticReport": report_to_facts,
    "ImagingStudy": imaging_study_to_facts,
    "Immunization": immunization_to_facts,
    "AllergyIntolerance": allergy_to_facts,
    "FamilyMemberHistory": family_history_to_facts,
    "CarePlan": care_plan_to_facts,
}
_MEDICATION_MAPPINGS: Mapping[str, Callable[[Json, str, Mapping[str, Json]], Facts]] = {
    "MedicationRequest": medication_request_to_facts,
    "MedicationAdministration": administration_to_facts,
    "MedicationStatement": statement_to_facts,
}

PATIENT_FACTS = (*_MAPPINGS, *_MEDICATION_MAPPINGS)
"""The types of resource that facts about a patient are read from; R4 searches each of them by `patient`."""


def resource_to_facts(resource: Json, source: str, medications: Mapping[str, Json]) -> Facts | None:
    """Read one resource about a patient.

    Args:
        resource: A resource as parsed JSON.
        source: How it is cited, "Observation/cr-1".
        medications: Medication resources by "Medication/x", for those that name their drug by reference.

    Returns:
        Its facts, possibly none; None when this type of resource is not read.

    Raises:
        MappingError: The resource is of a type that is read, and cannot be.
    """
    kind = source.partition("/")[0]
    if kind in PATIENT_FACTS and is_answer(resource):
        return Facts(patient_of(resource, source), notices=(f"{kind}: an answer of prognosis: no fact",))
    if kind in _MEDICATION_MAPPINGS:
        return _MEDICATION_MAPPINGS[kind](resource, source, medications)
    mapping = _MAPPINGS.get(kind)
    return mapping(resource, source) if mapping is not None else None


def is_answer(resource: Json) -> bool:
    """Whether a resource states an answer that prognosis wrote."""
    identifiers = resource.get("identifier")
    return isinstance(identifiers, list) and any(
        isinstance(each, dict) and each.get("system") == ANSWER for each in identifiers
    )
