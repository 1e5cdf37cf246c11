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
from prognosis.evaluation.benchmark import run_benchmark, write_results
from prognosis.evaluation.benchmark_file import AVERAGE, Benchmark, Dataset
from prognosis.evaluation.cross_validation import cross_validate, held_out_parts
from prognosis.evaluation.entrant import Predictor
from prognosis.evaluation.held_out import judging_days
from prognosis.evaluation.kept import Kept
from prognosis.evaluation.peers import fit_kaplan_meier
from prognosis.evaluation.running import Running
from prognosis.survival.concordance import harrell_c
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
RUNNING = Running("prognosis benchmark")


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


def test_the_survival_benchmark_names_peers_and_tasks_that_exist_each_once() -> None:
    found = Benchmark.load(CONFIGS / "benchmarks" / "survival.yaml")
    names = [Task.load(each.task).name for each in found.data]
    assert len(set(names)) == len(names) >= 14
    assert "random_survival_forest" in found.peers
    competing = [each for each in found.data if len(Task.load(each.task).causes) > 1]
    assert competing


def test_the_leaderboard_is_sorted_and_compares_ours_with_every_peer(tmp_path: Path) -> None:
    known = cohort(240)
    said: list[str] = []
    running = Running(
        "prognosis benchmark", report=lambda what, _done, _total, doing: said.append(f"{what}: {doing}")
    )
    found = run_benchmark(SMALL, [known], {"oracle": fit_oracle}, running)
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
    assert said[:3] == ["test: oracle", "test: kaplan_meier", "test: cox_ridge"]


def test_repeats_deal_other_folds_and_the_metric_is_their_mean() -> None:
    known = cohort(120)
    twice = SMALL.model_copy(update={"repeats": 2})
    (board,) = run_benchmark(twice, [known], {"oracle": fit_oracle}, RUNNING).leaderboards
    alone = [
        run_benchmark(SMALL.model_copy(update={"seed": seed}), [known], {"oracle": fit_oracle}, RUNNING)
        for seed in (0, 1)
    ]
    found = board.entry("oracle")
    assert found is not None
    for metric in ("harrell_c", "ibs"):
        each = [one.leaderboards[0].entry("oracle") for one in alone]
        values = [entry.result.metrics[metric].value for entry in each if entry]
        assert values[0] != values[1]
        assert found.result.metrics[metric].value == pytest.approx(np.mean(values), abs=1e-12)
    assert found.fold_values["ibs"].shape == (2, 3)


def test_a_data_set_may_state_its_own_repeats() -> None:
    stated = SMALL.model_copy(update={"data": (SMALL.data[0].model_copy(update={"repeats": 2}),)})
    (board,) = run_benchmark(stated, [cohort(120)], {"oracle": fit_oracle}, RUNNING).leaderboards
    assert board.repeats == 2
    (board,) = run_benchmark(SMALL, [cohort(120)], {"oracle": fit_oracle}, RUNNING).leaderboards
    assert board.repeats == 1


def test_a_peer_too_slow_for_a_data_set_is_listed_as_not_run() -> None:
    stated = SMALL.model_copy(
        update={"data": (SMALL.data[0].model_copy(update={"without": ("cox_ridge",)}),)}
    )
    (board,) = run_benchmark(stated, [cohort(120)], {"oracle": fit_oracle}, RUNNING).leaderboards
    assert board.entry("cox_ridge") is None
    assert "not run" in board.failed["cox_ridge"]
    assert board.entry("kaplan_meier") is not None


def test_every_cause_is_compared_and_tested_for_calibration() -> None:
    known = cohort(150, ("death", "relapse"))
    (board,) = run_benchmark(SMALL, [known], {"curves": fit_kaplan_meier}, RUNNING).leaderboards
    assert {"ibs", "ibs:relapse"} <= {found.metric for found in board.comparisons if found.b == "cox_ridge"}
    own = board.entry("curves")
    assert own is not None
    tested = {(test.kind, test.cause) for test in own.tests}
    assert {("d_calibration", ""), ("aj_calibration", "death"), ("aj_calibration", "relapse")} <= tested


def test_each_fold_has_the_value_that_its_patients_alone_would_give() -> None:
    known = cohort(120)
    (board,) = run_benchmark(SMALL, [known], {"oracle": fit_oracle}, RUNNING).leaderboards
    found = board.entry("oracle")
    assert found is not None
    labels = target(known)
    fold = patient_folds(known.patients, labels.cause, 3, seed=0)
    judged = judging_days(labels, known.task.horizons_days)
    parts = held_out_parts(cross_validate(known, fit_oracle, fold, judged), known, judged)
    for place, part in enumerate(parts):
        lost = part.expected_days_lost(judged.tau, 1)
        alone = harrell_c(part.target.days, part.target.cause, lost).value
        assert found.fold_values["harrell_c"][0, place] == pytest.approx(alone)


