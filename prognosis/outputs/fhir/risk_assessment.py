"""The answer as a FHIR R4 RiskAssessment: one prediction for each horizon and cause."""

from __future__ import annotations

from datetime import timedelta

from prognosis.cohort import Task
from prognosis.cohort.outcome import TimeToEvent
from prognosis.outputs.fhir.answer import Answer, in_words
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
from prognosis.outputs.fhir.identity import RISK, dated
from prognosis.prediction.prediction import Prediction, Risk
from prognosis.record import Code

_ABSOLUTE = ("http://", "https://", "urn:")


def risk_assessment(answer: Answer) -> Resource:
    """The RiskAssessment of an answer.

    `probabilityDecimal` is a percentage (R4, section 9.5: "values are between 0 and 100"), the probability
    that the cause has come by the end of `whenPeriod` and came first. `whenRange` would be an age of the
    patient (R4, definition of `when[x]`; its example of ten years states 39 to 49 years). The interval is the
    extension `urn:prognosis:interval`, and is in `rationale` too, for readers that drop extensions:
    probabilityRange would have to replace the probability. It stays preliminary; only a person can make it
    final.

    A model that abstains gives no number: the status is then "cancelled", there is no prediction, and the
    reason is the first note. That it was asked, and gave no answer, is worth knowing.

    Raises:
        MappingError: A probability is not finite.
    """
    prediction = answer.prediction
    written = started("RiskAssessment", answer.key.fhir_id(RISK), answer.key.value(RISK)) | {
        "status": "cancelled" if prediction.abstained else "preliminary",
        "method": _method(answer),
        "code": words(" ".join(answer.task.question.split())),
        "subject": reference(answer.subject),
        "occurrenceDateTime": dated(prediction.index_time),
        "performer": reference(answer.device, answer.model.model_id),
        "note": [{"text": text} for text in _notes(answer)],
    }
    if prediction.abstained:
        return checked(written)
    if answer.cited:
        written["basis"] = [reference(each) for each in answer.cited]
    written["prediction"] = [_prediction(risk, prediction, answer.task) for risk in prediction.risks()]
    return checked(written)


def _method(answer: Answer) -> Resource:
    kind = "hazards with competing causes" if answer.task.is_survival else "probabilities of classes"
    reads = ", ".join(in_words(each) for each in answer.model.modalities)
    return words(f"prognosis: {kind}, from {reads}", coding(TERMS, "additive-bilinear"))


def _notes(answer: Answer) -> tuple[str, ...]:
    prediction = answer.prediction
    because = (f"No risk is given: {prediction.abstained_because}",) if prediction.abstained else ()
    used = ", ".join(in_words(each) for each in prediction.modalities_used) or "nothing"
    return (
        *because,
        UNREVIEWED,
        f"Rests on: {used}.",
        *(f"Missing: {in_words(name)}: {why}" for name, why in prediction.modalities_missing.items()),
        *(f"Caution: {each}" for each in prediction.cautions),
    )


def _prediction(risk: Risk, prediction: Prediction, task: Task) -> Resource:
    level, index = prediction.level, prediction.index_time
    low, high = number(100 * risk.low), number(100 * risk.high)
    return {
        "extension": [interval(level, quantity(low, "%"), quantity(high, "%"))],
        "outcome": _outcome(risk.cause, task),
        "probabilityDecimal": number(100 * risk.probability),
        "whenPeriod": {"start": dated(index), "end": dated(index + timedelta(days=risk.days))},
        "rationale": f"{100 * level:g}% interval: {low:.3g}% to {high:.3g}%",
    }


def _outcome(cause: str, task: Task) -> Resource:
    """What may happen: in words, with the codes of the task whose system is a URI."""
    outcome = task.outcome
    codes = outcome.causes.get(cause, ()) if isinstance(outcome, TimeToEvent) else ()
    parsed = [Code.parse(code) for code in codes]
    known = [code for code in parsed if code.system.startswith(_ABSOLUTE) and code.value]
    return words(in_words(cause), *(coding(code.system, code.value) for code in known))
