"""The verb `prognosis risk`; what it does is imported only when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prognosis.cli.options import CacheOption, JsonOption, SourceOption, WriteBackOption, WriteImagesOption


def risk(  # noqa: PLR0913 - one parameter an option
    patient: Annotated[str, typer.Argument(help="Patient id, or site/id where two sites share it.")],
    model: Annotated[Path, typer.Option("--model", help="A model folder.")],
    source: SourceOption,
    at: Annotated[
        str | None, typer.Option(help="Index time (ISO 8601); the task's last index by default.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Also write the patient's page (HTML) here.")] = None,
    top: Annotated[int, typer.Option(min=0, help="How many drivers to print.")] = 8,
    cache: CacheOption = None,
    *,
    scale: Annotated[
        str, typer.Option(help="Of the drivers: log_hazard (exact) or probability (by a horizon).")
    ] = "log_hazard",
    horizon_days: Annotated[
        float | None, typer.Option(help="Of --scale probability; the task's last horizon by default.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Also tell what moved the answer since then (ISO 8601).")
    ] = None,
    write_back: WriteBackOption = None,
    write_images: WriteImagesOption = None,
    json_output: JsonOption = False,
) -> None:
    """One patient's risk: horizons with intervals, drivers with dates and sources, what is missing."""
    from prognosis.cli.risk import Asked, run_risk

    asked = Asked(at, top, scale, horizon_days, since, write_back, write_images)
    run_risk(patient, model, source, asked, report=report, cache=cache, json_output=json_output)
