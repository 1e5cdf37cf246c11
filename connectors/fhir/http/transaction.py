"""Writing that can be repeated: look what is there, write what is not, all or nothing, and look again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import anyio

from connectors.fhir.http.answer import Answer
from connectors.fhir.http.client import FhirClient
from connectors.fhir.http.difference import difference
from connectors.fhir.http.retry import is_retried
from connectors.fhir.mapping_fields import Json, element, string
from prognosis.errors import MappingError, WriteError

Change = Callable[[Json | None], Json | None]
"""From what the server holds under a name to what it is to hold; None where it is to stay as it is."""

_OVERTAKEN = frozenset({409, 412})
"""Somebody else wrote in between (If-Match failed): look again."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one resource.

    Attributes:
        name: "RiskAssessment/x".
        done: "unchanged" where the server held it already, or was to keep what it had.
        version: "RiskAssessment/x/_history/2"; "" where the server holds none.
        status: That the server holds it under; "" where it has none.
    """

    name: str
    done: Literal["created", "updated", "unchanged"]
    version: str
    status: str = ""


async def settle(client: FhirClient, wanted: Mapping[str, Change]) -> tuple[Written, ...]:
    """Bring resources into a state in one transaction, however often it takes to get a clear answer.

    A transaction is never repeated blindly. After each that failed, or whose answer was lost, the server is
    read, and only what is still missing is sent; each update names the version that it replaces (If-Match),
    and each create a name of our own. So a repeat cannot write twice, and cannot undo what another wrote.

    Args:
        client: The server.
        wanted: What is to become of each resource, by name.

    Returns:
        What became of each, in the order given.

    Raises:
        WriteError: The server refuses it, gives no clear answer in as many attempts and as much time as the
            policy allows, or holds something else after saying that it was done.
        SourceError: The server cannot be read.
    """
    try:
        with anyio.fail_after(client.policy.deadline_s):
            return await _settled(client, wanted)
    except TimeoutError as error:
        problem = f"gives no clear answer within {client.policy.deadline_s:g} s; what it holds is not known"
        raise WriteError(f"{client.origin.name} transaction", problem, _remedy(None)) from error


async def _settled(client: FhirClient, wanted: Mapping[str, Change]) -> tuple[Written, ...]:
    first = held = await _held(client, wanted)
    failures = 0
    while changes := _changes(wanted, held):
        answer = await client.submit(_transaction(changes, held), "transaction")
        before, held = held, await _held(client, wanted)
        if answer is not None and answer.accepted:
            _check(client.origin.name, changes, held)
            break
        failures += 1
        if not _is_worth_another(answer) or failures >= client.policy.attempts:
            if not _changes(wanted, held):
                break
            raise _refused(client.origin.name, answer, failures, _moved(changes, before, held), len(changes))
        await anyio.sleep(client.policy.wait_s(failures, answer.headers if answer is not None else None))
    return tuple(_written(name, first[name], held[name]) for name in wanted)


async def _held(client: FhirClient, names: Mapping[str, Change]) -> dict[str, Json | None]:
    return {name: await client.held(name) for name in names}


def _changes(wanted: Mapping[str, Change], held: Mapping[str, Json | None]) -> dict[str, Json]:
    found = {name: change(held[name]) for name, change in wanted.items()}
    return {name: resource for name, resource in found.items() if resource is not None}


def _transaction(changes: Mapping[str, Json], held: Mapping[str, Json | None]) -> dict[str, Any]:
    entries = []
    for name, resource in changes.items():
        request = {"method": "PUT", "url": name}
        standing = held[name]
        if standing is not None:
            request["ifMatch"] = f'W/"{_version(name, standing)}"'
        entries.append({"resource": dict(resource), "request": request})
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _version(name: str, resource: Json) -> str:
    try:
        version = string(element(resource, "meta", name) or {}, "versionId", name)
    except MappingError:
        version = None
    if version is None:
        problem = "is held without a version, so that another's change could be lost"
        raise WriteError(name, problem, "have the server keep versions of it")
    return version


def _check(server: str, changes: Mapping[str, Json], held: Mapping[str, Json | None]) -> None:
    """Hold what the server has against what it said that it took: a success code may be empty."""
    for name, resource in changes.items():
        standing = held[name]
        if standing is None:
            problem = f"says that it took {name}, and does not hold it"
            raise WriteError(server, problem, "see the server's log")
        place = difference(resource, standing)
        if place is not None:
            problem = f"took {name}, and holds another {place} than was written"
            raise WriteError(server, problem, "have the server keep what it is given, or retract it")


def _moved(
    changes: Mapping[str, Json], before: Mapping[str, Json | None], held: Mapping[str, Json | None]
) -> int:
    return sum(before[name] != held[name] for name in changes)


def _is_worth_another(answer: Answer | None) -> bool:
    return answer is None or is_retried(answer.status) or answer.status in _OVERTAKEN


def _refused(server: str, answer: Answer | None, attempts: int, moved: int, sent: int) -> WriteError:
    what = "gives no whole answer" if answer is None else f"answers with {answer.told()}"
    times = f" in {attempts} attempts" if attempts > 1 else ""
    left = "nothing was written"
    if moved and (answer is None or answer.status not in _OVERTAKEN):
        left = f"{moved} of {sent} resources changed all the same, as no transaction may"
    return WriteError(f"{server} transaction", f"{what}{times}; {left}", _remedy(answer))


def _remedy(answer: Answer | None) -> str:
    if answer is None or is_retried(answer.status):
        return "try again later: what is there already is not written twice"
    if answer.status in (401, 403):
        return "give a token whose scopes allow these writes; with a key PROGNOSIS_FHIR_SCOPES names them"
    if answer.status in _OVERTAKEN:
        return "try again when nobody else writes to it"
    return "check that the server takes transactions of these resources"


def _written(name: str, first: Json | None, held: Json | None) -> Written:
    if held is None:
        return Written(name, "unchanged", "")
    version, status = _version(name, held), str(held.get("status", ""))
    done: Literal["created", "updated", "unchanged"] = "created"
    if first is not None:
        done = "unchanged" if _version(name, first) == version else "updated"
    return Written(name, done, f"{name}/_history/{version}", status)


def named(resources: Sequence[Json]) -> dict[str, Json]:
    """Resources by name, "Device/x".

    Raises:
        ValueError: Two have one name.
    """
    found = {f"{each['resourceType']}/{each['id']}": each for each in resources}
    if len(found) != len(resources):
        message = "two resources to be written have one name"
        raise ValueError(message)
    return found
