"""The cohorts of tests/golden/survival.json, with what independent implementations say of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.golden.cohorts import Cohort, Floats, packaged

GOLDEN = Path(__file__).parents[1] / "golden" / "survival.json"
COHORTS: list[dict[str, Any]] = json.loads(GOLDEN.read_text(encoding="utf-8"))
NAMES = [cohort["name"] for cohort in COHORTS]


@dataclass(frozen=True, slots=True)
class Golden:
    """One cohort and what is expected of it.

    Attributes:
        cohort: Follow-up, cause and risk.
        times: (T,) days of the values.
        tau: End of concordances and restricted means.
        by_hand: Values by the formula of each paper.
        packages: Values by published packages; None where one refuses.
    """

    cohort: Cohort
    times: Floats
    tau: float
    by_hand: dict[str, Any]
    packages: dict[str, Any]

    @property
    def causes(self) -> int:
        """The number of causes that occur."""
        return int(self.cohort.cause.max())

    @property
    def risk(self) -> Floats:
        """(n, T) predicted incidence of cause 1."""
        return self.cohort.incidence(self.times)[:, 0]

    @property
    def horizon(self) -> float:
        """The day of what is judged at one day only."""
        return float(self.times[len(self.times) // 2])

    @property
    def own_survival(self) -> Floats:
        """(n,) predicted chance of no event by the end of each person's follow-up."""
        days, column = np.unique(self.cohort.days, return_inverse=True)
        free: Floats = 1.0 - self.cohort.incidence(days).sum(axis=1)[np.arange(len(column)), column]
        return free

    def package(self, name: str) -> Any:
        """What a package says; skips the test where it refuses the cohort."""
        if self.packages[name] is None:
            pytest.skip(f"{name} refuses this cohort")
        return self.packages[name]


def golden(name: str) -> Golden:
    """The cohort of that name; skips the test where its package is not installed."""
    stored = COHORTS[NAMES.index(name)]
    if "days" in stored:
        days, cause, risk = (np.array(stored[field]) for field in ("days", "cause", "risk"))
        cohort: Cohort | None = Cohort(days.astype(float), cause.astype(np.int64), risk.astype(float))
    else:
        cohort = packaged(name)
    if cohort is None:
        pytest.skip("the package whose data set this is, is not installed (extra: bench)")
    return Golden(cohort, np.array(stored["times"]), stored["tau"], stored["by_hand"], stored["packages"])
