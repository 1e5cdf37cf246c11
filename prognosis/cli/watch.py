"""`prognosis watch`: scores made ahead, by a process of its own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from prognosis.cli.console import print_json, stderr
from prognosis.cli.sources.patients import SourcePatients
from prognosis.errors import SourceError
from prognosis.fusion import load_model
from prognosis.serve.metrics import Metrics
from prognosis.serve.renewing import LOOK_S, Renewed, renew
from prognosis.serve.scorer import Scorer
from prognosis.serve.state_folder import StateFolder


def run_watch(
    folder: Path,
    sources: Sequence[str],
    state: Path,
    every_s: float,
    full_every_s: float,
    *,
    once: bool,
    cache: Path | None,
    json_output: bool,
) -> None:
    """Read, score what has changed, and wait: for the next time or for a notification, whichever is sooner.

    Raises:
        SourceError: With `once`, a source cannot be read; else that is said, and tried again.
    """
    model = load_model(folder, cache)
    scorer = Scorer.open(model, StateFolder(state), Metrics(), lambda: datetime.now(tz=UTC))
    records = SourcePatients(sources, model.task, read=False, full_every_s=full_every_s)
    while True:
        seen = scorer.scores.notified()
        try:
            done = renew(scorer, records)
        except SourceError as error:
            if once:
                raise
            stderr.print(f"the sources cannot be read: {error.problem}", markup=False, highlight=False)
        else:
            seen = _tell(scorer, done, seen, json_output=json_output)
        if once:
            return
        ends = time.monotonic() + every_s
        while time.monotonic() < ends and scorer.scores.notified() == seen:
            time.sleep(LOOK_S)


def _tell(scorer: Scorer, done: Renewed, seen: int, *, json_output: bool) -> int:
    """Say what was done, and have a service on the same folder read its sources again.

    Returns:
        The number of notifications that need no further reading: those before the pass, and our own.
    """
    told = {"made": done.made, "unchanged": done.unchanged, "refused": done.refused}
    if json_output:
        print_json(told)
    else:
        stderr.print(", ".join(f"{count} {name}" for name, count in told.items()), highlight=False)
    if done.made:
        own = scorer.scores.notify(scorer.now())
        return own if own == seen + 1 else seen
    return seen
