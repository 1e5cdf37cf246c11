"""What is asked of a FHIR server: the types it has, its patients, and all facts about a few of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import anyio

from connectors.fhir.gather import Gathered
from connectors.fhir.http.client import FhirClient
from connectors.fhir.http.search import found
from connectors.fhir.links import SettledPersons
from connectors.fhir.mapping import PATIENT_FACTS
from connectors.fhir.mapping_fields import FHIR_ID, Json, element, elements, string
from connectors.fhir.mapping_references import (
    is_elsewhere,
    patient_key,
    patient_of,
    target_of,
    with_own_links,
)
from prognosis.errors import MappingError, SourceError
from prognosis.record import Quarantine

IDS_AT_ONCE = 100
"""Ids in one search by `_id`."""

STRANGERS = 10
"""Resources of patients that were not asked for, in one search, after which the server is not believed."""


async def offered_types(client: FhirClient, quarantine: Quarantine) -> frozenset[str]:
    """The resource types that the server says can be searched (CapabilityStatement).

    Types that facts are read from and that are missing there are noticed.

    Raises:
        SourceError: It is no FHIR R4 server, or has no search for Patient.
    """
    reference = f"{client.origin.name} metadata"
    stated = await client.read("metadata", "metadata")
    try:
        version = string(stated, "fhirVersion", reference) or "no version"
        searched = frozenset(_searched(stated, reference))
    except MappingError as error:
        raise SourceError(error.reference, error.problem, error.remedy) from error
    if stated.get("resourceType") != "CapabilityStatement" or not version.startswith(("4.0", "4.3")):
        raise SourceError(reference, "does not state FHIR R4", "name the base of a FHIR R4 server")
    if "Patient" not in searched:
        raise SourceError(reference, "offers no search for Patient", "have the server's owner allow it")
    for kind in PATIENT_FACTS:
        if kind not in searched:
            quarantine.notice(f"{kind}: the server offers no search for it: none was read")
    return frozenset(_allowed(client, searched, quarantine))


def _allowed(client: FhirClient, searched: Iterable[str], quarantine: Quarantine) -> Iterator[str]:
    """Those that the token may read: the others would be refused, and with them the whole pull."""
    for kind in searched:
        if client.login is None or client.login.covers(kind):
            yield kind
        elif kind in PATIENT_FACTS:
            quarantine.notice(f"{kind}: not among the scopes that were asked for: none was read")


def _searched(stated: Json, reference: str) -> Iterator[str]:
    for rest in elements(stated, "rest", reference):
        for resource in elements(rest, "resource", reference):
            kind = string(resource, "type", reference)
            interactions = {each.get("code") for each in elements(resource, "interaction", reference)}
            if kind is not None and "search-type" in interactions:
                yield kind


async def every_patient(client: FhirClient, offered: frozenset[str], quarantine: Quarantine) -> Gathered:
    """All Patients of the server, and the Organizations that keep them.

    Raises:
        SourceError: The server does not give them all.
    """
    people = Gathered(quarantine)
    async for where, resource in found(client, "Patient", {}, quarantine):
        people.add(where, with_own_links(resource, str(client.origin.base)))
    await add_sites(client, offered, people)
    people.finish()
    return people


async def add_sites(client: FhirClient, offered: frozenset[str], people: Gathered) -> None:
    """Read the Organizations that keep some Patients.

    Raises:
        SourceError: The server does not give them.
    """
    if "Organization" in offered:
        sites = (person.organization for person in people.persons.values())
        await _add_named(client, "Organization", sites, people)


async def facts_about(
    client: FhirClient,
    chosen: Iterable[str],
    people: Gathered,
    persons: SettledPersons,
    offered: frozenset[str],
) -> Gathered:
    """All facts about some patients, under their own ids and under those of Patients that they replaced.

    The searches run side by side; where one of them fails the others are stopped, and there is no result.

    Args:
        client: The server.
        chosen: Kept Patients, "Patient/x".
        people: All Patients; Medications and Endpoints already read are taken from here, and new ones kept
            here.
        persons: The same, their links followed.
        offered: Types that the server can search.

    Raises:
        SourceError: The server does not give all of them, or gives those of other patients.
    """
    counts = {source: people.lines[source] for source in chosen}
    group = Gathered(
        people.quarantine,
        medications=people.medications,
        endpoints=people.endpoints,
        lines=Counter(counts),
    )
    asked = frozenset(counts).union(old for old, new in persons.stands_for.items() if new in counts)
    try:
        async with anyio.create_task_group() as searches:
            for kind in PATIENT_FACTS:
                if kind in offered:
                    searches.start_soon(_add_facts, client, kind, asked, group)
    except ExceptionGroup as failed:
        first = failed.exceptions[0]
        raise first from first.__cause__
    if "Medication" in offered:
        drugs = (_medication(resource) for _, resource in group.deferred)
        await _add_named(
            client, "Medication", (drug for drug in drugs if drug not in group.medications), group
        )
    if "Endpoint" in offered:
        named = (each for facts in group.facts.values() for study in facts.studies for each in study.archives)
        await _add_named(client, "Endpoint", (each for each in named if each not in group.endpoints), group)
    group.finish()
    return group


async def _add_facts(client: FhirClient, kind: str, asked: frozenset[str], group: Gathered) -> None:
    strangers = 0
    async for where, resource in found(client, kind, {"patient": _ids(asked, "Patient")}, group.quarantine):
        if not _is_about_another(resource, where, asked, str(client.origin.base)):
            group.add(where, resource)
            continue
        strangers += 1
        problem, remedy = "is about a patient that was not asked for", "have the server honour `patient`"
        group.quarantine.reject(MappingError(where, problem, remedy))
        if strangers > STRANGERS:
            problem = f"gave {strangers} resources of patients that were not asked for"
            raise SourceError(f"{client.origin.name} {kind}", problem, remedy)


def _is_about_another(resource: Json, where: str, asked: frozenset[str], base: str) -> bool:
    """Whether a resource names a patient outside `asked`, or of another server than that at `base`.

    What cannot be read is left to the mapping.
    """
    try:
        named = resource.get(patient_key(str(resource.get("resourceType"))))
        foreign = isinstance(named, dict) and is_elsewhere(named, base)
        return foreign or patient_of(resource, where) not in asked
    except MappingError:
        return False


def _medication(resource: Json) -> str | None:
    try:
        return target_of(element(resource, "medicationReference", "") or {}, "")
    except MappingError:
        return None


async def _add_named(
    client: FhirClient, kind: str, references: Iterable[str | None], gathered: Gathered
) -> None:
    """Read the resources of one type that others refer to, by id."""
    named = sorted({each for each in references if each is not None and each.startswith(f"{kind}/")})
    for start in range(0, len(named), IDS_AT_ONCE):
        ids = _ids(named[start : start + IDS_AT_ONCE], kind)
        async for where, resource in found(client, kind, {"_id": ids}, gathered.quarantine):
            gathered.add(where, resource)


def _ids(sources: Iterable[str], kind: str) -> str:
    """Ids as one search value: a comma means "or" (FHIR R4, section 3.1.1.4.4)."""
    named = (source.removeprefix(f"{kind}/") for source in sorted(sources))
    return ",".join(each for each in named if FHIR_ID.match(each))
