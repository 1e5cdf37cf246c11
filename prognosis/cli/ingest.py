"""`prognosis ingest`: a large export read once into a store on disk."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from prognosis.cli.acts import noted
from prognosis.cli.console import print_json, stderr, stdout
from prognosis.cli.sources import ingest


def run_ingest(source: str, out: Path, *, state: Path | None, json_output: bool) -> None:
    """Ingest an export and say what became of every resource in it."""
    with noted("ingest", state) as tell:
        made = ingest(source, out)
        tell(asdict(made))
    for message, count in made.notices.items():
        stderr.print(f"[yellow]note[/]: {escape(message)} ({count})", highlight=False)
    stderr.print(
        f"wrote {out}: {made.written['subjects']} patients, {made.written['rows']} rows; "
        f"read it with --source meds:{out}",
        markup=False,
        highlight=False,
    )
    if json_output:
        print_json(asdict(made))
        return
    table = Table(title="resources")
    table.add_column("type")
    for name in ("received", "accepted", "set aside"):
        table.add_column(name, justify="right")
    for kind, count in made.received.items():
        table.add_row(
            escape(kind), str(count), str(made.accepted.get(kind, 0)), str(made.rejected.get(kind, 0))
        )
    stdout.print(table)
