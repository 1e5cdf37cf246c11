"""The elements that SQL declares of each resource type, and whether a resource has them as declared."""

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
"""By resource type; a type that is not here is read by the mapping alone."""

_SCALARS: Mapping[str, tuple[type, ...]] = {
    "VARCHAR": (str,),
    "DOUBLE": (int, float),
    "BOOLEAN": (bool,),
}


def sql_type(declared: Declared) -> str:
    """What `read_json` is told of an element."""
    if isinstance(declared, str):
        return declared
    if isinstance(declared, list):
        return f"{sql_type(declared[0])}[]"
    fields = ", ".join(f'"{key}" {sql_type(inner)}' for key, inner in declared.items())
    return f"STRUCT({fields})"


def as_declared(resource: Mapping[str, Any], kind: str) -> bool:
    """Whether SQL, which sees the declared elements alone, sees all of a resource that the mapping looks at.

    Args:
        resource: One resource.
        kind: Its type, one of `COLUMNS`.
    """
    if not _is(resource, COLUMNS[kind]):
        return False
    if kind != "Observation":
        return True
    return all(_values_are_known(node) for node in (resource, *resource.get("component", ())))


def _values_are_known(node: Mapping[str, Any]) -> bool:
    return all(key in VALUED for key in node if key.startswith("value"))


def _is(node: object, declared: Declared) -> bool:
    if isinstance(declared, str):
        if declared == "JSON":
            return True
        return isinstance(node, _SCALARS[declared]) and (declared == "BOOLEAN") == isinstance(node, bool)
    if isinstance(declared, list):
        return isinstance(node, list) and all(_is(item, declared[0]) for item in node)
    if not isinstance(node, dict):
        return False
    alike = {key.lower() for key in declared}
    if any(key.lower() in alike and key not in declared for key in node):
        return False  # SQL would take "ID" for "id"
    return all(_is(node[key], inner) for key, inner in declared.items() if key in node)
