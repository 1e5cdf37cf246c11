"""Some patients of a server instead of all: they, the Patients that they are linked to, and their sites."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from connectors.fhir.gather import Gathered
from connectors.fhir.http.client import FhirClient
from connectors.fhir.http.search import found
from connectors.fhir.mapping_fields import FHIR_ID, Json, elements, string
from connectors.fhir.mapping_person import PATIENT_ID
from connectors.fhir.mapping_references import with_own_links
from connectors.fhir.pull import add_sites, every_patient
from prognosis.errors import MappingError, SourceError
from prognosis.record import Quarantine

LONGEST_CHAIN = 8
"""Patients that replaced one another, one after the other."""

_SPECIAL = re.compile(r"([\\$,|])")


async def search_parameters(client: FhirClient, kind: str) -> frozenset[str]:
    """The search parameters that the server states for a type of resource.

    Raises:
        SourceError: Its statement cannot be read.
    """
    reference = f"{client.origin.name} metadata"
    stated = await client.read("metadata", "metadata")
    try:
        return frozenset(
            name
            for rest in elements(stated, "rest", reference)
            for resource in elements(rest, "resource", reference)
            if resource.get("type") == kind
            for parameter in elements(resource, "searchParam", reference)
            if (name := string(parameter, "name", reference)) is not None
        )
    except MappingError as error:
        raise SourceError(error.reference, error.problem, error.remedy) from error


async def people_named(
    client: FhirClient, patient_id: str, offered: frozenset[str], quarantine: Quarantine
) -> Gathered:
    """The Patients that may have a patient id, and all that are linked to them.

    A server that does not state the searches that this takes is asked for all Patients: one that replaced
    another, or that carries the id as an identifier, must not be missed.

    Args:
        client: The server.
        patient_id: As records have it: Patient.id, or the identifier that an export gave it.
        offered: Types that the server can search.
        quarantine: Where Patients that cannot be read go.

    Raises:
        SourceError: The server does not give them.
    """
    if not await search_parameters(client, "Patient") >= {"identifier", "link"}:
        return await every_patient(client, offered, quarantine)
    ids = {patient_id} if FHIR_ID.match(patient_id) else set()
    value = _SPECIAL.sub(r"\\\1", patient_id)  # FHIR R4, section 3.1.1.4.0.1
    asked = {"identifier": f"{PATIENT_ID}|{value}"}
    async for _, resource in found(client, "Patient", asked, Quarantine()):
        ids.add(str(resource.get("id")))
    return await people_of(client, ids, offered, quarantine)


async def people_of(
    client: FhirClient, ids: Iterable[str], offered: frozenset[str], quarantine: Quarantine
) -> Gathered:
    """The Patients of some ids, all that are linked to them, and the Organizations that keep them.

    Raises:
        SourceError: The server does not give them.
    """
    people = Gathered(quarantine)
    await add_linked(client, ids, people)
    await add_sites(client, offered, people)
    people.finish()
    return people


async def add_linked(client: FhirClient, ids: Iterable[str], people: Gathered) -> None:
    """Read Patients, those that link to them and those that they link to, and so on.

    Raises:
        SourceError: The server gives Patients that were not asked for, or links them without end.
    """
    asked: set[str] = set()
    given: set[str] = set()
    waiting = set(ids)
    for _ in range(LONGEST_CHAIN):
        now, waiting = waiting - asked, set()
        if not now:
            return
        asked |= now
        for name in ("_id", "link"):
            named = ",".join(sorted(now if name == "_id" else (f"Patient/{each}" for each in now)))
            async for where, resource in found(client, "Patient", {name: named}, people.quarantine):
                if not _was_asked_for(resource, name, now):
                    problem = "gave a Patient that was not asked for"
                    raise SourceError(client.origin.name, problem, f"have the server honour `{name}`")
                if str(resource.get("id")) not in given:
                    given.add(str(resource.get("id")))
                    people.add(where, with_own_links(resource, str(client.origin.base)))
        for person in people.persons.values():
            linked = {person.source, *person.replaces, *person.replaced_by}
            waiting |= {each.removeprefix("Patient/") for each in linked if each.startswith("Patient/")}
    raise SourceError(client.origin.name, "links Patients without end", "mend Patient.link")


def _was_asked_for(resource: Json, name: str, ids: set[str]) -> bool:
    """Whether a Patient has one of the ids, or links to one: a server might not know the parameter."""
    if name == "_id":
        return resource.get("id") in ids
    links = resource.get("link")
    stated = (
        [link.get("other") for link in links if isinstance(link, Mapping)] if isinstance(links, list) else []
    )
    named = [other.get("reference") for other in stated if isinstance(other, Mapping)]
    return any(isinstance(each, str) and each.rpartition("/")[2] in ids for each in named)
