"""Elements of FHIR R4 resources, as an export writes them."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

from connectors.fhir.mapping_codes import UCUM, own_coding
from connectors.fhir.mapping_fields import DATA_ABSENT_REASON
from connectors.fhir.mapping_observation import TEXT_BESIDE_NUMBER
from prognosis.errors import MappingError
from prognosis.record import Code, Event

Resource = dict[str, Any]

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s\"<>\\^`{|}]+\Z", re.ASCII)
_CODE = re.compile(r"[^\s]+( [^\s]+)*\Z")


def instant(time: datetime) -> str:
    """An aware datetime as a FHIR instant in UTC, to the microsecond."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def absent(reason: str = "unknown") -> Resource:
    """An element that says why it has no content (FHIR R4 data-absent-reason)."""
    return {"extension": [{"url": DATA_ABSENT_REASON, "valueCode": reason}]}


def coding(code: Code, display: str = "") -> Resource:
    """A Coding; a system that is no absolute URI, or a value that is no FHIR code, is carried quoted.

    Raises:
        MappingError: The code has no value.
    """
    system, value = code.system, code.value
    if not value:
        reference = f"code of system {system!r}"
        raise MappingError(reference, "has no value", "give every event a code")
    if (system and not _URI.match(system)) or not _CODE.match(value) or system.startswith("urn:prognosis:"):
        system, value = own_coding(code)
    written: Resource = {"system": system} if system else {}
    written["code"] = value
    if display.strip():
        written["display"] = display
    return written


def concept(code: Code, display: str = "") -> Resource:
    """A CodeableConcept of one coding."""
    return {"coding": [coding(code, display)]}


def labelled(text: str) -> Resource:
    """A CodeableConcept of words only, or one that says that there are none."""
    return {"text": text} if text.strip() else absent()


def quantity(event: Event) -> Resource:
    """An event's number with comparator and UCUM unit; a number without a unit says that it has none.

    Raises:
        MappingError: The number is not finite, or the unit holds white space.
    """
    reference = event.source or str(event.code)
    if event.number is None or not math.isfinite(event.number):
        raise MappingError(reference, "its number is not finite", "state an assay's limit with a comparator")
    written: Resource = {"value": float(event.number)}
    if event.comparator is not None:
        written["comparator"] = event.comparator
    if not event.unit:
        return {**written, "_unit": absent("not-applicable")}
    if re.search(r"\s", event.unit):
        raise MappingError(reference, "its unit is not a UCUM code", "convert the unit to UCUM")
    return {**written, "unit": event.unit, "system": UCUM, "code": event.unit}


def observed(event: Event) -> Resource:
    """Code and value of an Observation or of one of its components."""
    written: Resource = {"code": concept(event.code, event.display)}
    if event.number is not None:
        written["valueQuantity"] = quantity(event)
        if event.text is not None:
            written = {"extension": [{"url": TEXT_BESIDE_NUMBER, "valueString": event.text}], **written}
    elif event.text is not None:
        if not event.text.strip():
            raise MappingError(event.source or str(event.code), "its text is blank", "leave the text out")
        written["valueString"] = event.text
    return written
