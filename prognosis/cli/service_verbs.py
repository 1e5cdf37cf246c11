"""`prognosis serve` and `prognosis watch`, as the command line takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prognosis.cli.options import AuditHeadOption, CacheOption, JsonOption, SourceOption, StateOption


def serve(  # noqa: PLR0913, PLR0917 - one parameter an option
    model: Annotated[Path, typer.Option("--model", help="A model folder.")],
    source: SourceOption,
    state: StateOption,
    settings: Annotated[
        Path | None, typer.Option("--settings", help="Who may ask, and more (YAML); docs/serve.md.")
    ] = None,
    host: Annotated[str, typer.Option(help="Where to listen; beyond this machine only with clients.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65_535)] = 8080,
    audit_head: AuditHeadOption = None,
    every: Annotated[
        float | None, typer.Option(min=1, help="Seconds after which the sources are read again.")
    ] = None,
    cache: CacheOption = None,
    *,
    warm: Annotated[bool, typer.Option("--warm", help="Score every patient at the start.")] = False,
) -> None:
    """Answer over HTTP and CDS Hooks: risks, explanations, cards; with an audit of every answer."""
    from prognosis.cli.serve import Listening, run_serve

    listening = Listening(host, port, every, warm)
    run_serve(model, source, state, listening, settings=settings, audit_head=audit_head, cache=cache)


def watch(
    model: Annotated[Path, typer.Option("--model", help="A model folder.")],
    source: SourceOption,
    state: StateOption,
    every: Annotated[float, typer.Option(min=1, help="Seconds between two readings of the sources.")] = 300.0,
    full_every: Annotated[
        float, typer.Option(min=0, help="Hours between readings of everything; in between, of what changed.")
    ] = 6.0,
    cache: CacheOption = None,
    *,
    once: Annotated[bool, typer.Option("--once", help="Read the sources once and stop.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Read the sources again and again, and score whoever has a new study or result."""
    from prognosis.cli.watch import run_watch

    run_watch(model, source, state, every, 3600 * full_every, once=once, cache=cache, json_output=json_output)
