"""`prognosis retract`: a model's answers about a patient, marked as entered in error on a FHIR server."""

from __future__ import annotations

from pathlib import Path

from prognosis.cli.console import print_json
from prognosis.cli.risk import stated_time
from prognosis.cli.sources import answer_server, retract_answers
from prognosis.cli.write_back import say, this_act, told_json
from prognosis.fusion import load_model


def run_retract(patient: str, folder: Path, uri: str, at: str | None, *, json_output: bool) -> None:
    """Withdraw a model's answers, one or all; what is not its own stays as it is."""
    time = None if at is None else stated_time("--at", at)
    model = load_model(folder)
    told = retract_answers(answer_server(uri), patient, model.model_id, model.task, time, this_act())
    if json_output:
        print_json(told_json(told))
    say(told, uri)
