"""`prognosis risk --write-back`: an answer on a FHIR server, and what became of it."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from prognosis import __version__
from prognosis.cli.cards import NOT_INTENDED, limits_of
from prognosis.cli.console import stderr
from prognosis.cli.patient_report import patient_page
from prognosis.cli.sources import Act, Told, answer_server, write_answer
from prognosis.cohort import Case
from prognosis.comparison.treat import treat_cases
from prognosis.explanation import case_tokens, explain_tokens
from prognosis.fusion import FusionModel
from prognosis.outputs.fhir import Answer, ModelFacts
from prognosis.outputs.report import render_patient_page
from prognosis.prediction import predict_cases


def write_back(uri: str, sources: Sequence[str], model: FusionModel, case: Case) -> dict[str, Any]:
    """Write the model's answer for a case, the same whatever else was asked; and say what was written.

    Args:
        uri: The server, "fhir-server:URL".
        sources: What the record was read from.
        model: The model.
        case: As known at its index.

    Returns:
        What became of each resource, as plain JSON.
    """
    server = answer_server(uri, sources)

    def answer_about(subject: str) -> Answer:
        return answer(model, case, subject)

    told = write_answer(server, case.record, answer_about, this_act())
    say(told, uri)
    return told_json(told)


def answer(model: FusionModel, case: Case, subject: str) -> Answer:
    """The model's whole answer for a case, about the patient as a server names it.

    The explanations are on the scale on which evidence adds up, where they are exact.
    """
    prediction = predict_cases(model, [case])[0]
    known = case_tokens(model, case)
    told = () if prediction.abstained else tuple(explain_tokens(model, known, c) for c in model.task.causes)
    page = "" if prediction.abstained else render_patient_page(patient_page(model, case))
    treatment = None if model.arms is None else treat_cases(model, [case])[0]
    return Answer(subject, model.task, model_facts(model), prediction, told, page, treatment)


def model_facts(model: FusionModel) -> ModelFacts:
    """What a reader of an answer must know of the model."""
    return ModelFacts(
        model_id=model.model_id,
        software=__version__,
        modalities=model.modalities,
        patients=len(model.training.patients),
        not_intended=NOT_INTENDED,
        limits=limits_of(model.task),
    )


def this_act() -> Act:
    """Now, and this machine."""
    return Act(datetime.now(UTC), socket.gethostname() or "unknown")


def say(told: Told, uri: str) -> None:
    """Tell on stderr what was written, and how much was there already."""
    for note in told.notes:
        stderr.print(f"[yellow]note[/]: {note}", highlight=False, soft_wrap=True)
    for each in told.resources:
        if each.done != "unchanged":
            stderr.print(f"{each.done} {each.version}", markup=False, highlight=False, soft_wrap=True)
    there = sum(each.done == "unchanged" for each in told.resources)
    stderr.print(
        f"{len(told.resources) - there} resources written to {uri}, {there} there already",
        markup=False,
        highlight=False,
    )


def told_json(told: Told) -> dict[str, Any]:
    """What became of each resource."""
    resources = [{"done": each.done, "version": each.version} for each in told.resources]
    return {"patient": told.patient, "resources": resources, "notes": list(told.notes)}
