"""Codes, quantities and coded values of FHIR R4."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import cast, get_args
from urllib.parse import quote, unquote

from connectors.fhir.mapping_fields import (
    DATA_ABSENT_REASON,
    Json,
    element,
    elements,
    extension_string,
    string,
)
from prognosis.errors import MappingError
from prognosis.record import Code
from prognosis.record.patient import Comparator
from prognosis.record.units.spelling import spelled

UCUM = "http://unitsofmeasure.org"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ROLE_CODE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
OWN_CODE = "urn:prognosis:code:"
PREFERRED = (LOINC, SNOMED, RXNORM, "http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-10")
"""Of several codings, the one whose system comes first here is read; else the first coding."""

_COMMON_UCUM_CODES = """
    % /uL 10*3/uL 10*6/uL 10*9/L 10*12/L U/L IU/L m[IU]/L u[IU]/mL [IU]/L [IU]/mL [iU]/L [iU]/mL k[IU]/L
    ug/L ng/mL ng/L ng/dL pg/mL pg mg/dL mg/L mg/mL g/dL g/L ug/dL ug/mL ug mg g kg fL mL L dL mL/min
    mL/min/{1.73_m2} mL/h mmol/L umol/L nmol/L pmol/L mol/L mmol/mol meq/L mmol mm[Hg] kPa cm[H2O] cm mm m
    Cel [degF] K /min {beats}/min {breaths}/min min h d wk mo a s ms kg/m2 m2 mm/h 1 {score} {ratio}
    mosm/kg mg/g mg/kg ug/kg mg/d mg/h ug/min ug/kg/min [lb_av] [in_i] /[HPF] /[LPF] L/min [ppm] {index}
    {INR} [pH] m[IU]/mL
"""
COMMON_UCUM = frozenset(_COMMON_UCUM_CODES.split())
"""UCUM codes that are recognised where a sender left out the system."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its comparator and UCUM unit; `unit` is None only where the sender says it has none."""

    number: float
    comparator: Comparator | None
    unit: str | None


@dataclass(frozen=True, slots=True)
class Concept:
    """A code and the name that the sender gave it."""

    code: Code
    display: str


def own_coding(code: Code) -> tuple[str, str]:
    """System and code that carry a code whose system is no URI, or whose value is no FHIR code."""
    return OWN_CODE + quote(code.system, safe=""), quote(code.value, safe="")


def _concept(coding: Json, reference: str) -> Concept | None:
    value = string(coding, "code", reference)
    if value is None:
        return None
    system, display = string(coding, "system", reference), string(coding, "display", reference)
    return _shared_concept(system or "", value, display or "")


@lru_cache(maxsize=65536)
def _shared_concept(system: str, value: str, display: str) -> Concept:
    """One object for each concept, however many facts are filed under it."""
    if system.startswith(OWN_CODE):
        system, value = unquote(system.removeprefix(OWN_CODE)), unquote(value)
    return Concept(Code(system, value), display)


def concept_of(concept: Json | None, reference: str, name: str = "code") -> Concept:
    """The coding of a CodeableConcept that facts are filed under (see PREFERRED).

    Raises:
        MappingError: The concept is absent or has no coding; free text is not a code.
    """
    codings = elements(concept, "coding", reference) if concept is not None else ()
    found = [item for item in (_concept(coding, reference) for coding in codings) if item is not None]
    if not found:
        raise MappingError(
            reference, f"{name} has no coding", "code it, e.g. with LOINC, SNOMED CT or RxNorm"
        )
    if len(found) == 1:
        return found[0]
    rank = {system: position for position, system in enumerate(PREFERRED)}
    return min(found, key=lambda item: rank.get(item.code.system, len(PREFERRED)))


def label_of(concept: Json | None, reference: str) -> str:
    """A concept in words: a coding's display, else its text, else a code; "" when it has none."""
    if concept is None:
        return ""
    codings = elements(concept, "coding", reference)
    displays = [string(coding, "display", reference) for coding in codings]
    codes = [string(coding, "code", reference) for coding in codings]
    stated = [*displays, string(concept, "text", reference), *codes]
    return next((text for text in stated if text), "")


def number_of(node: Json, key: str, reference: str) -> float | None:
    """The finite number at `key`, or None when it is absent.

    Raises:
        MappingError: It is a string, a boolean, or too large for a float.
    """
    value = node.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise MappingError(reference, f"{key} is not a JSON number", "send the number without quotes")
    try:
        number = float(value)
    except OverflowError as error:
        raise MappingError(reference, f"{key} is too large", "send a number below 1e308") from error
    if not math.isfinite(number):
        raise MappingError(reference, f"{key} is not finite", "state an assay's limit with a comparator")
    return number


def quantity_of(node: Json, reference: str) -> Quantity:
    """Read a Quantity, in the unit the sender used; nothing is converted.

    A unit without a UCUM system is read where it is a common UCUM code, or a spelling that the table of
    spellings has ("K/uL", "mg/dl"), which is then written as UCUM writes it.

    Raises:
        MappingError: The value is missing or no number, the comparator is unknown, there is no unit,
            or the unit has no UCUM system and is neither a UCUM code nor a spelling known here.
    """
    number = number_of(node, "value", reference)
    if number is None:
        raise MappingError(reference, "a Quantity has no value", "send a value, or a dataAbsentReason")
    comparator = string(node, "comparator", reference)
    if comparator is not None and comparator not in get_args(Comparator):
        raise MappingError(reference, "a Quantity has an unknown comparator", "use <, <=, >= or >")
    return Quantity(number, cast("Comparator | None", comparator), _unit(node, reference))


def _unit(node: Json, reference: str) -> str | None:
    code = string(node, "code", reference)
    if code is not None and node.get("system") == UCUM:
        return code
    unit = string(node, "unit", reference)
    for text in (code, unit):
        if text in COMMON_UCUM:
            return text
    for text in (code, unit):
        if text is not None and spelled(text) in COMMON_UCUM:
            return spelled(text)
    if code is None and unit is None:
        stated_absent = element(node, "_unit", reference)
        if stated_absent is not None and extension_string(stated_absent, DATA_ABSENT_REASON, reference):
            return None
        raise MappingError(
            reference, "a Quantity has no unit", f"send system {UCUM} and a UCUM code; 1 if it has none"
        )
    raise MappingError(reference, "a Quantity's unit is not UCUM", f"send system {UCUM} and a UCUM code")
