"""The cohorts of tests/golden/survival.json; those of lifelines are read from the installed package."""

from __future__ import annotations

import csv
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

GOLDEN = Path(__file__).parents[1] / "golden" / "survival.json"
COHORTS: list[dict[str, Any]] = json.loads(GOLDEN.read_text(encoding="utf-8"))
NAMES = [cohort["name"] for cohort in COHORTS]
PACKAGED: dict[str, tuple[str, str, dict[str, float]]] = {
    "gbsg2.csv": ("time", "cens", {"pnodes": 0.1, "progrec": -0.002}),
    "rossi.csv": ("week", "arrest", {"prio": 0.1, "age": -0.05}),
    "larynx.csv": ("time", "death", {"Stage_II": 0.2, "Stage_III": 0.6, "Stage_IV": 1.7}),
    "kidney_transplant.csv": ("time", "death", {"age": 0.05}),
}


@dataclass(frozen=True, slots=True)
class Golden:
    """One cohort with what independent packages say of it."""

    days: NDArray[np.float64]
    cause: NDArray[np.int64]
    risk: NDArray[np.float64]
    expected: dict[str, Any]

    @property
    def incidence(self) -> NDArray[np.float64]:
        """(n, 3) the predicted risks that the golden Brier scores were made with."""
        relative = np.exp((self.risk - self.risk.mean()) / self.risk.std() / 2)
        return 1.0 - np.exp(-np.outer(relative, np.array(self.expected["times"]) / np.median(self.days)))


def golden(name: str) -> Golden:
    """The cohort of that name; skips the test where its package is not installed."""
    stored = COHORTS[NAMES.index(name)]
    if "days" in stored:
        days, cause, risk = (np.array(stored[field]) for field in ("days", "cause", "risk"))
        return Golden(days.astype(float), cause.astype(np.int64), risk.astype(float), stored["expected"])
    found = importlib.util.find_spec("lifelines")
    if found is None or found.origin is None:
        pytest.skip("lifelines, whose data set this is, is not installed (extra: bench)")
    time, event, weights = PACKAGED[name]
    with (Path(found.origin).parent / "datasets" / name).open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if float(row[time]) > 0]
    return Golden(
        np.array([float(row[time]) for row in rows]),
        np.array([int(float(row[event])) for row in rows]),
        np.round([sum(weight * float(row[column]) for column, weight in weights.items()) for row in rows], 6),
        stored["expected"],
    )
