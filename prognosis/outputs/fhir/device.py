"""The model, in its version, as a FHIR R4 Device: what a RiskAssessment says it was made by."""

from __future__ import annotations

from prognosis.outputs.fhir.answer import Answer, in_words
from prognosis.outputs.fhir.elements import UNREVIEWED, Resource, checked, started, words
from prognosis.outputs.fhir.identity import MODEL, device_id


def model_device(answer: Answer) -> Resource:
    """The Device of the model that answered; one a model, whichever patients it answered for.

    Its version is the digest of the model folder's content, beside that of the software.
    """
    model, task = answer.model, answer.task
    name, _, content = model.model_id.rpartition("-")
    reads = ", ".join(in_words(each) for each in model.modalities)
    facts = (
        UNREVIEWED,
        f"Question: {' '.join(task.question.split())}",
        f"Intended use: {' '.join(task.intended_use.split()) or 'not stated'}",
        *(f"Not intended for: {each}" for each in model.not_intended),
        f"Reads {reads}. Trained on {model.patients} patients.",
        *(f"Limit: {each}" for each in model.limits),
    )
    return checked(
        started("Device", device_id(model.model_id), model.model_id, MODEL)
        | {
            "status": "active",
            "manufacturer": "prognosis",
            "modelNumber": model.model_id,
            "deviceName": [{"name": name or model.model_id, "type": "model-name"}],
            "type": words("Prognostic model"),
            "version": [
                {"type": words("model content"), "value": content},
                {"type": words("software"), "value": f"prognosis {model.software}"},
            ],
            "note": [{"text": text} for text in facts],
        }
    )
