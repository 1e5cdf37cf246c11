"""One page of a search, split by why each entry is on it."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.fhir.http.outcome import issues_of
from connectors.fhir.mapping_fields import Json, element, elements, string
from prognosis.errors import InputError, MappingError, SourceError


@dataclass(frozen=True, slots=True)
class Page:
    """What one searchset Bundle holds (FHIR R4, sections 2.36 and 3.1.1.4).

    Attributes:
        matches: Resources that the search found, each with its place on the page, "entry 3".
        included: How many resources came along that were not searched for.
        warnings: Severity and type of what the server says about the search.
        unreadable: Matches without a resource, or with one of another type.
        total: Matches on all pages, where the server says so.
        following: The link to the next page; None on the last.
    """

    matches: tuple[tuple[str, Json], ...]
    included: int
    warnings: tuple[str, ...]
    unreadable: tuple[InputError, ...]
    total: int | None
    following: str | None


def page_of(bundle: Json, kind: str, reference: str) -> Page:
    """Split a page.

    Args:
        bundle: The server's answer.
        kind: The resource type searched for.
        reference: The page, for errors.

    Raises:
        SourceError: It is no searchset, is malformed, or says that the search failed.
    """
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "searchset":
        raise SourceError(reference, "its answer is no searchset Bundle", "name the base of a FHIR R4 server")
    matches: list[tuple[str, Json]] = []
    warnings: list[str] = []
    unreadable: list[InputError] = []
    included = 0
    try:
        total, following = _total(bundle, reference), _following(bundle, reference)
        for number, entry in enumerate(elements(bundle, "entry", reference), start=1):
            place = f"{reference} entry {number}"
            mode, resource = _entry(entry, kind, place)
            if resource is None:
                unreadable.append(MappingError(place, "holds no resource", "send entries with resources"))
            elif mode == "outcome":
                warnings += _warnings(resource, reference)
            elif mode == "include":
                included += 1
            elif resource.get("resourceType") != kind:
                remedy = "send what was searched for"
                unreadable.append(MappingError(place, f"is given as a match and is no {kind}", remedy))
            else:
                matches.append((place, resource))
    except MappingError as error:
        raise SourceError(error.reference, error.problem, error.remedy) from error
    return Page(tuple(matches), included, tuple(warnings), tuple(unreadable), total, following)


def _entry(entry: Json, kind: str, place: str) -> tuple[str, Json | None]:
    """Why an entry is on the page, and its resource; a mode that is not stated follows from the type."""
    resource = element(entry, "resource", place)
    mode = string(element(entry, "search", place) or {}, "mode", place)
    if resource is not None and resource.get("resourceType") == "OperationOutcome":
        return "outcome", resource
    if mode is None and resource is not None and resource.get("resourceType") != kind:
        return "include", resource
    return mode or "match", resource


def _total(bundle: Json, reference: str) -> int | None:
    total = bundle.get("total")
    if total is None or (isinstance(total, int) and not isinstance(total, bool) and total >= 0):
        return total
    raise MappingError(reference, "its total is no count", "send total as a JSON integer, or leave it out")


def _following(bundle: Json, reference: str) -> str | None:
    links = [
        string(link, "url", reference)
        for link in elements(bundle, "link", reference)
        if link.get("relation") == "next"
    ]
    if len(links) > 1 or None in links:
        raise MappingError(reference, "its next page is not one URL", "send one link with relation next")
    return links[0] if links else None


def _warnings(outcome: Json, reference: str) -> list[str]:
    issues = tuple(issues_of(outcome))
    failed = next((code for severity, code in issues if severity in ("fatal", "error")), None)
    if failed is not None:
        raise SourceError(reference, f"says that the search failed ({failed})", "see the server's log")
    return [f"{severity} ({code})" for severity, code in issues]
