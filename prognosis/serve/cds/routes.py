"""/cds-services: discovery, the two services, and feedback on their cards."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Path, Request

from prognosis.errors import AbsentError, RequestError
from prognosis.serve.cds.finding import find_score, server_of
from prognosis.serve.cds.messages import Cards, Discovered, Discovery, FeedbackRequest, HookRequest, Kept
from prognosis.serve.cds.prefetch import templates
from prognosis.serve.cds.told import cards_of
from prognosis.serve.front import facts_of, grant_of
from prognosis.serve.patients import Asked
from prognosis.serve.problems import documented
from prognosis.serve.pseudonyms import OURS
from prognosis.serve.service import Service

HOOKS = {"prognosis-patient-view": "patient-view", "prognosis-order-select": "order-select"}
"""The services by id, each with its hook."""

ServiceId = Annotated[str, Path(max_length=64, examples=["prognosis-patient-view"])]
router = APIRouter(tags=["CDS Hooks 2.0"], prefix="/cds-services", responses=documented(403, 413, 500, 503))


@router.get("")
async def discover(service: Asked) -> Discovery:
    """Which services there are, and what they would like to be sent."""
    types = () if service.charts is None else service.charts.types
    return Discovery(
        services=tuple(
            Discovered(
                id=identity,
                hook=hook,
                title=service.settings.name,
                description=f"{service.model.task.question} Research software: it must not guide care.",
                prefetch=templates(types),
                usageRequirements="Without a stored score of the patient it needs every prefetch, or access "
                "to the FHIR server.",
            )
            for identity, hook in HOOKS.items()
        )
    )


@router.post("/{service_id}", responses=documented(400, 401, 404, 412, 422, 502))
async def call(request: Request, service: Asked, service_id: ServiceId, asked: HookRequest) -> Cards:
    """The cards for the patient whose chart is open or for whom an order was chosen."""
    _require(request, service_id)
    if asked.hook != HOOKS[service_id]:
        raise RequestError("the hook", "is not this service's", f"call it on {HOOKS[service_id]}")
    grant, facts = grant_of(request), facts_of(request)
    facts.patient = _named(service, request, asked)
    found = await find_score(service, grant, asked)
    facts.model_id, facts.score, facts.patient = (
        found.kept.score.model_id,
        found.kept.digest,
        found.kept.whose.patient,
    )
    orders = HOOKS[service_id] == "order-select"
    cards = cards_of(service, found, service_id, asked.hookInstance, orders=orders)
    facts.card = cards[0]["uuid"]
    return Cards(cards=cards)


@router.post("/{service_id}/feedback", responses=documented(400, 401, 404, 422))
async def feedback(request: Request, service: Asked, service_id: ServiceId, sent: FeedbackRequest) -> Kept:
    """What users did with cards; it is on disk when this is answered."""
    _require(request, service_id)
    client, now = grant_of(request).client, service.now()
    rows = [(each.card.lower(), json.dumps(each.model_dump())) for each in sent.feedback]
    await service.reading.run(lambda: service.scores.keep_feedback(now, client, service_id, rows))
    facts_of(request).card = rows[0][0]
    return Kept(kept=len(rows))


def _require(request: Request, service_id: str) -> None:
    """Refuse a service that is not there, or that the client was not given."""
    grant_of(request).require_service(service_id)
    if service_id not in HOOKS:
        raise AbsentError("the service", "is not one of this server's", "see /cds-services")


def _named(service: Service, request: Request, asked: HookRequest) -> str:
    """The pseudonym of the patient named, for the audit also where nothing is given."""
    server = server_of(service, grant_of(request), asked)
    namespace = OURS if server is None or server.same_patients else server.base
    return service.key.anywhere(namespace, asked.context.patientId)
