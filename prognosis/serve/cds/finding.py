"""Which score answers a call: one stored, one of the service's own record, or one of what the EHR gives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import anyio

from prognosis.errors import AbsentError, AccessError, BusyError, InputError, MissingDataError
from prognosis.serve.asking import held, scored, scored_of
from prognosis.serve.auth.grant import Grant
from prognosis.serve.cds.messages import HookRequest
from prognosis.serve.cds.prefetch import Prefetched, prefetched
from prognosis.serve.pseudonyms import OURS
from prognosis.serve.reading import Chart
from prognosis.serve.scores import Kept
from prognosis.serve.service import Service
from prognosis.serve.settings import EhrServer

LONGEST_WAIT_S = 10.0
"""For a score that has to be made; a chart is not held up longer."""


@dataclass(frozen=True, slots=True)
class Found:
    """A score for a card.

    Attributes:
        kept: The score.
        mistaken: The EHR's patient was born on another day than the record's: another person.
    """

    kept: Kept
    mistaken: bool = False


def server_of(service: Service, grant: Grant, asked: HookRequest) -> EhrServer | None:
    """The FHIR server whose patient is meant, as the settings have it; None where they name none.

    What the client sent is compared and never used: only an address of the settings is ever asked.

    Raises:
        AccessError: The client names one that it may not, or none where it has none.
    """
    known = {server.base: server for server in service.settings.fhir_servers}
    allowed = tuple(known) if service.tokens is None else grant.fhir_servers
    named = asked.fhirServer
    if named is not None:
        base = named.rstrip("/")
        if base not in known or base not in allowed:
            raise AccessError("the FHIR server", "is not one of this client's", "name it in the settings")
        return known[base]
    if allowed:
        return known[allowed[0]]
    if service.tokens is not None:
        raise AccessError("the client", "has no FHIR server", "name one for it in the settings")
    return None


async def find_score(service: Service, grant: Grant, asked: HookRequest) -> Found:
    """The score of the patient of a call.

    Raises:
        AccessError: The call is about another server or patient than the client may ask about.
        MissingDataError: Nothing is stored, and what a score would rest on cannot be had.
        BusyError: It would take too long, or too many wait.
    """
    server = server_of(service, grant, asked)
    patient, token = asked.context.patientId, asked.fhirAuthorization
    if token is not None and token.patient not in (None, patient, f"Patient/{patient}"):
        raise AccessError("the access token", "is bound to another patient", "send one of this patient")
    types = () if service.charts is None else service.charts.types
    sent = prefetched(asked.prefetch, types, patient, server.base if server else None)
    if server is None or server.same_patients:
        kept = await service.reading.run(lambda: _stored(service, patient))
        if kept is not None:
            return Found(kept, mistaken=_is_another(service, kept, sent))
    try:
        with anyio.fail_after(LONGEST_WAIT_S):
            return await _made(service, server, asked, sent)
    except TimeoutError as error:
        raise BusyError("the score", "is still being made", "ask again in a while") from error


def _stored(service: Service, patient: str) -> Kept | None:
    found = service.scores.latest_anywhere(service.key.anywhere(OURS, patient), service.model.model_id)
    if len(found) > 1:
        raise MissingDataError("the patient", "is at more than one site", "serve each site by itself")
    return found[0] if found else None


def _is_another(service: Service, kept: Kept, sent: Prefetched) -> bool:
    born = kept.whose.born
    if not born or not sent.birth_date:
        return False
    try:
        return service.key.birth(date.fromisoformat(sent.birth_date)) != born
    except ValueError:
        return False  # a year or a month alone can be neither the same nor another


async def _made(service: Service, server: EhrServer | None, asked: HookRequest, sent: Prefetched) -> Found:
    if server is None or server.same_patients:
        try:
            one = await held(service, asked.context.patientId, None)
        except AbsentError:
            if server is None:
                raise _lacking() from None
        else:
            kept = await scored_of(service, one)
            return Found(kept, mistaken=_is_another(service, kept, sent))
    chart = await _of_ehr(service, server, asked, sent)
    return Found(await scored(service, chart, server.base if server else OURS))


async def _of_ehr(service: Service, server: EhrServer | None, asked: HookRequest, sent: Prefetched) -> Chart:
    """The chart that the EHR gives: by prefetch if that is whole, else by its server."""
    charts, patient, token = service.charts, asked.context.patientId, asked.fhirAuthorization
    if charts is None:
        raise _lacking()
    try:
        if not sent.lacking:
            return await service.reading.run(lambda: charts.of_resources(patient, sent.resources))
        if server is not None and token is not None:
            base, access = server.base, token.access_token
            return await service.reading.run(lambda: charts.of_server(base, access, patient))
    except InputError as error:
        raise _lacking() from error
    raise _lacking()


def _lacking() -> MissingDataError:
    return MissingDataError(
        "the chart", "was not sent whole and cannot be read", "send every prefetch, or fhirAuthorization"
    )
