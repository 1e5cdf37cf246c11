"""What a client sent of a chart: which parts are whole, and which would have to be asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prognosis.errors import AccessError, RequestError

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Prefetched:
    """What was sent.

    Attributes:
        resources: Every resource of the parts that are whole.
        lacking: Parts that are absent, null, failed or only a first page; nothing is concluded from those.
    """

    resources: tuple[Mapping[str, Any], ...]
    lacking: tuple[str, ...]

    @property
    def birth_date(self) -> str:
        """As the Patient states it, "" where it does not."""
        for resource in self.resources:
            if resource.get("resourceType") == "Patient":
                stated = resource.get("birthDate")
                return stated if isinstance(stated, str) else ""
        return ""


def templates(types: Sequence[str]) -> dict[str, str]:
    """The prefetch of a service: the patient, and every type of resource that facts are read from."""
    return {
        "patient": "Patient/{{context.patientId}}",
        **{_key(kind): f"{kind}?patient={{{{context.patientId}}}}&_count={PAGE}" for kind in types},
    }


def prefetched(
    sent: Mapping[str, Any] | None, types: Sequence[str], patient: str, base: str | None
) -> Prefetched:
    """Split what was sent by whether it can be relied on.

    Null, nothing at all and an OperationOutcome all mean that the client could not get it; a Bundle with a
    next page is a part. An empty Bundle is whole: there is nothing of that type.

    Args:
        sent: By key, as the templates name them.
        types: Of resource, as the templates were made from.
        patient: Whose chart it is.
        base: The FHIR server whose patient that is; another server may give another person the same id.

    Raises:
        AccessError: Something is about another patient.
        RequestError: Something is no FHIR resource.
    """
    stated = sent or {}
    resources: list[Mapping[str, Any]] = []
    lacking = []
    for key, kind in {"patient": "Patient", **{_key(each): each for each in types}}.items():
        found = _whole(stated.get(key), kind)
        if found is None:
            lacking.append(key)
        else:
            resources += found
    for resource in resources:
        _require_of(resource, patient, base)
    return Prefetched(tuple(resources), tuple(lacking))


def _key(kind: str) -> str:
    return kind[0].lower() + kind[1:]


def _whole(value: object, kind: str) -> list[Mapping[str, Any]] | None:
    """The resources of one part; None where they are not all there."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise RequestError("the prefetch", "holds something that is no resource", "send FHIR R4 as JSON")
    if value.get("resourceType") == "OperationOutcome":
        return None
    if kind == "Patient":
        return [value] if value.get("resourceType") == kind else None
    if value.get("resourceType") != "Bundle":
        raise RequestError("the prefetch", "holds something that is no Bundle", "send searchset Bundles")
    links = value.get("link") or []
    if any(isinstance(link, dict) and link.get("relation") == "next" for link in links):
        return None
    return list(_entries(value, kind))


def _entries(bundle: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    """What a search found; what came along beside it is not looked at, warnings neither."""
    entries = bundle.get("entry") or []
    if not isinstance(entries, list):
        raise RequestError("the prefetch", "holds a Bundle that cannot be read", "send searchset Bundles")
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict):
            raise RequestError("the prefetch", "holds an entry without a resource", "send whole entries")
        if resource.get("resourceType") in (kind, "Medication"):
            yield resource


def _subjects(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Who a resource says it is about: R4 names the element subject or patient."""
    for name in ("subject", "patient"):
        stated = resource.get(name)
        if isinstance(stated, dict):
            yield stated


def _require_of(resource: Mapping[str, Any], patient: str, base: str | None) -> None:
    """Refuse a resource of somebody else: an EHR that mixes two charts must not be given one risk."""
    if resource.get("resourceType") == "Medication":
        return
    if resource.get("resourceType") == "Patient":
        named = resource.get("id")
    else:
        stated = next((each.get("reference") for each in _subjects(resource)), None)
        kind, _, named = stated.rpartition("/") if isinstance(stated, str) else ("", "", None)
        theirs = kind.endswith("/Patient") if base is None else kind == f"{base}/Patient"
        named = named if kind == "Patient" or theirs else None
    if named != patient:
        raise AccessError("the prefetch", "is not all about the patient of the context", "send one chart")
