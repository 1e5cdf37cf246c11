"""Endpoint, and the Endpoints that an ImagingStudy names: where the record says that its images are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connectors.fhir.mapping_fields import Json, element, elements, string
from connectors.fhir.mapping_references import target_of
from prognosis.record import ImagingStudy, Quarantine

DICOM_WADO_RS = "dicom-wado-rs"
CONNECTION_TYPES = "http://terminology.hl7.org/CodeSystem/endpoint-connection-type"
IN_USE = frozenset({"active", "test"})


def endpoint_references(study: Json, source: str) -> tuple[str, ...]:
    """The Endpoints of an ImagingStudy: those of its series, and the study's own for a series without any.

    Returns:
        "Endpoint/x", each once, in their order.

    Raises:
        MappingError: An endpoint is no reference.
    """
    own = _targets(study, source)
    series = elements(study, "series", source)
    named = [target for each in series for target in _targets(each, source) or own]
    return tuple(dict.fromkeys(named if series else own))


def _targets(node: Json, source: str) -> tuple[str, ...]:
    found = (target_of(each, source) for each in elements(node, "endpoint", source))
    return tuple(each for each in found if each is not None and each.startswith("Endpoint/"))


def endpoint_address(resource: Json, source: str) -> str:
    """The address of an Endpoint that images are retrieved from (DICOMweb), "" of any other.

    The address is not judged here: it is for whoever would send something there to do so.

    Raises:
        MappingError: An element has the wrong type.
    """
    kind = element(resource, "connectionType", source) or {}
    of_images = kind.get("code") == DICOM_WADO_RS and kind.get("system", CONNECTION_TYPES) == CONNECTION_TYPES
    if not of_images or resource.get("status") not in IN_USE:
        return ""
    return string(resource, "address", source) or ""


def with_addresses(study: ImagingStudy, endpoints: Mapping[str, str], quarantine: Quarantine) -> ImagingStudy:
    """The study with the addresses of the Endpoints that it names; one that was not read is noticed."""
    if not study.archives:
        return study
    unread = sum(each not in endpoints for each in study.archives)
    if unread:
        quarantine.notice("ImagingStudy names an Endpoint that the source does not give", unread)
    stated = (endpoints.get(each, "") for each in study.archives)
    return replace(study, archives=tuple(dict.fromkeys(each for each in stated if each)))
