"""The model card of a bundle, from what training and evaluation recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prognosis.fusion import FusionModel
from prognosis.outputs.model_card import ModelCard, model_card

NOT_INTENDED = (
    "Decisions about care: it has not been validated for any.",
    "Patients unlike those it was trained on; it abstains where it can tell.",
)
LIMITS = (
    "A patient's interval holds the sampling of patients and what missing modalities might have said; it does not "
    "hold the uncertainty of the evidence models themselves.",
    "Contributions explain the model, not the disease: a driver is not a cause.",
)


def bundle_card(model: FusionModel, metrics: Mapping[str, Any]) -> str:
    """The README.md of a model folder."""
    training = model.training
    judged = metrics.get("held_out") or metrics.get("validation")
    measured = (
        {name: (found["value"], found["low"], found["high"]) for name, found in judged["metrics"].items()}
        if judged
        else {}
    )
    return model_card(
        ModelCard(
            name=model.task.name,
            question=model.task.question,
            intended_use=model.task.intended_use or "Research.",
            not_intended=NOT_INTENDED,
            simulated=bool(metrics.get("simulated")),
            cases=training.cases,
            patients=len(training.patients),
            events=dict(training.events),
            modalities=dict(training.modality_cases),
            left_out=dict(training.left_out),
            measured=measured,
            judged_cases=int(judged["n"]) if judged else 0,
            limits=LIMITS,
        )
    )
