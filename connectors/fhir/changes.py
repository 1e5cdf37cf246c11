"""Whose resources changed on a server since a time, where the server can tell."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from connectors.fhir.http.client import FhirClient
from connectors.fhir.http.search import found
from connectors.fhir.mapping import PATIENT_FACTS
from connectors.fhir.mapping_fields import Json
from connectors.fhir.mapping_references import patient_of
from connectors.fhir.one import search_parameters
from prognosis.errors import MappingError
from prognosis.record import Quarantine

SHARED = ("Organization", "Medication", "Endpoint")
"""Types that resources of many patients refer to: when one changes, nothing says whose records do."""


async def clock_of(client: FhirClient) -> datetime | None:
    """The server's own time, to the second; None where its answers have no Date."""
    answer = await client.answer("GET", "metadata", "metadata")
    try:
        stated = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        return None
    return stated if stated.tzinfo is not None else None


async def changed_patients(
    client: FhirClient, since: datetime, offered: frozenset[str]
) -> frozenset[str] | None:
    """The ids of the Patients that changed, or of whom a fact did (`_lastUpdated`).

    What was deleted is not found so, nor what now is about another patient: for these everything is read
    from time to time.

    Args:
        client: The server.
        since: By the server's clock (aware).
        offered: Types that the server can search.

    Returns:
        None where that cannot be told: the server does not search by `_lastUpdated`, gives resources that
        are older or say nothing of it, or something changed to which many patients' resources refer.

    Raises:
        SourceError: The server does not give all that it says it has.
    """
    if not await search_parameters(client, "Patient") >= {"_lastUpdated", "link"}:
        return None
    asked = {"_lastUpdated": f"ge{since.astimezone(UTC).isoformat(timespec='seconds')}"}
    ids: set[str] = set()
    for kind in ("Patient", *SHARED, *PATIENT_FACTS):
        if kind not in offered:
            continue
        async for where, resource in found(client, kind, asked, Quarantine()):
            named = _whose(resource, where)
            if kind in SHARED or named is None or not _is_as_new(resource, since):
                return None
            ids.add(named)
    return frozenset(ids)


def _whose(resource: Json, where: str) -> str | None:
    """The id of the Patient that a resource is, or is about; None where it does not say."""
    if resource.get("resourceType") == "Patient":
        stated = resource.get("id")
        return stated if isinstance(stated, str) else None
    try:
        kind, _, identity = patient_of(resource, where).partition("/")
    except MappingError:
        return None
    return identity if kind == "Patient" else None


def _is_as_new(resource: Json, since: datetime) -> bool:
    """Whether it says that it changed since; a server that ignores the parameter gives all that it has."""
    meta = resource.get("meta")
    try:
        stated = datetime.fromisoformat(str(meta.get("lastUpdated")) if isinstance(meta, dict) else "")
    except ValueError:
        return False
    return stated.tzinfo is not None and stated >= since
