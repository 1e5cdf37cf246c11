"""Why a risk is what it is as a FHIR R4 Observation: a component for each driver, its sign kept."""

from __future__ import annotations

from collections.abc import Iterator

from prognosis.errors import ModelError
from prognosis.explanation import Driver, Explanation
from prognosis.outputs.fhir.answer import Answer, in_words
from prognosis.outputs.fhir.elements import (
    SOURCE,
    TERMS,
    UNREVIEWED,
    Resource,
    checked,
    coding,
    number,
    quantity,
    reference,
    started,
    words,
)
from prognosis.outputs.fhir.identity import attribution_of, cited_resource, dated

SHOWN = 20
"""Drivers with a component of their own; the sum of the others is the component "rest"."""

EXACT = 1e-9
"""How far base, contributions and rest may be from the output that they add up to."""

_DERIVED_FROM = ("DocumentReference", "ImagingStudy", "Observation")
"""Of the types that R4 lets an Observation be derived from, those that evidence is read from."""


def attribution_observation(answer: Answer, explanation: Explanation) -> Resource:
    """The Observation that explains one cause.

    Its value is the output for this patient; the components "base", "contribution" and "rest" add up to it
    within 1e-9. All are pure numbers (UCUM "1") on the explanation's scale, and positive raises the risk.

    Raises:
        ModelError: They do not add up.
    """
    kind = attribution_of(explanation.cause)
    cause = in_words(explanation.cause)
    written = started("Observation", answer.key.fhir_id(kind), answer.key.value(kind)) | {
        "status": "preliminary",
        "code": words(f"What the predicted risk of {cause} rests on", coding(TERMS, "attribution")),
        "subject": reference(answer.subject),
        "effectiveDateTime": dated(answer.prediction.index_time),
        "valueQuantity": quantity(explanation.total, "1"),
        "method": words(f"{explanation.method}; scale: {in_words(explanation.scale)}"),
        "device": reference(answer.device, answer.model.model_id),
        "note": [{"text": UNREVIEWED}, {"text": "A driver is what the model used. It is not a cause."}],
        "component": list(_components(explanation)),
    }
    derived = answer.of_type(*_DERIVED_FROM)
    if derived:
        written["derivedFrom"] = [reference(each) for each in derived]
    _check_sum(written)
    return checked(written)


def _components(explanation: Explanation) -> Iterator[Resource]:
    shown, others = explanation.drivers[:SHOWN], explanation.drivers[SHOWN:]
    yield _component("base", "the average patient with these modalities", explanation.base)
    for driver in shown:
        sources = list(_sources(driver))
        component = _component("contribution", _driver(driver), driver.contribution)
        yield {"extension": sources, **component} if sources else component
    rest = sum(driver.contribution for driver in others)
    yield _component("rest", f"{len(others)} further drivers", rest)
    error = explanation.max_additivity_error
    yield _component("additivity-error", "largest difference from the prediction's own path", error)


def _component(code: str, text: str, value: float) -> Resource:
    return {"code": words(text, coding(TERMS, code)), "valueQuantity": quantity(value, "1")}


def _driver(driver: Driver) -> str:
    leading = driver.leading
    told = f"{leading.modality}: {leading.name}"
    return " ".join((f"{told}: {leading.detail}" if leading.detail else told).split())


def _sources(driver: Driver) -> Iterator[Resource]:
    """Where a driver's parts stand, each once; a sentence or a region is the reference's display."""
    for source in dict.fromkeys(part.source for part in driver.parts):
        cited = cited_resource(source)
        if cited is not None:
            yield {"url": SOURCE, "valueReference": reference(cited, source.partition("#")[2])}


def _check_sum(observation: Resource) -> None:
    added = sum(
        component["valueQuantity"]["value"]
        for component in observation["component"]
        if component["code"]["coding"][0]["code"] in ("base", "contribution", "rest")
    )
    total = observation["valueQuantity"]["value"]
    if not abs(added - total) <= EXACT * max(1.0, abs(total)):
        name = f"Observation/{observation['id']}"
        problem = f"has contributions that miss its output by {abs(added - number(total)):.1e}"
        raise ModelError(name, problem, "train the model again with this version")
