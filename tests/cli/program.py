"""The command line, run inside the test's own process: what it printed where, and its exit code."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from prognosis.cli.main import run
from tests.connectors.datasets.cohorts import csv

SURVIVAL_TABLE = """
name: clinic
question: How soon does it come back?
index: {at: event, codes: ["prognosis|index"]}
outcome: {kind: time_to_event, causes: {relapse: ["outcome|relapse"]}, horizons_days: [100, 200]}
table: {time: days, event: relapsed, event_causes: {"1": relapse}}
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """What one command did."""

    status: int
    out: str
    err: str

    @property
    def stated(self) -> Any:
        """Its standard output as JSON."""
        return json.loads(self.out)

    @property
    def prose(self) -> str:
        """Its standard error without line breaks."""
        return " ".join(self.err.split())


@dataclass(frozen=True, slots=True)
class Program:
    """`prognosis`, to be called with its arguments."""

    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def __call__(self, *arguments: object) -> Ran:
        """Run a command."""
        self.patch.setattr(sys, "argv", ["prognosis", *map(str, arguments)])
        self.capture.readouterr()
        try:
            run()
            status: object = 0
        except SystemExit as ended:
            status = ended.code or 0
        printed = self.capture.readouterr()
        assert isinstance(status, int)
        return Ran(status, printed.out, printed.err)


def clinic(folder: Path, *, leak: bool = False, patients: int = 90) -> tuple[Path, str]:
    """A task and a table of it: a marker that matters, one that does not, and the outcome itself if asked."""
    import numpy as np

    random = np.random.default_rng(4)
    rows = []
    for _ in range(patients):
        marker, other = random.normal(size=2)
        days = random.exponential(120 * np.exp(-marker))
        row = {
            "days": f"{min(days, 300.0) + 1:.1f}",
            "relapsed": int(days < 300),
            "marker": f"{marker:.3f}",
            "other": f"{other:.3f}",
        }
        rows.append({**row, "seen_later": f"{-days:.1f}"} if leak else row)
    (folder / "clinic.yaml").write_text(SURVIVAL_TABLE, encoding="utf-8")
    return folder / "clinic.yaml", f"table:{csv(folder / 'clinic.csv', rows)}"
