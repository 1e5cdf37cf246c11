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
        "peers": ["kaplan_meier", "cox_ridge", "fine_gray"],
        "plain_average": ["kaplan_meier", "cox_ridge"],
        "data": [{"task": task.name, "source": source}],
    }
    (tmp_path / "suite.yaml").write_text(json.dumps(stated), encoding="utf-8")
    return tmp_path / "suite.yaml"


def test_our_model_stands_beside_its_peers_and_a_second_run_uses_what_the_first_kept(
    prognosis: Program, suite: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("benchmark", suite, "--out", out, "--config", write_tiny_config(tmp_path))
    ran = prognosis(*arguments, "--json")
    assert ran.status == 0, ran.err
    (board,) = ran.stated["leaderboards"]
    found = {entry["name"]: entry for entry in board["entries"]}
    assert found.keys() == {"prognosis", "kaplan_meier", "cox_ridge", "plain_average"}
    assert found["prognosis"]["metrics"]["uno_c"]["value"] > 0.6
    assert found["prognosis"]["peak_mib"] > found["kaplan_meier"]["peak_mib"] >= 0
    assert [len(repeat) for repeat in found["prognosis"]["folds"]["ibs"]] == [3]
    assert "one cause only" in board["failed"]["fine_gray"]
    assert json.loads((out / "results.json").read_text(encoding="utf-8")) == ran.stated

    kept = {path: path.stat().st_mtime_ns for path in (out / "predictions").rglob("*.npz")}
    assert len(kept) == 3 + 4  # the predictions of three, the judgement of these and of their average
    again = prognosis(*arguments)
    assert again.status == 0
    assert {path: path.stat().st_mtime_ns for path in (out / "predictions").rglob("*.npz")} == kept
    for word in ("clinic (90 cases", "Uno C", "IBS", "peak MiB", "prognosis", "cox_ridge"):
        assert word in again.out
    assert "fine_gray gave no predictions" in again.prose

    page, summary = ((out / name).read_text(encoding="utf-8") for name in ("clinic.html", "index.html"))
    for heading in ("Leaderboards", "Calibration", "Net benefit", "over folds", "Time and memory"):
        assert heading in page
    assert "Net benefit for relapse by 100 days" in page
    assert 'href="clinic.html"' in summary
    assert "one cause only" in summary


def test_a_configuration_that_cannot_be_read_is_refused_before_any_peer_runs(
    prognosis: Program, suite: Path, tmp_path: Path
) -> None:
    ran = prognosis("benchmark", suite, "--out", tmp_path / "out", "--config", tmp_path / "no.yaml")
    assert ran.status == 2
    assert "no.yaml: cannot be read" in ran.err.replace("\n", "")
    assert not (tmp_path / "out").exists()
