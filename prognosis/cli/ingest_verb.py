"""`prognosis ingest` as the command line knows it."""

from __future__ import annotations

from typing import Annotated

import typer

from prognosis.cli.options import AuditStateOption, JsonOption, OutOption


def ingest_export(
    source: Annotated[str, typer.Argument(help="A large export, fhir-folder:DIR.")],
    out: OutOption,
    state: AuditStateOption = None,
    *,
    json_output: JsonOption = False,
) -> None:
    """Read a large FHIR export into a store for `meds:DIR`; stopped and started again, it goes on."""
    from prognosis.cli.ingest import run_ingest

    run_ingest(source, out, state=state, json_output=json_output)
