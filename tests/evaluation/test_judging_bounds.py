"""Coverage of lower bounds, as an evaluation states it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from prognosis.cohort import Cohort
from prognosis.evaluation.judging import Judged, held_out_fold
from prognosis.evaluation.judging_bounds import BoundedCases, judge_bounds
from tests.fakes.additive_evidence import TASK, planted_cases, written_model


@pytest.fixture(scope="module")
def fold() -> Judged:
    model = written_model(count=300)
    cases = [
        replace(case, record=replace(case.record, patient_id=f"new-{number}"))
        for number, case in enumerate(planted_cases(600, 1.5, seed=42))
    ]
    return held_out_fold(model, Cohort(TASK, tuple(cases)))


def test_coverage_is_near_the_level_for_everyone_and_given_by_modalities(fold: Judged) -> None:
    found = judge_bounds([fold], {}, seed=0, replicates=100)
    everyone = [each for each in found if each.group == "everyone"]
    assert [(each.event, each.level) for each in everyone] == [
        (event, level) for event in ("any event", "progression", "death") for level in (0.8, 0.9)
    ]
    for each in everyone:
        assert each.n == 600
        assert each.coverage is not None
        assert each.coverage.low <= each.coverage.value <= each.coverage.high
        assert abs(each.coverage.value - each.level) < 0.08
    modalities = {each.group_level for each in found if each.group == "modalities"}
    assert {"clinical", "clinical+text", "clinical+imaging", "clinical+text+imaging"} == modalities


def test_a_group_too_small_to_judge_has_its_length_and_no_coverage(fold: Judged) -> None:
    levels = np.array(["few"] * 40 + ["many"] * 560)
    found = judge_bounds([fold], {"kind": levels}, seed=0, replicates=100)
    few = next(each for each in found if each.group_level == "few")
    assert few.coverage is None
    assert few.mean_days > 0
    assert few.to_json()["coverage"] is None


def test_knowing_the_patient_lengthens_the_bound_on_average(fold: Judged) -> None:
    first = judge_bounds([fold], {}, seed=0, replicates=100)[0]
    assert first.mean_days > first.marginal_days > 0
    assert first.to_json()["relative_length"] == first.mean_days / first.marginal_days


def test_without_censoring_coverage_is_the_plain_share_of_patients() -> None:
    missed = np.array([1.0, 1.0, 0.0, 0.0])  # the first patient has both of their cases missed
    cases = BoundedCases(np.ones(4), np.ones(4), missed > 0, missed, np.array(["a", "a", "b", "c"]))
    assert cases.coverage()(np.ones((1, 4)))[0] == pytest.approx(2 / 3)


def test_a_model_without_bounds_is_not_judged_by_them(fold: Judged) -> None:
    assert judge_bounds([replace(fold, model=replace(fold.model, bounds={}))], {}, 0, 10) == ()
