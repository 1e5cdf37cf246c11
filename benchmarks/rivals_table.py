"""The JSON of `prognosis evaluate ... --rivals --json` as Markdown tables: one row a method, ours first.

`prognosis evaluate MODEL --source ... --cv --rivals --json | python -m benchmarks.rivals_table`

By site each site has a table of its own. The metrics shown are those by which methods are compared.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

SHOWN = {"uno_c": ("Uno's C", 3), "ibs": ("IBS", 4), "auroc": ("AUROC", 3), "brier": ("Brier", 3)}
OURS = "all modalities"


def tables(found: Mapping[str, Any]) -> str:
    """Every table of an evaluation."""
    if "sites" not in found:
        return _table(found)
    parts = []
    for site, own in found["sites"].items():
        told = f"not tested: {own['refused']}\n" if "metrics" not in own else _table(own)
        parts.append(f"tested on {site}, trained on the other sites\n\n{told}")
    return "\n".join(parts)


def _table(found: Mapping[str, Any]) -> str:
    shown = [metric for metric in SHOWN if metric in found["metrics"]]
    heads = ["method"]
    for metric in shown:
        heads += [SHOWN[metric][0], "all modalities minus it"]
    lines = [
        f"{found['n']} cases of {found['patients']} patients "
        f"({', '.join(f'{count} {name}' for name, count in found['events'].items())})\n",
        f"| {' | '.join(heads)} |",
        f"|{'--|' * len(heads)}",
    ]
    gaps = {(gap["b"], gap["metric"]): gap for gap in found["comparisons"]}
    rows = {OURS: found, **found["members"]}
    for name, own in rows.items():
        cells = [name]
        for metric in shown:
            digits = SHOWN[metric][1]
            cells.append(_cell(own["metrics"].get(metric), "value", digits))
            cells.append(_cell(gaps.get((name, metric)), "difference", digits))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(interval: Mapping[str, float] | None, value: str, digits: int) -> str:
    if interval is None:
        return ""
    signed = "+" if value == "difference" else ""
    low, high = (f"{interval[end]:{signed}.{digits}f}" for end in ("low", "high"))
    return f"{interval[value]:{signed}.{digits}f} ({low} to {high})"


if __name__ == "__main__":
    sys.stdout.write(tables(json.load(sys.stdin)))
