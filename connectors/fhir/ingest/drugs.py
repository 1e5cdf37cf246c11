"""Drugs that are named by a reference to a Medication."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from connectors.fhir.mapping_clinical import CONTRADICTED, two_drugs
from connectors.fhir.mapping_codes import concept_of
from connectors.fhir.mapping_fields import Json, element
from prognosis.errors import MappingError


def is_named(resource: Json) -> bool:
    """Whether the reference to a Medication is a text at all."""
    named = resource["medicationReference"].get("reference")
    return isinstance(named, str) and bool(named.strip())


def in_agreement(contents: Sequence[str]) -> bool:
    """Whether Medications of one id have one code."""
    first, *others = (json.loads(content).get("code") for content in contents)
    return all(other == first for other in others)


def drug_row(named: str, content: str | None) -> dict[str, Any]:
    """The code of a Medication, or the mapping's reason why facts that name it are set aside."""
    empty: dict[str, Any] = {
        "source": named,
        "system": "",
        "value": "",
        "display": "",
        "problem": "",
        "remedy": "",
    }
    try:
        if content is None:
            raise MappingError(  # noqa: TRY301 - the mapping's own words
                named, "its Medication is not in the source", "export Medication resources too"
            )
        medication: Json = json.loads(content)
        if medication == CONTRADICTED:
            raise two_drugs(named)
        concept = concept_of(element(medication, "code", named), named, "medication")
    except MappingError as error:
        return {**empty, "system": None, "problem": error.problem, "remedy": error.remedy}
    code = {"system": concept.code.system, "value": concept.code.value, "display": concept.display}
    return {**empty, **code, "problem": None, "remedy": None}
