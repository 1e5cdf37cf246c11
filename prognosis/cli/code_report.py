"""The part of `prognosis cohort describe --codes` that tells which codes and units are left aside."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from rich.markup import escape
from rich.table import Table

from prognosis.cli.console import stdout
from prognosis.cohort.code_uses import CodeUses

SHOWN = 40


def code_uses_json(uses: CodeUses) -> dict[str, Any]:
    """All of it as plain JSON, in the same order."""
    return asdict(uses)


def print_code_uses(uses: CodeUses) -> None:
    """The codes that most patients have, and every unit that could not be converted, as tables on stdout."""
    left = f"{len(uses.unused)} of {uses.codes_in_all} codes"
    table = Table(title=f"{left} that no concept gathers and the task does not name")
    for name in ("code", "name", "patients", "facts"):
        table.add_column(name, justify=_side(name), overflow="fold")
    for code in uses.unused[:SHOWN]:
        table.add_row(escape(code.code), escape(code.display), str(code.patients), str(code.facts))
    if len(uses.unused) > SHOWN:
        table.add_row(f"and {len(uses.unused) - SHOWN} more (--json lists all)", "", "", "")
    stdout.print(table)
    if not uses.unconverted:
        return
    units = Table(title="units that could not be converted: their values are not read")
    for name in ("code", "concept", "unit", "wanted", "why", "patients", "facts"):
        units.add_column(name, justify=_side(name), overflow="fold")
    for each in uses.unconverted:
        told = (each.code, each.concept, each.unit or "none", each.wanted, f"it {each.reason}")
        units.add_row(*(escape(text) for text in told), str(each.patients), str(each.facts))
    stdout.print(units)


def _side(name: str) -> Literal["left", "right"]:
    return "right" if name in ("patients", "facts") else "left"
