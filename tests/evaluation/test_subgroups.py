"""Subgroups: small ones say so instead of giving a number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from prognosis.evaluation.results import MetricSet
from prognosis.evaluation.subgroups import cohort_groups, evaluate_subgroups
from prognosis.survival.bootstrap import Interval
from tests.evaluation.cohorts import cohort


def number_of(rows: np.ndarray) -> MetricSet:
    return MetricSet({"n": Interval(float(len(rows)), 0.0, 1.0)})


def test_a_group_below_fifty_cases_or_ten_events_is_insufficient() -> None:
    levels = np.array(["large"] * 60 + ["small"] * 40 + ["quiet"] * 60)
    event = np.array([True] * 60 + [True] * 40 + [True] * 9 + [False] * 51)
    known = np.ones((len(levels), 1), dtype=bool)
    judged = evaluate_subgroups({"kind": levels}, event[:, None], known, number_of)
    found = {each.level: each for each in judged}
    assert found["large"].to_json()["status"] == "reported"
    assert found["small"].to_json()["status"] == "insufficient"
    assert found["quiet"].to_json()["status"] == "insufficient"
    assert found["quiet"].events == 9


def test_of_findings_the_one_that_is_least_known_decides_whether_a_group_is_large_enough() -> None:
    levels, event = np.array(["all"] * 60), np.ones((60, 2), dtype=bool)
    known = np.stack([np.ones(60, dtype=bool), np.arange(60) < 49], axis=1)
    (group,) = evaluate_subgroups({"kind": levels}, event & known, known, number_of)
    assert group.to_json()["status"] == "insufficient"
    (group,) = evaluate_subgroups({"kind": levels}, event, np.ones((60, 2), dtype=bool), number_of)
    assert group.to_json()["status"] == "reported"


def test_age_sex_and_the_tasks_codes_make_the_groups() -> None:
    cases = cohort(120)
    asked = cases.task.model_copy(update={"subgroup_codes": ("table|stage", "table|absent")})
    groups = cohort_groups(type(cases)(asked, cases.cases))
    assert set(groups) == {"age", "sex", "table|stage"}
    assert set(groups["sex"]) == {"female", "male"}
    assert set(groups["table|stage"]) == {"I", "II"}
    assert set(groups["age"]) == {"18 to 39", "40 to 64", "65 to 79", "80 and over"}


def test_an_unknown_birth_date_is_a_level_of_its_own() -> None:
    cases = cohort(40)
    first = replace(cases.cases[0], record=replace(cases.cases[0].record, birth_date=None))
    assert cohort_groups(type(cases)(cases.task, (first, *cases.cases[1:])))["age"][0] == "unknown"
