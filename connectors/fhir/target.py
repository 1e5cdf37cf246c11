"""A server as a place to write to: what it takes, who the patient is there, and whether sources are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from connectors.fhir.http.client import FhirClient
from connectors.fhir.http.search import found
from connectors.fhir.mapping import is_answer
from connectors.fhir.mapping_facts import Person
from connectors.fhir.mapping_fields import FHIR_ID, Json, elements, string
from connectors.fhir.mapping_person import PATIENT_ID, patient_to_person
from connectors.fhir.mapping_references import patient_of, with_own_links
from connectors.fhir.pull import IDS_AT_ONCE
from prognosis.errors import MappingError, WriteError
from prognosis.record import Quarantine

LONGEST_CHAIN = 8
"""Replacements of one Patient by another that are followed."""


async def takes(client: FhirClient, kinds: Iterable[str]) -> dict[str, bool | None]:
    """Whether clients may write some types of resource under ids of their own, as the server states it.

    Returns:
        By type; None where the server does not speak of it, which some servers do and still take it.

    Raises:
        WriteError: The server offers no transactions.
        SourceError: It cannot be read.
    """
    stated = await client.read("metadata", "metadata")
    reference = f"{client.origin.name} metadata"
    try:
        rests = [each for each in elements(stated, "rest", reference) if each.get("mode") == "server"]
        offered = {each.get("code") for rest in rests for each in elements(rest, "interaction", reference)}
        taken = dict(each for rest in rests for each in _taken(rest, reference))
    except MappingError as error:
        raise WriteError(error.reference, error.problem, error.remedy) from error
    if "transaction" not in offered:
        problem = "offers no transactions, so that a part of an answer could be written"
        raise WriteError(client.origin.name, problem, "have the server's owner allow them")
    return {kind: taken.get(kind) for kind in kinds}


def _taken(rest: Json, reference: str) -> Iterator[tuple[str, bool]]:
    for resource in elements(rest, "resource", reference):
        kind = string(resource, "type", reference)
        interactions = {each.get("code") for each in elements(resource, "interaction", reference)}
        if kind is not None:
            yield kind, "update" in interactions and resource.get("updateCreate") is not False


async def subject_of(
    client: FhirClient, patient_id: str, birth_date: date | None = None, sex: str | None = None
) -> str:
    """The Patient on the server that a patient id belongs to, as a record's reader would name it.

    Args:
        client: The server.
        patient_id: Of the record: Patient.id, or the identifier that an export gave it.
        birth_date: Of the record; where both state one, they must agree.
        sex: Likewise.

    Returns:
        "Patient/x".

    Raises:
        WriteError: There is none, there are several, another has replaced it, or it is somebody else.
    """
    people = await _patients(client, {"identifier": f"{PATIENT_ID}|{patient_id}"})
    if FHIR_ID.match(patient_id):
        people += await _patients(client, {"_id": patient_id})
    matching = {person.source: person for person in people if person.patient_id == patient_id}
    reference = f"{client.origin.name} Patient"
    if len(matching) != 1:
        problem = f"holds {len(matching) or 'no'} patients of this id, and one is needed"
        raise WriteError(reference, problem, "write to the server that the record came from")
    (person,) = matching.values()
    if person.replaced_by:
        raise WriteError(person.source, "was replaced by another Patient", "ask about the other one")
    for what, stated, held in (
        ("birth date", birth_date, person.birth_date),
        ("sex", sex, person.sex),
    ):
        if stated is not None and held is not None and stated != held:
            problem = f"has another {what} than the record: it may be another person"
            raise WriteError(person.source, problem, "write to the server that the record came from")
    return person.source


async def _patients(client: FhirClient, parameters: dict[str, str]) -> list[Person]:
    return [
        patient_to_person(with_own_links(resource, str(client.origin.base)), f"Patient/{resource.get('id')}")
        async for _, resource in found(client, "Patient", parameters, Quarantine())
    ]


async def check_sources(client: FhirClient, cited: Sequence[str], subject: str) -> None:
    """Refuse an answer that cites what the server does not hold, or what it holds about another patient.

    Raises:
        WriteError: A cited resource is not there, or is about somebody else.
        SourceError: The server cannot be searched for them.
    """
    by_kind: dict[str, set[str]] = defaultdict(set)
    for name in cited:
        kind, _, identity = name.partition("/")
        by_kind[kind].add(identity)
    there: dict[str, str] = {}
    for kind, identities in by_kind.items():
        ids = sorted(identities)
        for start in range(0, len(ids), IDS_AT_ONCE):
            asked = {"_id": ",".join(ids[start : start + IDS_AT_ONCE])}
            async for where, resource in found(client, kind, asked, Quarantine()):
                there[f"{kind}/{resource.get('id')}"] = patient_of(resource, where)
    absent = [name for name in cited if name not in there]
    if absent:
        problem = f"does not hold {len(absent)} of {len(cited)} cited resources, the first {absent[0]}"
        raise WriteError(client.origin.name, problem, "write to the server that the record came from")
    for other in sorted({there[name] for name in cited} - {subject}):
        if not await _was_replaced(client, other, subject):
            name = next(each for each in cited if there[each] == other)
            problem = "is cited, and is about another patient"
            raise WriteError(name, problem, "write to the server that the record came from")


async def _was_replaced(client: FhirClient, patient: str, subject: str) -> bool:
    """Whether a Patient's links lead to the subject, from either side of each link."""
    kept = await _patients(client, {"_id": subject.removeprefix("Patient/")})
    if any(patient in person.replaces for person in kept):
        return True
    for _ in range(LONGEST_CHAIN):
        held = await _patients(client, {"_id": patient.removeprefix("Patient/")})
        links = [target for person in held for target in person.replaced_by]
        if len(links) != 1:
            return False
        (patient,) = links
        if patient == subject:
            return True
    return False


async def searched_by_patient(client: FhirClient, kinds: Sequence[str]) -> tuple[str, ...]:
    """Those of some types that the server says it can search by patient.

    Raises:
        SourceError: It cannot be read.
    """
    stated = await client.read("metadata", "metadata")
    reference = f"{client.origin.name} metadata"
    known: set[str] = set()
    try:
        for rest in elements(stated, "rest", reference):
            for resource in elements(rest, "resource", reference):
                names = {each.get("name") for each in elements(resource, "searchParam", reference)}
                known |= {str(resource.get("type"))} if "patient" in names else set()
    except MappingError as error:
        raise WriteError(error.reference, error.problem, error.remedy) from error
    return tuple(kind for kind in kinds if kind in known)


async def answers_about(client: FhirClient, subject: str, kinds: Sequence[str]) -> tuple[Json, ...]:
    """The resources about a patient that carry an answer's identifier, of types searched by patient.

    Raises:
        SourceError: The server gives less than it says there is.
    """
    asked = {"patient": subject.removeprefix("Patient/")}
    answers: list[Json] = []
    for kind in await searched_by_patient(client, kinds):
        answers += [each async for _, each in found(client, kind, asked, Quarantine()) if is_answer(each)]
    return tuple(answers)
