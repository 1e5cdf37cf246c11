"""The floors: what is listed, and when ours counts as reaching them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.floors import Value, judge, main, standing

RULES = {"c_margin": 0.003, "c_above": 1, "ibs_at_most": 1, "ibs_margin": 0.003}


def results(folder: Path, values: dict[str, tuple[float, float]]) -> Path:
    """A results.json in which every listed data set has the same methods."""
    entries = [
        {"name": name, "metrics": {"harrell_c": {"value": c}, "ibs": {"value": ibs}}}
        for name, (c, ibs) in values.items()
    ]
    sets = ("gbsg2", "whas500", "veteran", "pbc", "nki70", "colon", "rott2", "flchain", "support2")
    stated = {"leaderboards": [{"task": name, "entries": entries} for name in sets]}
    (folder / "results.json").write_text(json.dumps(stated), encoding="utf-8")
    return folder / "results.json"


def test_the_best_of_each_measure_may_be_two_methods() -> None:
    found = standing("x", Value(0.70, 0.15), {"a": Value(0.71, 0.16), "b": Value(0.69, 0.14)})
    assert found.best_c == (0.71, "a")
    assert found.best_ibs == (0.14, "b")
    assert found.c_gain == pytest.approx(-0.01)
    assert found.ibs_excess == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("ours", "passed"),
    [
        (Value(0.701, 0.150), [True, True, True, True]),
        (Value(0.700, 0.150), [True, False, True, True]),
        (Value(0.697, 0.153), [True, False, False, True]),
        (Value(0.696, 0.154), [False, False, False, False]),
    ],
)
def test_each_rule_turns_at_its_margin(ours: Value, passed: list[bool]) -> None:
    found = judge([standing("x", ours, {"a": Value(0.700, 0.150)})], RULES)
    assert [rule.passed for rule in found] == passed


def test_a_method_that_nothing_beats_passes_and_an_average_does_not_count_as_a_peer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = results(
        tmp_path, {"prognosis": (0.9, 0.05), "cox_ridge": (0.7, 0.2), "plain_average": (0.95, 0.01)}
    )
    assert main(path) == 0
    said = capsys.readouterr().out
    assert "FAIL" not in said
    assert "plain_average" not in said


def test_a_method_at_chance_fails_and_a_data_set_without_results_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(results(tmp_path, {"prognosis": (0.5, 0.25)})) == 1
    assert capsys.readouterr().out.count("FAIL") >= 4
    assert main(results(tmp_path, {"other": (0.9, 0.05)})) == 1
    assert "no results of prognosis on: gbsg2" in capsys.readouterr().out
