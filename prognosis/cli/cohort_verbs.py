"""`prognosis cohort` and its verbs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prognosis.cli.options import JsonOption, OutOption, SourceOption, TaskArgument

cohort_app = typer.Typer(help="Build, describe, check and export cohorts.", no_args_is_help=True)


@cohort_app.command("build")
def cohort_build(
    task: TaskArgument, source: SourceOption, out: OutOption, *, json_output: JsonOption = False
) -> None:
    """Select a task's cases and write their records and labels in MEDS form."""
    from prognosis.cli.cohort import run_build

    run_build(task, source, out, json_output=json_output)


@cohort_app.command("describe")
def cohort_describe(
    task: TaskArgument,
    source: SourceOption,
    *,
    codes: Annotated[
        bool, typer.Option("--codes", help="Also the codes that nothing gathers, and units not converted.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Who is in the cohort, who was left out and why, what the records hold."""
    from prognosis.cli.cohort import run_describe

    run_describe(task, source, codes=codes, json_output=json_output)


@cohort_app.command("check")
def cohort_check(
    task: TaskArgument,
    source: SourceOption,
    *,
    controls: Annotated[
        bool, typer.Option("--controls", help="Also train on permuted labels: nothing may be learnt.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Look for leakage and for damaged data; exit 1 when a finding fails that the task does not accept."""
    from prognosis.cli.check import run_check

    run_check(task, source, controls=controls, json_output=json_output)


@cohort_app.command("export")
def cohort_export(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    source: SourceOption,
    to: Annotated[str, typer.Option("--to", help="fhir-dicom or meds.")] = "fhir-dicom",
    *,
    json_output: JsonOption = False,
) -> None:
    """Write records as FHIR R4 Bulk NDJSON and DICOM files, or as MEDS Parquet."""
    from prognosis.cli.cohort import run_export

    run_export(folder, source, to, json_output=json_output)
