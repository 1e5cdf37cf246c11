"""The resources of a Bundle, with references inside it made resolvable outside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.fhir.mapping_fields import element, elements, string
from prognosis.errors import InputError, MappingError
from prognosis.record import Quarantine

_REFERENCES = ("subject", "patient", "medicationReference", "managingOrganization")
_URN = "urn:uuid:"


def bundle_resources(
    bundle: dict[str, Any], where: str, quarantine: Quarantine
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each resource of a Bundle, with where it stands.

    References by urn:uuid fullUrl (transactions, as generators write them) become "Type/id"; a resource
    without an id takes its fullUrl's uuid. A page that points to a next page is noticed: an incomplete
    export would otherwise be taken for a complete one.

    Raises:
        MappingError: The Bundle is a history, or its entries are malformed.
    """
    if bundle.get("type") == "history":
        raise MappingError(
            where, "is a history Bundle, which holds outdated versions", "export current resources"
        )
    if any(link.get("relation") == "next" for link in elements(bundle, "link", where)):
        quarantine.notice("Bundle has a next page: make sure that every page is in the folder")
    names: dict[str, str] = {}
    found: list[tuple[str, dict[str, Any]]] = []
    for number, entry in enumerate(elements(bundle, "entry", where), start=1):
        place = f"{where} entry {number}"
        try:
            resource = element(entry, "resource", place)
            if resource is None:
                raise MappingError(place, "holds no resource", "send entries with resources")
            if resource.get("resourceType") == "Bundle":
                raise MappingError(place, "is a Bundle within a Bundle", "send its resources in one Bundle")
            url = string(entry, "fullUrl", place)
        except InputError as error:
            quarantine.reject(error)
            continue
        named = dict(resource)
        if url is not None and url.startswith(_URN):
            named.setdefault("id", url.removeprefix(_URN))
            names[url] = f"{named.get('resourceType')}/{named['id']}"
        found.append((place, named))
    for place, resource in found:
        yield place, _localised(resource, names)


def _localised(resource: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """The resource with the urn references among its outer elements replaced by names."""
    for key in _REFERENCES:
        if key in resource:
            resource[key] = _renamed(resource[key], names)
    links = resource.get("link")
    if resource.get("resourceType") == "Patient" and isinstance(links, list):
        resource["link"] = [
            {**link, "other": _renamed(link.get("other"), names)} if isinstance(link, dict) else link
            for link in links
        ]
    return resource


def _renamed(node: object, names: dict[str, str]) -> object:
    if isinstance(node, dict) and isinstance(node.get("reference"), str) and node["reference"] in names:
        return {**node, "reference": names[node["reference"]]}
    return node
