"""What a run shows: progress bars and prose on stderr, JSON on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

stderr = Console(stderr=True)
stdout = Console()


class Bars:
    """Progress bars on stderr, one a description; call it with (what, done, total)."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),  # a source's path may hold square brackets
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=stderr,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, what: str, done: int, total: int, doing: str = "") -> None:
        """Show that `done` of `total` steps are taken, and which is under way; total 0 means not known."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=total or None)
        description = f"{what}: {doing}" if doing else what
        self._progress.update(self._tasks[what], completed=done, total=total or None, description=description)


def print_json(stated: Mapping[str, Any]) -> None:
    """Write a result to stdout; a number that is not finite is an error of ours and raises ValueError."""
    sys.stdout.write(json.dumps(stated, indent=2, allow_nan=False, default=str) + "\n")
