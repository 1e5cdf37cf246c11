"""Coverage of sets of classes, as an evaluation states it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from prognosis.cohort import build_cohort
from prognosis.evaluation.judging import Judged, evaluate_folds_of, held_out_fold
from prognosis.evaluation.judging_sets import SetCases, judge_sets
from prognosis.fusion.train import train_model
from prognosis.survival.statistic import once
from tests.findings import CONFIG, class_task, planted

UNSEEN = 600


@pytest.fixture(scope="module")
def fold() -> Judged:
    task = class_task("oedema")
    config = CONFIG.model_copy(update={"folds": 5})
    model = train_model(build_cohort(task, planted(500, seed=1).records), config)
    known = planted(UNSEEN, seed=2)
    others = [replace(record, patient_id=f"new-{record.patient_id}") for record in known.records]
    return held_out_fold(model, build_cohort(task, others))


def test_within_each_true_class_the_sets_hold_it_about_as_often_as_their_level_says(fold: Judged) -> None:
    found = judge_sets([fold], {}, seed=0, replicates=100)
    classes = [each for each in found if each.group == "true class"]
    assert [(each.level, each.group_level) for each in classes] == [
        (level, name) for level in (0.8, 0.9) for name in ("none", "oedema")
    ]
    for each in classes:
        assert each.coverage is not None
        assert each.coverage.low <= each.coverage.value <= each.coverage.high
        assert abs(each.coverage.value - each.level) < 0.09  # three standard errors
    everyone = [each for each in found if each.group == "everyone"]
    assert [each.n for each in everyone] == [UNSEEN, UNSEEN]
    assert everyone[0].mean_size < everyone[1].mean_size  # more confidence, larger sets
    assert sum(each.n for each in classes if each.level == 0.8) == UNSEEN
    assert {each.group_level for each in found if each.group == "modalities"} == {"clinical", "clinical+text"}


def test_a_class_with_few_cases_has_its_sizes_and_no_coverage(fold: Judged) -> None:
    levels = np.array(["few"] * 40 + ["many"] * (UNSEEN - 40))
    found = judge_sets([fold], {"kind": levels}, seed=0, replicates=50)
    few = next(each for each in found if each.group_level == "few")
    assert few.coverage is None
    assert few.to_json()["coverage"] is None
    assert few.mean_size > 0.0


def test_a_patient_with_many_cases_counts_once() -> None:
    holds = np.array([[True, False], [True, False], [False, True], [False, False]])
    cases = SetCases(holds, np.array([1, 1, 1, 0]), np.array(["a", "a", "b", "c"]))
    assert cases.coverage()(once(4))[0] == pytest.approx(1 / 3)  # only b's set holds its class
    assert cases.mean_size() == pytest.approx(2 / 3)
    assert cases.empty() == pytest.approx(1 / 3)


def test_an_evaluation_states_the_sets_and_a_time_to_event_has_none(fold: Judged) -> None:
    stated = json.loads(json.dumps(evaluate_folds_of([fold], replicates=20).result.to_json()))["class_sets"]
    assert {each["group"] for each in stated} >= {"everyone", "true class", "modalities"}
    assert judge_sets([replace(fold, model=replace(fold.model, sets=None))], {}, 0, 10) == ()