def test_the_plain_average_is_the_mean_of_its_members_predictions() -> None:
    averaging = SMALL.model_copy(update={"plain_average": ("kaplan_meier", "cox_ridge")})
    (board,) = run_benchmark(averaging, [cohort(150)], {"oracle": fit_oracle}, RUNNING).leaderboards
    known = {entry.name: entry.result.metrics for entry in board.entries}
    # Half of Cox's spread and the same order: its C, and an error between the two by convexity.
    assert known[AVERAGE]["harrell_c"].value == pytest.approx(known["cox_ridge"]["harrell_c"].value, abs=0.01)
    assert known[AVERAGE]["ibs"].value < known["kaplan_meier"]["ibs"].value


def test_a_run_that_was_interrupted_goes_on_with_what_is_kept_and_gives_the_same(tmp_path: Path) -> None:
    known, fitted = cohort(120), []

    def counted(training: Cohort) -> Predictor:
        fitted.append(len(training))
        return Oracle(training)

    running = Running("x", kept=Kept(tmp_path))
    whole = run_benchmark(SMALL, [known], {"oracle": counted}, running)
    assert len(fitted) == 3
    again = run_benchmark(SMALL, [known], {"oracle": counted}, running)
    assert len(fitted) == 3
    assert again.to_json() == whole.to_json()
    (tmp_path / "test" / "oracle-0.npz").unlink()
    assert run_benchmark(SMALL, [known], {"oracle": counted}, running).leaderboards[0].n == 120
    assert len(fitted) == 6


def test_what_was_kept_of_other_patients_or_folds_is_not_used(tmp_path: Path) -> None:
    running = Running("x", kept=Kept(tmp_path))
    run_benchmark(SMALL, [cohort(70)], {"oracle": fit_oracle}, running)
    other = SMALL.model_copy(update={"seed": 5})
    for benchmark, known in ((SMALL, cohort(70, seed=3)), (other, cohort(70))):
        kept = run_benchmark(benchmark, [known], {"oracle": fit_oracle}, running).leaderboards[0]
        fresh = run_benchmark(benchmark, [known], {"oracle": fit_oracle}, RUNNING).leaderboards[0]
        assert [entry.result for entry in kept.entries] == [entry.result for entry in fresh.entries]


def test_a_method_that_refuses_is_listed_with_its_reason_and_the_others_go_on() -> None:
    found = run_benchmark(SMALL, [cohort(120)], {"ours": refuses}, RUNNING)
    board = found.leaderboards[0]
    assert "cannot learn from this" in board.failed["ours"]
    assert len(board.entries) == 2


def test_the_same_seed_gives_the_same_leaderboard() -> None:
    boards = [
        run_benchmark(SMALL, [cohort(120)], {"oracle": fit_oracle}, RUNNING).leaderboards[0] for _ in range(2)
    ]
    first, second = ([entry.result for entry in board.entries] for board in boards)
    assert first == second


def test_every_case_is_predicted_once_by_a_model_that_never_saw_its_patient() -> None:
    known = cohort(90)
    labels = target(known)
    fold = patient_folds(known.patients, labels.cause, 3, seed=1)
    judged = judging_days(labels, known.task.horizons_days)
    found = cross_validate(known, fit_oracle, fold, judged)
    parts = held_out_parts(found, known, judged)
    predicted = np.concatenate([part.clusters for part in parts])
    assert sorted(predicted) == sorted(known.patients)
    np.testing.assert_array_equal(predicted, known.patients[found.order])
    for part in parts:
        assert len(part.target) + len(part.training_target) == 90


def test_two_data_sets_of_one_name_are_refused() -> None:
    twice = SMALL.model_copy(update={"data": SMALL.data * 2})
    with pytest.raises(ConfigError, match="one name"):
        run_benchmark(twice, [cohort(60), cohort(60)], {}, RUNNING)


def test_too_few_patients_for_the_folds_are_refused() -> None:
    with pytest.raises(CohortError, match="too few patients"):
        run_benchmark(SMALL, [cohort(5)], {}, RUNNING)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("name: x\ndata: []\n", "data"),
        ("name: x\ndata: [{task: a.yaml, source: b, extra: 1}]\n", "extra"),
        ("name: x\npeers: [magic]\ndata: [{task: a.yaml, source: b}]\n", "peers"),
        ("name: x\nplain_average: [cox_ridge]\ndata: [{task: a.yaml, source: b}]\n", "plain_average"),
        ("name: x\npeer_files: [none.py]\ndata: [{task: a.yaml, source: b}]\n", "not a Python file"),
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
        run_benchmark(SMALL, [Cohort(state, cases)], {}, RUNNING)
