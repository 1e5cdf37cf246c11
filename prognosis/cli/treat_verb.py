"""The verb `prognosis treat`; what it does is imported only when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prognosis.cli.options import CacheOption, JsonOption, SourceOption


def treat(
    patient: Annotated[str, typer.Argument(help="Patient id, or site/id where two sites share it.")],
    model: Annotated[Path, typer.Option("--model", help="A folder of a model whose task states treatment.")],
    source: SourceOption,
    at: Annotated[
        str | None, typer.Option(help="Index time (ISO 8601); the task's last index by default.")
    ] = None,
    top: Annotated[int, typer.Option(min=0, help="How many drivers to print for and against each arm.")] = 3,
    cache: CacheOption = None,
    *,
    json_output: JsonOption = False,
) -> None:
    """What each arm of the task would do for one patient, with intervals, or why that is not said."""
    from prognosis.cli.treat import run_treat

    run_treat(patient, model, source, at, top, cache=cache, json_output=json_output)
