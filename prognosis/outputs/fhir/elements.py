"""Elements of FHIR R4 resources that state an answer, and the check that every resource passes."""

from __future__ import annotations

import json
from typing import Any

from prognosis.errors import MappingError
from prognosis.outputs.fhir.identity import ANSWER

Resource = dict[str, Any]

UCUM = "http://unitsofmeasure.org"
TERMS = "urn:prognosis:term"
"""Code system of our own words: "base", "contribution", "rest"."""

INTERVAL = "urn:prognosis:interval"
"""Extension of RiskAssessment.prediction: R4 gives it a probability or a range, never both."""

SOURCE = "urn:prognosis:source"
"""Extension of Observation.component: the resource that a contribution rests on."""

AI_ASSERTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "AIAST",
    "display": "Artificial Intelligence asserted",
}
"""The label by which readers know what a machine said (AI Transparency on FHIR, meta.security)."""

UNREVIEWED = (
    "Made by an AI model without review by a person. Research software: not a medical device, and not "
    "validated for any use in care."
)


def started(kind: str, identity: str, value: str, system: str = ANSWER) -> Resource:
    """The start of a resource of ours: type, id, label and identifier."""
    return {
        "resourceType": kind,
        "id": identity,
        "meta": {"security": [dict(AI_ASSERTED)]},
        "identifier": [{"system": system, "value": value}],
    }


def reference(target: str, display: str = "") -> Resource:
    """A Reference to a resource on the server."""
    return {"reference": target, "display": display} if display else {"reference": target}


def coding(system: str, code: str, display: str = "") -> Resource:
    """A Coding."""
    written = {"system": system, "code": code}
    return {**written, "display": display} if display else written


def words(text: str, *codings: Resource) -> Resource:
    """A CodeableConcept of a text, with codings where there are any."""
    return {"coding": list(codings), "text": text} if codings else {"text": text}


def number(value: float) -> float:
    """A number as it is stated: to twelve decimals, without a negative zero."""
    return round(float(value), 12) + 0.0


def interval(level: float, low: Resource, high: Resource) -> Resource:
    """The extension that holds an interval: its level from 0 to 1, stated in percent, and its ends."""
    return {
        "url": INTERVAL,
        "extension": [
            {"url": "level", "valueDecimal": number(100 * level)},
            {"url": "range", "valueRange": {"low": low, "high": high}},
        ],
    }


def quantity(value: float, code: str, unit: str = "") -> Resource:
    """A Quantity in UCUM."""
    return {"value": number(value), "unit": unit or code, "system": UCUM, "code": code}


def checked(resource: Resource) -> Resource:
    """The resource itself, once FHIR R4 (4.3) as `fhir.resources` knows it takes it.

    Raises:
        MappingError: It is not valid FHIR, or holds a number that is not finite.
    """
    from fhir.resources.R4B import get_fhir_model_class
    from pydantic import ValidationError

    name = f"{resource['resourceType']}/{resource['id']}"
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate_json(
            json.dumps(resource, allow_nan=False)
        )
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise MappingError(name, f"cannot be said in FHIR R4 at {place}", "report this fault") from error
    except ValueError as error:
        problem = "holds a number that is not finite"
        raise MappingError(name, problem, "train the model again") from error
    return resource
