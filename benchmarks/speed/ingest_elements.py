"""The elements of each resource type that facts are made of, as DuckDB's `read_json` declares them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Declared = str | list[Any] | Mapping[str, Any]
"""A JSON type ("VARCHAR", "DOUBLE", "BOOLEAN", or "JSON" for any), [element] or {key: element}."""

CODINGS: Declared = [{"system": "VARCHAR", "code": "VARCHAR", "display": "VARCHAR"}]
CONCEPT: Declared = {"coding": CODINGS, "text": "VARCHAR"}
PERIOD: Declared = {"start": "VARCHAR", "end": "VARCHAR"}
QUANTITY: Declared = {
    "value": "DOUBLE",
    "comparator": "VARCHAR",
    "unit": "VARCHAR",
    "system": "VARCHAR",
    "code": "VARCHAR",
}
_RESOURCE: Mapping[str, Declared] = {"resourceType": "VARCHAR", "id": "VARCHAR"}
_SUBJECT: Mapping[str, Declared] = {
    **_RESOURCE,
    "identifier": [{"system": "VARCHAR"}],
    "subject": {"reference": "VARCHAR"},
}
_ABOUT_A_PATIENT: Mapping[str, Declared] = {**_SUBJECT, "status": "VARCHAR"}
VALUED: Mapping[str, Declared] = {
    "code": CONCEPT,
    "valueQuantity": QUANTITY,
    "valueCodeableConcept": CONCEPT,
    "valueString": "VARCHAR",
    "valueBoolean": "BOOLEAN",
    "valueInteger": "DOUBLE",
    "valueDateTime": "VARCHAR",
    "valueTime": "VARCHAR",
    "valueRange": "JSON",
    "valueRatio": "JSON",
    "valueSampledData": "JSON",
    "valuePeriod": "JSON",
    "dataAbsentReason": "JSON",
    "extension": "JSON",
}
"""An Observation, or a component of one: what carries a value."""


def _when(stem: str) -> Mapping[str, Declared]:
    return {f"{stem}DateTime": "VARCHAR", f"{stem}Instant": "VARCHAR", f"{stem}Period": PERIOD}


_DRUG: Mapping[str, Declared] = {
    "medicationReference": {"reference": "VARCHAR"},
    "medicationCodeableConcept": CONCEPT,
}

COLUMNS: Mapping[str, Mapping[str, Declared]] = {
    "Observation": {
        **_ABOUT_A_PATIENT,
        **VALUED,
        **_when("effective"),
        "issued": "VARCHAR",
        "hasMember": "JSON",
        "component": [VALUED],
    },
    "Condition": {
        **_SUBJECT,
        "verificationStatus": CONCEPT,
        "code": CONCEPT,
        "recordedDate": "VARCHAR",
        **_when("onset"),
    },
    "Encounter": {
        **_ABOUT_A_PATIENT,
        "class": {"code": "VARCHAR", "display": "VARCHAR"},
        "type": [{"coding": CODINGS}],
        "period": PERIOD,
        "extension": "JSON",
    },
    "Procedure": {**_ABOUT_A_PATIENT, "code": CONCEPT, **_when("performed")},
    "MedicationRequest": {
        **_ABOUT_A_PATIENT,
        **_DRUG,
        "intent": "VARCHAR",
        "doNotPerform": "BOOLEAN",
        "authoredOn": "VARCHAR",
    },
    "MedicationAdministration": {
        **_ABOUT_A_PATIENT,
        **_DRUG,
        **_when("effective"),
        "dosage": {"dose": QUANTITY},
    },
    "Patient": {
        **_RESOURCE,
        "gender": "VARCHAR",
        "birthDate": "VARCHAR",
        "deceasedDateTime": "VARCHAR",
        "deceasedBoolean": "BOOLEAN",
        "managingOrganization": {"reference": "VARCHAR", "display": "VARCHAR"},
        "identifier": [{"system": "VARCHAR", "value": "VARCHAR"}],
        "link": "JSON",
    },
}
"""By resource type."""


def sql_type(declared: Declared) -> str:
    """What `read_json` is told of an element."""
    if isinstance(declared, str):
        return declared
    if isinstance(declared, list):
        return f"{sql_type(declared[0])}[]"
    fields = ", ".join(f'"{key}" {sql_type(inner)}' for key, inner in declared.items())
    return f"STRUCT({fields})"
