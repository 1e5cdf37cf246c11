"""How the service is and what it is: /health, /ready, /metadata, /metrics, /cohorts, /notifications."""

from __future__ import annotations

import hmac

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from prognosis import __version__
from prognosis.errors import AbsentError, ConfigError, IdentityError
from prognosis.serve.front import grant_of
from prognosis.serve.patients import Asked
from prognosis.serve.problems import documented
from prognosis.serve.told import LIMITS, CohortsTold, CohortTold, MetadataTold, State

SMALLEST_COUNT = 5
"""Below this a count could point at somebody."""

router = APIRouter(tags=["service"], responses=documented(403, 413, 500, 503))


@router.get("/health")
async def health() -> State:
    """The process answers."""
    return State(status="alive")


@router.get("/ready", responses={503: {"model": State, "description": "Not yet, or no longer"}})
async def ready(service: Asked, answer: Response) -> State:
    """Whether the service takes requests for answers."""
    reasons = []
    if not service.ready:
        reasons.append("it is starting, and the model has not answered yet, or it is ending")
    if service.audit.broken:
        reasons.append("the audit cannot be written")
    answer.status_code = 503 if reasons else 200
    return State(status="not ready" if reasons else "ready", reasons=tuple(reasons))


@router.get("/metadata")
async def metadata(service: Asked) -> MetadataTold:
    """What the service answers, with which model, and what it is not for."""
    task = service.model.task
    return MetadataTold(
        name=service.settings.name,
        version=__version__,
        model_id=service.model.model_id,
        task=task.name,
        question=task.question,
        causes=task.causes,
        horizons_days=task.horizons_days,
        modalities=service.model.modalities,
        intended_use=task.intended_use,
        limits=LIMITS,
        authentication="none: this machine only" if service.tokens is None else "JWT",
        stale_after_days=service.settings.stale_after_days,
    )


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {"example": "prognosis_audit_entries 318\n"}}}},
)
async def metrics(service: Asked) -> PlainTextResponse:
    """Counts in Prometheus' text format; no patient is named in them."""
    gauges = {
        "audit_entries": service.audit.entries,
        "model_calls_taken": service.scoring.taken,
        "reads_taken": service.reading.taken,
    }
    return PlainTextResponse(service.metrics.text(gauges), media_type="text/plain; version=0.0.4")


@router.get("/cohorts", responses=documented(401))
async def cohorts(request: Request, service: Asked) -> CohortsTold:
    """How many patients trained the model and how many have a score; needs a token of no one patient."""
    grant_of(request).require_population()
    model = service.model
    scored, abstained = service.scores.counts(model.model_id)
    told = CohortTold(
        task=model.task.name,
        question=model.task.question,
        model_id=model.model_id,
        training_cases=_counted(model.training.cases),
        training_events={name: _counted(count) for name, count in model.training.events.items()},
        scored_patients=_counted(scored),
        abstained_patients=_counted(abstained),
    )
    return CohortsTold(cohorts=(told,))


def _counted(count: int) -> int | None:
    return None if 0 < count < SMALLEST_COUNT else count


@router.post("/notifications", status_code=202, responses=documented(401, 404))
async def notified(request: Request, service: Asked) -> State:
    """A FHIR Subscription's rest-hook: something changed somewhere. The sources are read again.

    Whatever else is sent is not looked at: who changed, and how, is for the sources to say.
    """
    path = service.settings.notifications
    if path is None:
        raise AbsentError("this service", "takes no notifications", "name a secret under notifications")
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError("the secret of notifications", "cannot be read", "name a file") from error
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if len(secret) < 16 or not hmac.compare_digest(given.encode(), secret.encode()):
        raise IdentityError("the notification", "does not carry the secret", "send it as a bearer token")
    service.scores.notify(service.now())
    return State(status="accepted")
