"""`prognosis bulk-export`: a server's resources in a folder, for `--source fhir-folder:`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.table import Table

from prognosis.cli.acts import noted
from prognosis.cli.console import Bars, print_json, stderr, stdout
from prognosis.cli.sources.bulk import BulkAsked, export_bulk
from prognosis.record import Quarantine


def run_bulk_export(
    server: str,
    out: Path,
    asked: BulkAsked,
    also: Sequence[str],
    wait_hours: float,
    *,
    state: Path | None,
    json_output: bool,
) -> int:
    """Export, and say what came.

    Returns:
        The exit status: 1 when the server could not export something, else 0.
    """
    quarantine = Quarantine()
    with noted("bulk-export", state) as tell, Bars() as bars:
        summary = export_bulk(
            server.removeprefix("fhir-server:"),
            out,
            asked,
            quarantine,
            lambda what, done, total: bars(what, done, total or 0),
            also=also,
            wait_hours=wait_hours,
        )
        tell(asdict(summary))
    for notice, count in quarantine.notices.items():
        stderr.print(f"{notice} ({count})", style="yellow", markup=False, highlight=False)
    if summary.issues:
        stderr.print(
            f"the server could not export {summary.issues} resources: what is read from {out} lacks them",
            style="yellow",
            markup=False,
            highlight=False,
        )
    if json_output:
        print_json({**asdict(summary), "folder": str(out)})
    else:
        table = Table(title=f"export as of {summary.transaction_time}")
        table.add_column("type")
        table.add_column("resources", justify="right")
        for kind, count in sorted(summary.resources.items()):
            table.add_row(kind, str(count))
        table.add_row("deleted on the server", str(summary.deleted))
        table.add_row("of these taken out here", str(summary.removed))
        stdout.print(table)
        stderr.print(f"read it with --source fhir-folder:{out}", markup=False, highlight=False)
    return int(summary.issues > 0)
