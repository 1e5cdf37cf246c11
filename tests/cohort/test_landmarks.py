"""Landmarks: the same question asked again of those at risk, and of nobody else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prognosis.cohort import Case, SurvivalLabel, Task, build_cohort, cohort_target
from prognosis.cohort.landmarks import landmarks_of
from prognosis.cohort.lint.dates import changed_without_the_future
from prognosis.errors import TaskError
from prognosis.evidence.readout import case_weights
from prognosis.record import PatientRecord
from prognosis.survival.curves import aalen_johansen
from tests.cohort.builders import DEATH, INDEX, event, on, patient, task

FOLLOW_UP = "prognosis|follow-up-complete"
BILIRUBIN = "s|bilirubin"
AT_DAYS: dict[str, Any] = {"at": "landmarks", "codes": [INDEX], "days": [0, 100, 200]}
AT_VISITS: dict[str, Any] = {"at": "landmarks", "codes": [INDEX], "visit_codes": [BILIRUBIN]}


def followed(name: str, until: float, *, died: bool) -> PatientRecord:
    visits = [event(day, BILIRUBIN, 1.0 + day) for day in range(0, int(until) + 1, 50)]
    return patient(name, [event(0, INDEX), *visits, event(until, DEATH if died else FOLLOW_UP)])


def asked(record: PatientRecord, index: dict[str, Any] = AT_DAYS) -> list[Case]:
    return list(build_cohort(task(index=index), [record]).cases)


def test_a_patient_is_asked_at_each_landmark_at_which_they_are_still_at_risk() -> None:
    found = asked(followed("a", 150, died=True))
    assert [case.index_time for case in found] == [on(0), on(100)]
    assert [case.label for case in found] == [SurvivalLabel("death", 150.0), SurvivalLabel("death", 50.0)]


def test_who_is_left_out_at_a_landmark_is_counted_by_reason() -> None:
    records = [followed("a", 150, died=True), followed("b", 150, died=False), followed("c", 900, died=False)]
    cohort = build_cohort(task(index=AT_DAYS), records)
    assert len(cohort) == 7
    assert cohort.exclusions == {"outcome by the landmark": 1, "not followed past the landmark": 1}


@pytest.mark.parametrize("died", [True, False])
def test_an_event_or_the_end_of_follow_up_on_the_landmark_itself_came_too_early(died: bool) -> None:
    assert [case.index_time for case in asked(followed("a", 100, died=died))] == [on(0)]


def test_days_are_counted_from_the_first_entry() -> None:
    record = patient("a", [event(30, INDEX), event(80, INDEX), event(500, FOLLOW_UP)])
    assert [case.index_time for case in asked(record)] == [on(30), on(130), on(230)]


def test_at_visits_the_landmark_is_which_of_the_patients_visits_it_is() -> None:
    record = patient(
        "a", [event(-9, BILIRUBIN, 1.0), event(0, INDEX), event(7, BILIRUBIN, 2.0), event(90, BILIRUBIN, 2.0)]
    )
    cohort = build_cohort(task(index=AT_VISITS), [record, followed("b", 120, died=True)])
    assert [case.index_time for case in cohort.cases] == [on(7), on(0), on(50), on(100)]
    assert landmarks_of(cohort).tolist() == [1.0, 1.0, 2.0, 3.0]  # type: ignore[union-attr]


@given(st.floats(1.0, 600.0), st.booleans(), st.sampled_from([AT_DAYS, AT_VISITS]))
def test_nothing_known_after_a_landmark_is_in_its_case(
    until: float, died: bool, index: dict[str, Any]
) -> None:
    record = followed("a", until, died=died)
    cohort = build_cohort(task(index=index), [record, followed("b", 300, died=False)])
    assert all(fact.time <= case.index_time for case in cohort.cases for fact in case.record.events)
    assert list(changed_without_the_future(cohort, [record, followed("b", 300, died=False)])) == []


def test_a_prediction_window_censors_from_the_landmark_on() -> None:
    outcome = {"kind": "time_to_event", "causes": {"death": [DEATH]}, "horizons_days": [30]}
    cohort = build_cohort(
        task(index=AT_DAYS, outcome=outcome | {"maximum_days": 60}), [followed("a", 150, died=True)]
    )
    assert [case.label for case in cohort.cases] == [SurvivalLabel(None, 60.0), SurvivalLabel("death", 50.0)]


def test_landmark_cases_weigh_one_each_since_patients_who_die_early_have_fewer() -> None:
    rng = np.random.default_rng(0)
    records = [
        followed(f"p{n}", min(until, 700.0), died=until < 700.0)
        for n, until in enumerate(rng.exponential(300.0, 400))
    ]
    cohort = build_cohort(task(index=AT_DAYS), records)
    target = cohort_target(cohort)
    weights = case_weights(target, cohort.patients)
    assert (weights == 1.0).all()
    _, patient_of, counts = np.unique(cohort.patients, return_inverse=True, return_counts=True)
    inverse = 1.0 / counts[patient_of]
    first = target.landmark == 0.0
    truth = 1.0 - np.exp(-100.0 / 300.0)

    def by_100_days(weighed: np.ndarray) -> float:
        return float(aalen_johansen(target.days[first], target.cause[first], 1, weighed[first])[0].at(100.0))

    assert by_100_days(weights) == pytest.approx(truth, abs=0.05)
    assert by_100_days(inverse) > truth + 0.1


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"codes": []}, "the event that days are counted from, is empty"),
        ({"days": []}, "give either days or visit_codes"),
        ({"visit_codes": [BILIRUBIN]}, "give either days or visit_codes"),
        ({"days": [0, 90, 90]}, "names a landmark twice"),
        ({"days": [-1]}, "index.days.0"),
        ({"occurrence": "each"}, "reads neither occurrence nor views"),
        ({"at": "event"}, "belong to at: landmarks"),
        ({"day": [5]}, "index.day is not a field; did you mean days?"),
    ],
)
def test_a_fault_in_the_landmarks_is_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(TaskError, match=named):
        task(index=AT_DAYS | changes)


@pytest.mark.parametrize("index", [AT_DAYS, AT_VISITS])
def test_a_task_with_landmarks_is_read_back_as_it_was_written(index: dict[str, Any]) -> None:
    asked_again = task(index=index)
    assert Task.from_statement(asked_again.model_dump(mode="json"), "a model's task") == asked_again
