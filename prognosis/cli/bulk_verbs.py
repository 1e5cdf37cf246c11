"""`prognosis bulk-export`: what may be asked for."""

from __future__ import annotations

from typing import Annotated

import typer

from prognosis.cli.options import AuditStateOption, JsonOption, OutOption


def bulk_export(  # noqa: PLR0913, PLR0917 - one parameter an option
    server: Annotated[str, typer.Argument(help="The base of a FHIR R4 server, https://host/fhir.")],
    out: OutOption,
    group: Annotated[str | None, typer.Option(help="Only members of this Group, by its id.")] = None,
    since: Annotated[str, typer.Option(help="Only what changed since then (ISO 8601 with offset).")] = "",
    kind: Annotated[
        list[str] | None, typer.Option("--type", help="Only this resource type; repeat it for several.")
    ] = None,
    type_filter: Annotated[
        list[str] | None, typer.Option(help="Narrow a type, e.g. 'Observation?status=final'.")
    ] = None,
    allow_origin: Annotated[
        list[str] | None, typer.Option(help="Another https://host that may hold the files; gets no token.")
    ] = None,
    wait_hours: Annotated[float, typer.Option(min=0, help="How long the export may take.")] = 24.0,
    state: AuditStateOption = None,
    *,
    patients: Annotated[
        bool, typer.Option("--patients", help="Only what is about patients, not the whole system.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Export a FHIR server in bulk into a folder; stopped and run again, it goes on."""
    from prognosis.cli.bulk_export import run_bulk_export
    from prognosis.cli.sources.bulk import BulkAsked

    asked = BulkAsked(group, patients, since, tuple(kind or ()), tuple(type_filter or ()))
    also = allow_origin or ()
    status = run_bulk_export(server, out, asked, also, wait_hours, state=state, json_output=json_output)
    raise typer.Exit(status)
