"""Typed access to a resource's elements: a wrong JSON type is a MappingError and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from prognosis.errors import MappingError

Json = Mapping[str, Any]

_TYPE_NAME = re.compile(r"[A-Za-z]{1,40}\Z")
FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}\Z")
DATA_ABSENT_REASON = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


def string(node: Json, key: str, reference: str) -> str | None:
    """The string at `key`, or None when the element is absent.

    Raises:
        MappingError: The element is something other than a non-empty string.
    """
    value = node.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value or value.isspace():
        raise MappingError(reference, f"{key} is not a string with content", "send a string or leave it out")
    return value


def element(node: Json, key: str, reference: str) -> Json | None:
    """The complex element at `key`, or None when it is absent.

    Raises:
        MappingError: The element is not a JSON object.
    """
    value = node.get(key)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise MappingError(reference, f"{key} is not a JSON object", f"send {key} as FHIR R4 defines it")
    return value


def elements(node: Json, key: str, reference: str) -> Sequence[Json]:
    """The repeating element at `key`; empty when it is absent.

    Raises:
        MappingError: The element is not a JSON array of objects.
    """
    value = node.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise MappingError(
            reference, f"{key} is not an array of objects", f"send {key} as FHIR R4 defines it"
        )
    return value


def flag(node: Json, key: str, reference: str) -> bool | None:
    """The boolean at `key`, or None when it is absent; the string "true" is not a boolean.

    Raises:
        MappingError: The element is not a JSON boolean.
    """
    value = node.get(key)
    if value is None or isinstance(value, bool):
        return value
    raise MappingError(reference, f"{key} is not a JSON boolean", "send true or false without quotes")


def extension_string(node: Json, url: str, reference: str) -> str | None:
    """The valueString or valueCode of the extension `url`, or None when the element does not carry it."""
    if "extension" not in node:
        return None
    for extension in elements(node, "extension", reference):
        if extension.get("url") == url:
            return string(extension, "valueString", reference) or string(extension, "valueCode", reference)
    return None


def source_of(resource: Json, where: str) -> str:
    """How facts cite a resource: "Observation/cr-1".

    Args:
        resource: One resource, as parsed JSON.
        where: File and line, used in the error when the resource cannot name itself.

    Raises:
        MappingError: resourceType or id is absent or malformed.
    """
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or not _TYPE_NAME.match(kind):
        raise MappingError(where, "has no resourceType", "send one FHIR R4 resource")
    identity = resource.get("id")
    reference = f"{kind} at {where}"
    if identity is None:
        raise MappingError(reference, "has no id", "give every resource an id, so that it can be cited")
    if not isinstance(identity, str) or not FHIR_ID.match(identity):
        raise MappingError(reference, "its id is not a FHIR id", "use 1 to 64 of A-Z a-z 0-9 - .")
    return f"{kind}/{identity}"


def checked_status(
    resource: Json, reference: str, *, stated: frozenset[str], silent: frozenset[str], key: str = "status"
) -> bool:
    """Whether the resource's status lets it assert a fact.

    A status that is missing or unknown is refused: it could be entered-in-error.

    Args:
        resource: One resource.
        reference: The resource, for errors.
        stated: Statuses that assert a fact.
        silent: Statuses that assert nothing (entered-in-error, cancelled).
        key: The element that holds the status.

    Raises:
        MappingError: The status is missing or none of the two sets.
    """
    status = string(resource, key, reference)
    if status in stated:
        return True
    if status in silent:
        return False
    problem = f"has no {key}" if status is None else f"its {key} is not one that FHIR R4 defines"
    raise MappingError(reference, problem, f"send {key} as one of {', '.join(sorted(stated | silent))}")


_VERIFIED = frozenset({"unconfirmed", "provisional", "differential", "confirmed"})
_DENIED = frozenset({"refuted", "entered-in-error"})


def is_denied(resource: Json, reference: str) -> bool:
    """Whether a Condition or AllergyIntolerance is refuted or entered in error (`verificationStatus`).

    Raises:
        MappingError: Its status is none that R4 defines: it could be either.
    """
    stated = element(resource, "verificationStatus", reference)
    if stated is None:
        return False
    codes = {string(coding, "code", reference) for coding in elements(stated, "coding", reference)}
    if not codes & (_VERIFIED | _DENIED):
        problem = "its verificationStatus is not one that FHIR R4 defines"
        remedy = f"send a code of {', '.join(sorted(_VERIFIED | _DENIED))}"
        raise MappingError(reference, problem, remedy)
    return bool(codes & _DENIED)
