"""The verb `prognosis demo`; what it does is imported only when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prognosis.cli.options import JsonOption
from prognosis.errors import InputError

PATIENTS, LIVE_PATIENTS = 2500, 80


def demo(  # noqa: PLR0913 - one parameter an option
    out: Annotated[
        Path | None, typer.Option("--out", help="Where to write; runs/demo, with --live runs/live.")
    ] = None,
    patients: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=f"How many to simulate, or to take of --source; {PATIENTS}, with --live {LIVE_PATIENTS}.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the simulation and the training.")] = 0,
    *,
    live: Annotated[
        bool,
        typer.Option(
            "--live", help="Through real servers on this machine: Orthanc and sekmet-fhir; docs/live.md."
        ),
    ] = False,
    model: Annotated[
        Path | None, typer.Option("--model", help="With --live: a model folder, instead of training one.")
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--source", help="With --live: files of real patients with films, in place of simulated."
        ),
    ] = None,
    task: Annotated[
        Path | None, typer.Option("--task", help="With --live and --source: what is asked about them.")
    ] = None,
    fhir_server: Annotated[
        Path | None,
        typer.Option(
            "--fhir-server",
            envvar="PROGNOSIS_SEKMET",
            help="With --live: the program sekmet; the one on the PATH by default.",
        ),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Run everything once, offline: simulate, export, read back, train, evaluate, explain, report."""
    if live:
        from prognosis.cli.live import apart
        from prognosis.cli.live.demo import LiveAsked, run_live

        asked = LiveAsked(
            out or Path("runs/live"),
            patients or LIVE_PATIENTS,
            seed,
            model,
            fhir_server,
            tuple(source or ()),
            task,
        )
        asked.check()
        status = apart.run_apart()
        raise typer.Exit(int(not run_live(asked, json_output=json_output)) if status is None else status)
    for name, given in (("--model", model), ("--source", source), ("--task", task)):
        if given:
            raise InputError(name, "belongs to the live demonstration", "add --live, or leave it out")
    from prognosis.cli.demo import run_demo

    run_demo(out or Path("runs/demo"), patients or PATIENTS, seed, json_output=json_output)
