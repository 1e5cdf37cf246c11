"""What is expected under each arm as FHIR R4 RiskAssessments: one an arm, and never an order."""

from __future__ import annotations

from datetime import timedelta

from prognosis.comparison.answer import ArmAnswer, Number, TreatmentAnswer
from prognosis.outputs.fhir.answer import Answer
from prognosis.outputs.fhir.elements import (
    TERMS,
    UNREVIEWED,
    Resource,
    checked,
    coding,
    interval,
    number,
    quantity,
    reference,
    started,
    words,
)
from prognosis.outputs.fhir.identity import arm_of, dated
from prognosis.outputs.treatment_text import NO_ORDER, contrast_lines, verdict
from prognosis.outputs.treatment_words import amount

WORTH = "urn:prognosis:worth"
"""Extension of RiskAssessment: the days of the horizon that an arm keeps free of the event."""


def arm_assessments(answer: Answer) -> tuple[Resource, ...]:
    """A RiskAssessment for each arm; none where the model compares no arms.

    Predictions of a time to event are those of `risk_assessment`, had the patient been given the arm, with
    time zero after the task's grace period; the days kept are the extension `urn:prognosis:worth` and a note.
    Of a response the prediction is its probability. Differences from the other arms and what is assumed are
    notes. An arm of which nothing is said is "cancelled", without a number, and the first note
    is the reason.

    Raises:
        MappingError: A number is not finite.
    """
    told = answer.treatment
    return () if told is None else tuple(_assessment(answer, told, arm) for arm in told.arms)


def _assessment(answer: Answer, told: TreatmentAnswer, arm: ArmAnswer) -> Resource:
    kind = arm_of(arm.name)
    written = started("RiskAssessment", answer.key.fhir_id(kind), answer.key.value(kind)) | {
        "status": "cancelled" if arm.worth is None else "preliminary",
        "method": words("prognosis: doubly robust comparison of arms", coding(TERMS, "arm-comparison")),
        "code": words(f"If given {arm.name}: {' '.join(told.question.split())}", coding(TERMS, "arm")),
        "subject": reference(answer.subject),
        "occurrenceDateTime": dated(told.index_time),
        "performer": reference(answer.device, answer.model.model_id),
        "note": [{"text": text} for text in _notes(told, arm)],
    }
    if arm.worth is None:
        return checked(written)
    if answer.arms_cited:
        written["basis"] = [reference(each) for each in answer.arms_cited]
    if told.horizon_days is None:
        outcome = words(told.worth_is.removeprefix("probability of "))
        written["prediction"] = [{"outcome": outcome, **_probability(arm.worth)}]
        return checked(written)
    written["extension"] = [_worth(arm.worth)]
    start = told.index_time + timedelta(days=told.starts_after_days)
    written["prediction"] = [
        {
            "outcome": words(told.outcome),
            **_probability(each.risk),
            "whenPeriod": {"start": dated(start), "end": dated(start + timedelta(days=each.days))},
        }
        for each in arm.risks
    ]
    return checked(written)


def _probability(told: Number) -> Resource:
    low, high = number(100 * told.low), number(100 * told.high)
    return {
        "extension": [interval(told.level, quantity(low, "%"), quantity(high, "%"))],
        "probabilityDecimal": number(100 * told.value),
        "rationale": f"{100 * told.level:g}% interval: {low:.3g}% to {high:.3g}%",
    }


def _worth(told: Number) -> Resource:
    ends = quantity(told.low, "d", "days"), quantity(told.high, "d", "days")
    value = {"url": "value", "valueQuantity": quantity(told.value, "d", "days")}
    return {"url": WORTH, "extension": [value, interval(told.level, *ends)]}


def _notes(told: TreatmentAnswer, arm: ArmAnswer) -> tuple[str, ...]:
    said: tuple[str, ...]
    if arm.worth is None:
        why = "" if arm.withheld is None else arm.withheld.detail
        said = (f"Nothing is said of {arm.name}: {why}",)
    else:
        said = (f"{told.worth_is}: {amount(arm.worth)}",)
    return (
        *said,
        NO_ORDER,
        UNREVIEWED,
        verdict(told),
        *contrast_lines(told, arm.name),
        *(f"Caution: {each}" for each in told.cautions),
        *(f"Assumed: {each}" for each in told.assumptions),
    )
