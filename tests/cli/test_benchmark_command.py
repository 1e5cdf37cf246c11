"""`prognosis benchmark` on a table of ninety rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.program import Program, clinic
from tests.simulated import write_tiny_config


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    task, source = clinic(tmp_path)
    stated = {
        "name": "tiny",
        "folds": 3,
        "replicates": 100,
        "peers": ["kaplan_meier", "cox_ridge"],
        "data": [{"task": task.name, "source": source}],
    }
    (tmp_path / "suite.yaml").write_text(json.dumps(stated), encoding="utf-8")
    return tmp_path / "suite.yaml"


def test_our_model_stands_beside_its_peers_on_the_same_folds(
    prognosis: Program, suite: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ran = prognosis("benchmark", suite, "--out", out, "--config", write_tiny_config(tmp_path), "--json")
    assert ran.status == 0, ran.err
    (board,) = ran.stated["leaderboards"]
    found = {entry["name"]: entry["metrics"] for entry in board["entries"]}
    assert found.keys() == {"prognosis", "kaplan_meier", "cox_ridge"}
    assert found["prognosis"]["uno_c"]["value"] > 0.6
    assert json.loads((out / "results.json").read_text(encoding="utf-8")) == ran.stated


def test_the_leaderboard_is_printed_with_intervals(prognosis: Program, suite: Path, tmp_path: Path) -> None:
    ran = prognosis("benchmark", suite, "--out", tmp_path / "out", "--config", write_tiny_config(tmp_path))
    assert ran.status == 0
    for word in ("clinic (90 cases", "Uno C", "IBS", "prognosis", "cox_ridge"):
        assert word in ran.out
