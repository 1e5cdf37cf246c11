"""The plan of each resource type that SQL reads."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.fhir.ingest.plan import Plan
from connectors.fhir.ingest.plan_clinical import (
    administration_plan,
    condition_plan,
    encounter_plan,
    medication_request_plan,
    procedure_plan,
)
from connectors.fhir.ingest.plan_observation import observation_plan
from connectors.fhir.ingest.plan_patient import patient_plan

PLANS: Mapping[str, Plan] = {
    "Observation": observation_plan(),
    "Condition": condition_plan(),
    "Encounter": encounter_plan(),
    "Procedure": procedure_plan(),
    "MedicationRequest": medication_request_plan(),
    "MedicationAdministration": administration_plan(),
    "Patient": patient_plan(),
}
"""By resource type, the types of `COLUMNS`."""
