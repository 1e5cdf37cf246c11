"""An answer whose every number is invented, and one that abstains."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from prognosis.cohort import Task
from prognosis.explanation import Attribution, Explanation, drivers_of
from prognosis.outputs.fhir import Answer, ModelFacts, Parties, answer_resources, audit_event, provenance
from prognosis.outputs.fhir.arm_assessment import arm_assessments
from prognosis.outputs.fhir.audit_event import Act
from prognosis.outputs.fhir.provenance import Activity
from prognosis.prediction import Prediction
from tests.outputs.treatment import comparison, refusal, response

INDEX = datetime(2020, 3, 2, 9, 30, 0, 123456, tzinfo=UTC)
WRITTEN = datetime(2020, 3, 2, 10, 0, tzinfo=UTC)
TASK = Task.from_statement(
    {
        "name": "ward",
        "question": "How soon does the disease progress,\n or death come first?",
        "index": {"at": "event", "codes": ["encounter-start|IMP"]},
        "outcome": {
            "kind": "time_to_event",
            "causes": {
                "disease_progression": ["urn:prognosis:simulate|disease-progression"],
                "death": ["MEDS|MEDS_DEATH"],
            },
            "horizons_days": [30, 365],
        },
        "intended_use": "A test.",
    },
    "tests",
)
MODEL = ModelFacts(
    "ward-1f2e3d4c", "0.1.0", ("clinical", "text", "imaging"), 1400, ("Children.",), ("One ward.",)
)
SOURCES = ("Observation/crp-9", "Condition/c1", "DocumentReference/n1#3", "ImagingStudy/i1#left lower zone")


def prediction(abstained_because: str = "") -> Prediction:
    """Risks of two causes by two horizons."""
    days = np.array([0.0, 30.0, 365.0])
    curves = {"disease_progression": np.array([0.0, 0.07, 0.31]), "death": np.array([0.0, 0.01, 0.125])}
    return Prediction(
        patient_id="17",
        site="",
        index_time=INDEX,
        days=days,
        cumulative_incidence=curves,
        low={cause: 0.7 * curve for cause, curve in curves.items()},
        high={cause: 1.3 * curve for cause, curve in curves.items()},
        level=0.9,
        log_hazard_standard_error=dict.fromkeys(curves, 0.2),
        horizons_days=(30.0, 365.0),
        modalities_used=("clinical", "text", "imaging"),
        modalities_missing={},
        cautions=("the film may be mirrored",),
        abstained_because=abstained_because,
        model_id=MODEL.model_id,
    )


def attribution(place: int, contribution: float, source: str) -> Attribution:
    """One piece of evidence, the driver of its own."""
    return Attribution(
        modality="clinical",
        name=f"laboratory value {place}",
        detail=f"{place} mmol/L",
        source=source,
        time=INDEX.isoformat(),
        contribution=contribution,
        interaction=0.0,
        topic=f"value-{place}",
    )


def explanation(
    cause: str = "death", contributions: tuple[float, ...] = (0.44, -0.22, 0.31, 0.17)
) -> Explanation:
    """Contributions on the log-hazard that add up."""
    told = tuple(
        attribution(place, value, SOURCES[place] if place < len(SOURCES) else f"Observation/x-{place}")
        for place, value in enumerate(contributions)
    )
    base = -2.31
    return Explanation(
        cause=cause,
        base=base,
        total=base + sum(contributions),
        attributions=told,
        drivers=drivers_of(told),
        scale="log_hazard",
        method="Shapley values in closed form",
        max_additivity_error=2.2e-16,
        standard_error=0.0,
        model_id=MODEL.model_id,
    )


def answer(subject: str = "Patient/17", *contributions: float) -> Answer:
    """What a model says of a patient."""
    told = (explanation("disease_progression"), explanation("death", contributions or (0.2, -0.1)))
    return Answer(subject, TASK, MODEL, prediction(), told, "<!doctype html><title>p\u00e4ge</title>")


def abstention() -> Answer:
    """What a model says of a patient whom it cannot judge."""
    return replace(answer(), prediction=prediction("the film is blank"), explanations=(), page="")


def every_resource() -> list[dict[str, Any]]:
    """One of everything that can be written."""
    given = answer()
    versions = [f"{each['resourceType']}/{each['id']}/_history/1" for each in answer_resources(given)]
    parties = Parties("ward-pc", "https://fhir.example.org", given.device)
    acts: tuple[tuple[Act, str], ...] = (
        ("create", versions[1]),
        ("update", versions[1]),
        ("query", "patient=17&_count=50"),
        ("export", "Patient/17"),
    )
    activities: tuple[Activity | None, ...] = ("CREATE", "UPDATE", None)
    return [
        *answer_resources(given),
        *answer_resources(abstention()),
        *arm_assessments(replace(given, treatment=comparison())),
        *arm_assessments(replace(given, treatment=response())),
        *arm_assessments(replace(given, treatment=refusal())),
        *(provenance(each, versions[1], given.device, given.cited, WRITTEN) for each in activities),
        provenance("NULLIFY", versions[1], given.device, (), WRITTEN),
        *(audit_event(act, what, "Patient/17", parties, WRITTEN) for act, what in acts),
        audit_event("create", versions[0], "", parties, WRITTEN),
    ]
