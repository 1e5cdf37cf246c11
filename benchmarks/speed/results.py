"""What the runner prints and writes."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from benchmarks.speed.timing import OURS, Comparison

_ALWAYS = ("numpy", "numba")


def table(comparisons: Sequence[Comparison]) -> str:
    """Processor seconds and ratios as a Markdown table, one row a candidate."""
    lines = [
        "| task | who | best CPU s | median CPU s | runs | ours is faster by | goal |",
        "|--|--|--:|--:|--:|--:|--:|",
    ]
    for comparison in comparisons:
        for who, timing in comparison.timings.items():
            goal = comparison.goals.get(who)
            part = "" if timing.share == 1.0 else f" ({timing.share:.3g} of the task, scaled)"
            cells = [
                comparison.task if who == OURS else "",
                who + part,
                f"{timing.best:.4g}",
                f"{timing.median:.4g}",
                str(len(timing.seconds)),
                "" if who == OURS else f"{comparison.ratio(who):.1f}x",
                "" if goal is None else f"{goal:g}x",
            ]
            lines.append(f"| {' | '.join(cells)} |")
    equal = [f"- {comparison.task}: {comparison.equality}" for comparison in comparisons]
    return "\n".join([*lines, "", "Asserted in the run:", *equal, ""])


def write(path: Path, comparisons: Sequence[Comparison], packages: Sequence[str], threads: int) -> None:
    """Write the comparisons as JSON, with the command, the versions and the threads behind them."""
    document = {
        "command": " ".join(["python -m benchmarks.speed", *sys.argv[1:]]),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in sorted({*_ALWAYS, *packages})},
        "threads": threads,
        "clock": "processor time of all threads",
        "processors": os.cpu_count(),
        "comparisons": [
            {
                "task": comparison.task,
                "equality": comparison.equality,
                "candidates": [
                    {
                        "name": who,
                        "seconds": [round(seconds, 6) for seconds in timing.seconds],
                        "share_run": timing.share,
                        "ours_is_faster_by": None if who == OURS else round(comparison.ratio(who), 2),
                        "goal": comparison.goals.get(who),
                    }
                    for who, timing in comparison.timings.items()
                ],
            }
            for comparison in comparisons
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
