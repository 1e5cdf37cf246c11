"""What the routes answer with, in types; OpenAPI is made from these."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from prognosis.serve.answers import ArmsTold, FreeFor, OneOf, RiskOf, ValueExpected, Why
from prognosis.serve.scores import Kept
from prognosis.serve.settings import ServiceSettings

LIMITS = (
    "Research software, not a medical device: it must not guide care.",
    "The interval holds the sampling of patients and what missing modalities might have said, not the "
    "uncertainty of the models that read each modality.",
    "Contributions explain the model, not the disease: a driver is not a cause.",
)

EXAMPLE: dict[str, Any] = {
    "patient": "123",
    "site": "north",
    "question": "How soon does the disease progress?",
    "model_id": "simulated_progression-cad2dfcb94b5",
    "index_time": "2026-03-02T12:00:00Z",
    "made_at": "2026-03-02T12:04:10Z",
    "looked_at": "2026-03-02T18:00:00Z",
    "age_seconds": 3600.0,
    "stale": False,
    "score": "2f1c" + "0" * 60,
    "record": "9a0e" + "0" * 60,
    "abstained_because": None,
    "risks": [
        {"cause": "progression", "days": 365, "probability": 0.31, "low": 0.22, "high": 0.44, "level": 0.9}
    ],
    "free_for": [{"event": "any event", "level": 0.9, "days": 41.0, "limited": False}],
    "measured": None,
    "one_of": [],
    "modalities_used": ["clinical", "imaging"],
    "modalities_missing": {"text": "not in the record at the index"},
    "cautions": [],
    "treatment": None,
    "limits": list(LIMITS),
}


class RiskTold(BaseModel):
    """One patient's risk, what it rests on and how old it is."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})
    patient: str
    site: str
    question: str
    model_id: str
    index_time: datetime
    made_at: datetime
    looked_at: datetime
    age_seconds: float
    stale: bool
    score: str
    record: str
    abstained_because: str | None
    risks: tuple[RiskOf, ...]
    free_for: tuple[FreeFor, ...]
    measured: ValueExpected | None
    one_of: tuple[OneOf, ...]
    modalities_used: tuple[str, ...]
    modalities_missing: dict[str, str]
    cautions: tuple[str, ...]
    treatment: ArmsTold | None
    limits: tuple[str, ...]


class ExplanationTold(BaseModel):
    """What drives one patient's answer, cause by cause."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "patient": "123",
                "site": "north",
                "model_id": "simulated_progression-cad2dfcb94b5",
                "index_time": "2026-03-02T12:00:00Z",
                "score": "2f1c" + "0" * 60,
                "abstained_because": None,
                "why": [],
                "limits": list(LIMITS),
            }
        }
    )
    patient: str
    site: str
    model_id: str
    index_time: datetime
    score: str
    abstained_because: str | None
    why: tuple[Why, ...]
    limits: tuple[str, ...]


COHORT: dict[str, Any] = {
    "task": "simulated_progression",
    "question": "How soon does the disease progress?",
    "model_id": "simulated_progression-cad2dfcb94b5",
    "training_cases": 1800,
    "training_events": {"progression": 510, "death": 302, "none": 988},
    "scored_patients": 240,
    "abstained_patients": None,
}


class CohortTold(BaseModel):
    """Counts of patients; those from 1 to 4 are not given."""

    model_config = ConfigDict(json_schema_extra={"example": COHORT})
    task: str
    question: str
    model_id: str
    training_cases: int | None
    training_events: dict[str, int | None]
    scored_patients: int | None
    abstained_patients: int | None


class CohortsTold(BaseModel):
    """The cohorts that the service knows."""

    model_config = ConfigDict(json_schema_extra={"example": {"cohorts": [COHORT]}})
    cohorts: tuple[CohortTold, ...]


class State(BaseModel):
    """How the service is."""

    model_config = ConfigDict(json_schema_extra={"example": {"status": "ready", "reasons": []}})
    status: str
    reasons: tuple[str, ...] = ()


class MetadataTold(BaseModel):
    """What the service is and what it answers."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "prognosis",
                "version": "0.1.0",
                "model_id": "simulated_progression-cad2dfcb94b5",
                "task": "simulated_progression",
                "question": "How soon does the disease progress?",
                "causes": ["progression", "death"],
                "horizons_days": [180, 365],
                "modalities": ["clinical", "text", "imaging"],
                "intended_use": "Research.",
                "limits": list(LIMITS),
                "authentication": "JWT",
                "stale_after_days": 7,
            }
        }
    )
    name: str
    version: str
    model_id: str
    task: str
    question: str
    causes: tuple[str, ...]
    horizons_days: tuple[float, ...]
    modalities: tuple[str, ...]
    intended_use: str
    limits: tuple[str, ...]
    authentication: str
    stale_after_days: float


def risk_told(
    kept: Kept, patient: str, site: str, question: str, settings: ServiceSettings, now: datetime
) -> RiskTold:
    """A kept score as the answer about a patient.

    Args:
        kept: The score.
        patient: Whose.
        site: Where.
        question: That it answers.
        settings: Say from when a score is old.
        now: The time.
    """
    score, age = kept.score, (now - kept.looked_at).total_seconds()
    return RiskTold(
        patient=patient,
        site=site,
        question=question,
        model_id=score.model_id,
        index_time=score.index_time,
        made_at=kept.made_at,
        looked_at=kept.looked_at,
        age_seconds=max(0.0, age),
        stale=age > 86_400 * settings.stale_after_days,
        score=kept.digest,
        record=score.record,
        abstained_because=score.abstained_because or None,
        risks=score.risks,
        free_for=score.free_for,
        measured=score.measured,
        one_of=score.one_of,
        modalities_used=score.modalities_used,
        modalities_missing=score.modalities_missing,
        cautions=score.cautions,
        treatment=score.treatment,
        limits=LIMITS,
    )
