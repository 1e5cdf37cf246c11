"""`prognosis treat`: what each arm of a task would do for one patient, on the terminal or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prognosis.cli.console import print_json, stdout
from prognosis.cli.loading import load_patient
from prognosis.cli.risk import case_at, find_patient
from prognosis.cli.treat_json import treat_json
from prognosis.comparison.treat import refuse_without_arms, treat_cases
from prognosis.fusion import load_model
from prognosis.outputs.treatment_text import treatment_text
from prognosis.record import Quarantine


def run_treat(
    patient: str,
    folder: Path,
    sources: Sequence[str],
    at: str | None,
    top: int,
    *,
    cache: Path | None,
    json_output: bool,
) -> None:
    """Answer for one patient, at the task's last index or at a time given."""
    model = load_model(folder, cache)
    refuse_without_arms(model)
    quarantine = Quarantine()
    record = find_patient(load_patient(sources, model.task, patient, quarantine), patient, quarantine)
    answer = treat_cases(model, [case_at(model, record, at)])[0]
    if json_output:
        print_json(treat_json(answer, top))
    else:
        stdout.print(treatment_text(answer, top))
