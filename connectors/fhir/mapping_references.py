"""Whom and what a resource refers to."""

from __future__ import annotations

import re

from connectors.fhir.mapping_fields import Json, element, string
from prognosis.errors import MappingError

_TARGET = re.compile(
    r"(?:https?://[^\s?#]+/)?(?P<kind>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9\-.]{1,64})"
    r"(?:/_history/[A-Za-z0-9\-.]+)?\Z"
)


def target_of(node: Json, reference: str) -> str | None:
    """The "Patient/x" that a Reference points at, or None when it has no literal reference.

    Absolute URLs and versioned references lose what precedes and follows type and id. References that
    cannot be resolved within a folder (contained, conditional, urn) are returned as they are.
    """
    text = string(node, "reference", reference)
    if text is None:
        return None
    match = _TARGET.match(text)
    return f"{match['kind']}/{match['id']}" if match else text


def is_elsewhere(node: Json, base: str) -> bool:
    """Whether a Reference names a resource of another server than the one at `base`, which ends in "/"."""
    text = node.get("reference")
    return isinstance(text, str) and text.startswith(("http://", "https://")) and not text.startswith(base)


def linked_patient(link: Json, reference: str) -> str | None:
    """The Patient that a Patient.link names; one by its address as it stands, since it may be elsewhere.

    Another server gives its own ids: its Patient/7 is another person than the Patient/7 beside this one.
    """
    other = element(link, "other", reference)
    text = None if other is None else string(other, "reference", reference)
    if other is None or text is None or text.startswith(("http://", "https://")):
        return text
    return target_of(other, reference)


def with_own_links(patient: Json, base: str) -> Json:
    """The Patient with links to others of the server at `base` (which ends in "/") named without it."""
    links = patient.get("link")
    if not isinstance(links, list) or base not in str(links):
        return patient
    return {**patient, "link": [_without(link, base) for link in links]}


def _without(link: object, base: str) -> object:
    other = link.get("other") if isinstance(link, dict) else None
    text = other.get("reference") if isinstance(other, dict) else None
    if not isinstance(link, dict) or not isinstance(other, dict) or not isinstance(text, str):
        return link
    return {**link, "other": {**other, "reference": text.removeprefix(base)}}


_NAMED_PATIENT = frozenset({"AllergyIntolerance", "FamilyMemberHistory", "Immunization"})


def patient_key(kind: str) -> str:
    """The element in which a type of resource names its patient."""
    return "patient" if kind in _NAMED_PATIENT else "subject"


def patient_of(resource: Json, reference: str) -> str:
    """The patient a resource is about.

    Raises:
        MappingError: No patient is named, or the subject is a Group, Device or Location.
    """
    key = patient_key(str(resource.get("resourceType")))
    node = element(resource, key, reference)
    target = target_of(node, reference) if node is not None else None
    if target is None:
        raise MappingError(reference, f"{key} names no patient", f"send {key}.reference as Patient/<id>")
    if not target.startswith(("Patient/", "urn:")):
        raise MappingError(
            reference, f"{key} is not a Patient in this folder", "send resources about patients"
        )
    return target
