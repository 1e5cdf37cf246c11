"""The verb `prognosis retract`; what it does is imported only when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prognosis.cli.options import JsonOption


def retract(
    patient: Annotated[str, typer.Argument(help="Patient id, as the server's records have it.")],
    model: Annotated[Path, typer.Option("--model", help="The model folder that answered.")],
    server: Annotated[str, typer.Option("--from", help="fhir-server:URL")],
    at: Annotated[
        str | None, typer.Option(help="Index time (ISO 8601) of the one that is meant; all by default.")
    ] = None,
    *,
    json_output: JsonOption = False,
) -> None:
    """Mark a model's answers about a patient on a FHIR server as entered in error."""
    from prognosis.cli.retract import run_retract

    run_retract(patient, model, server, at, json_output=json_output)
