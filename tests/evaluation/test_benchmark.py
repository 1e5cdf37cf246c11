"""The benchmark: its file, its folds, its leaderboard."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from prognosis.cohort import Case, ClassLabel, Cohort, Task, patient_folds
from prognosis.errors import CohortError, ConfigError
from prognosis.evaluation.benchmark import Benchmark, Dataset, run_benchmark, write_results
from prognosis.evaluation.cross_validation import cross_validate
from prognosis.evaluation.entrant import Predictor
from prognosis.evaluation.held_out import judging_days
from prognosis.survival.curves import Floats
from tests.evaluation.cohorts import cohort, target, true_incidence

CONFIGS = Path(__file__).parents[2] / "configs"
SMALL = Benchmark(
    name="small",
    data=(Dataset(task=Path("test.yaml"), source="here"),),
    peers=("kaplan_meier", "cox_ridge"),
    folds=3,
    replicates=100,
)


class Oracle:
    """Knows the true hazard, and remembers who trained it."""

    def __init__(self, known: Cohort) -> None:
        self.known = known

    def cumulative_incidence(self, cases: Sequence[Case], days: Floats) -> Floats:
        assert not {each.patient for each in cases} & set(self.known.patients)
        return true_incidence(Cohort(self.known.task, tuple(cases)), days)


def fit_oracle(known: Cohort) -> Predictor:
    return Oracle(known)


def refuses(known: Cohort) -> Predictor:
    raise CohortError("method", "cannot learn from this", "use another")


def test_the_quick_benchmark_names_tasks_that_load() -> None:
    found = Benchmark.load(CONFIGS / "benchmarks" / "survival-quick.yaml")
    names = [Task.load(each.task).name for each in found.data]
    assert names == ["gbsg2", "whas500", "veteran", "colon"]
    assert all(Task.load(each.task).table is not None for each in found.data)


def test_the_leaderboard_is_sorted_and_compares_ours_with_every_peer(tmp_path: Path) -> None:
    known = cohort(240)
    said: list[str] = []
    found = run_benchmark(SMALL, {"here": known}, {"oracle": fit_oracle}, "prognosis benchmark", said.append)
    board = found.leaderboards[0]
    names = [entry.name for entry in board.entries]
    values = [entry.result.metrics["uno_c"].value for entry in board.entries]
    assert set(names) == {"oracle", "kaplan_meier", "cox_ridge"}
    assert values == sorted(values, reverse=True)
    assert {(each.a, each.b) for each in board.comparisons} == {
        ("oracle", "kaplan_meier"),
        ("oracle", "cox_ridge"),
    }
    stated = json.loads(write_results(found, tmp_path / "run").read_text(encoding="utf-8"))
    assert stated["command"] == "prognosis benchmark"
    assert stated["leaderboards"][0]["protocol"]["strata"] == 3
    assert stated["versions"]["numpy"]
    assert said == ["test: oracle", "test: kaplan_meier", "test: cox_ridge"]


def test_a_method_that_refuses_is_listed_with_its_reason_and_the_others_go_on() -> None:
    found = run_benchmark(SMALL, {"here": cohort(120)}, {"ours": refuses}, "prognosis benchmark")
    board = found.leaderboards[0]
    assert "cannot learn from this" in board.failed["ours"]
    assert len(board.entries) == 2


def test_the_same_seed_gives_the_same_leaderboard() -> None:
    boards = [
        run_benchmark(SMALL, {"here": cohort(120)}, {"oracle": fit_oracle}, "x").leaderboards[0]
        for _ in range(2)
    ]
    first, second = ([entry.result for entry in board.entries] for board in boards)
    assert first == second


def test_every_case_is_predicted_once_by_a_model_that_never_saw_its_patient() -> None:
    known = cohort(90)
    labels = target(known)
    fold = patient_folds(known.patients, labels.cause, 3, seed=1)
    judged = judging_days(labels, known.task.horizons_days)
    found = cross_validate(known, fit_oracle, fold, judged)
    predicted = np.concatenate([part.clusters for part in found.parts])
    assert sorted(predicted) == sorted(known.patients)
    for part in found.parts:
        assert len(part.target) + len(part.training_target) == 90


def test_a_data_set_without_a_cohort_is_refused() -> None:
    with pytest.raises(ConfigError, match="no cohort"):
        run_benchmark(SMALL, {}, {}, "x")


def test_too_few_patients_for_the_folds_are_refused() -> None:
    with pytest.raises(CohortError, match="too few patients"):
        run_benchmark(SMALL, {"here": cohort(5)}, {}, "x")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("name: x\ndata: []\n", "data"),
        ("name: x\ndata: [{task: a.yaml, source: b, extra: 1}]\n", "extra"),
        ("name: x\npeers: [magic]\ndata: [{task: a.yaml, source: b}]\n", "peers"),
        ("name: [", "not YAML"),
        ("just text", "benchmark"),
    ],
)
def test_a_benchmark_file_with_a_fault_is_refused_by_naming_it(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "benchmark.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=fault):
        Benchmark.load(path)


def test_an_absent_benchmark_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        Benchmark.load(tmp_path / "none.yaml")


def test_a_task_that_is_no_time_to_event_is_refused() -> None:
    known = cohort(40)
    state = Task.from_statement(
        {
            "name": "state",
            "question": "Is it so?",
            "index": {"at": "event", "codes": ["prognosis|index"]},
            "outcome": {"kind": "state", "name": "ill", "start_codes": ["a|b"]},
        },
        reference="state",
    )
    labels = [ClassLabel("ill" if number % 2 else "none") for number in range(40)]
    cases = tuple(replace(each, label=label) for each, label in zip(known.cases, labels, strict=True))
    with pytest.raises(CohortError, match="time to event"):
        run_benchmark(SMALL, {"here": Cohort(state, cases)}, {}, "x")
