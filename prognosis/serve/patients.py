"""/risk and /explain: one patient, from the service's own sources."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from prognosis.record import PatientRecord
from prognosis.serve.asking import held, scored_of
from prognosis.serve.auth.grant import ANSWERS, EVERY_TYPE
from prognosis.serve.front import facts_of, grant_of
from prognosis.serve.problems import documented
from prognosis.serve.pseudonyms import OURS
from prognosis.serve.scores import Kept
from prognosis.serve.service import Service
from prognosis.serve.told import LIMITS, ExplanationTold, RiskTold, risk_told

PatientId = Annotated[
    str, Path(min_length=1, max_length=256, examples=["123"], description="As the source names the patient.")
]
Site = Annotated[
    str | None,
    Query(max_length=256, examples=["north"], description="Needed where two sites share the patient id."),
]
PROBLEMS = documented(401, 403, 404, 413, 422, 500, 502, 503)


def service_of(request: Request) -> Service:
    """The service whose app this is."""
    service = request.app.state.service
    assert isinstance(service, Service)  # noqa: S101 - create_app puts it there
    return service


Asked = Annotated[Service, Depends(service_of)]
router = APIRouter(tags=["patients"], responses=PROBLEMS)


@router.get("/risk/{patient}")
async def risk(request: Request, service: Asked, patient: PatientId, site: Site = None) -> RiskTold:
    """The risk of one patient by each horizon, with its interval, what it rests on and its age."""
    record, kept = await _kept(request, service, patient, site, ANSWERS)
    question = service.model.task.question
    return risk_told(kept, record.patient_id, record.site, question, service.settings, service.now())


@router.get("/explain/{patient}")
async def explain(request: Request, service: Asked, patient: PatientId, site: Site = None) -> ExplanationTold:
    """What drives the answer: contributions that add up, each with its source; it cites the record itself."""
    record, kept = await _kept(request, service, patient, site, EVERY_TYPE)
    return ExplanationTold(
        patient=record.patient_id,
        site=record.site,
        model_id=kept.score.model_id,
        index_time=kept.score.index_time,
        score=kept.digest,
        abstained_because=kept.score.abstained_because or None,
        why=kept.score.why,
        limits=LIMITS,
    )


async def _kept(
    request: Request, service: Service, patient: str, site: str | None, resource: str
) -> tuple[PatientRecord, Kept]:
    """The record and its score; who asks is held against the patient asked for before anything is read."""
    facts = facts_of(request)
    facts.patient = service.key.patient(OURS, site or "", patient)
    grant_of(request).require_patient(patient, site, resource)
    one = await held(service, patient, site)
    facts.patient = service.key.patient(OURS, one.record.site, one.record.patient_id)
    kept = await scored_of(service, one)
    facts.model_id, facts.score = kept.score.model_id, kept.digest
    return one.record, kept
