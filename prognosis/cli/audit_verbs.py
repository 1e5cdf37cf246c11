"""`prognosis audit` and its verbs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prognosis.cli.options import AuditHeadOption, CacheOption, JsonOption, SourceOption, StateOption

audit_app = typer.Typer(help="Check what a service has answered.", no_args_is_help=True)


@audit_app.command("verify")
def audit_verify(
    state: StateOption, audit_head: AuditHeadOption = None, *, json_output: JsonOption = False
) -> None:
    """Is every entry as it was written, and none missing? Exit 2 when not."""
    from prognosis.cli.audit import run_verify

    run_verify(state, audit_head, json_output=json_output)


@audit_app.command("replay")
def audit_replay(
    state: StateOption,
    model: Annotated[Path, typer.Option("--model", help="A model folder.")],
    source: SourceOption,
    audit_head: AuditHeadOption = None,
    cache: CacheOption = None,
    *,
    json_output: JsonOption = False,
) -> None:
    """Score again what was answered; exit 1 when an answer differs by more than 1e-6."""
    from prognosis.cli.audit import run_replay

    raise typer.Exit(run_replay(state, audit_head, model, source, cache, json_output=json_output))


@audit_app.command("export")
def audit_export(
    state: StateOption,
    to: Annotated[str, typer.Option("--to", help="A folder, or fhir-server:URL.")],
    audit_head: AuditHeadOption = None,
    after: Annotated[int, typer.Option(min=0, help="Only entries beyond this number.")] = 0,
    service: Annotated[str, typer.Option(help="The service's name or address, as readers know it.")] = (
        "prognosis"
    ),
    *,
    json_output: JsonOption = False,
) -> None:
    """Write every entry as a FHIR AuditEvent; written twice, it is there once."""
    from prognosis.cli.audit import audit_folder
    from prognosis.cli.audit_export import run_export

    run_export(audit_folder(state, audit_head), to, after, service, json_output=json_output)
