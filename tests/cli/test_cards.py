"""A page says whether the patients behind its numbers are real."""

from pathlib import Path

import pytest

from prognosis.cli.cards import evidence_of
from prognosis.cohort import Task

TASKS = sorted((Path(__file__).parents[2] / "configs" / "tasks").glob("*.yaml"))


@pytest.mark.parametrize("path", TASKS, ids=lambda path: path.stem)
def test_only_the_simulators_outcome_is_a_simulation(path: Path) -> None:
    expected = "simulation" if path.stem.startswith("simulated_") else "real"
    assert evidence_of(Task.load(path)) == expected
