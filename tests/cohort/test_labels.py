"""What happened after the index: first cause, state, value, or why nobody can say."""

from __future__ import annotations

from typing import Any

import pytest

from prognosis.cohort import ClassLabel, SurvivalLabel
from prognosis.cohort.case import Unlabelled
from prognosis.cohort.labels import label_case, last_contact
from prognosis.record import PatientRecord
from tests.cohort.builders import DEATH, event, on, patient, task

COMPETING = {
    "kind": "time_to_event",
    "causes": {"relapse": ["s|relapse"], "death": [DEATH]},
    "horizons_days": [365],
}
STATE = {
    "kind": "state",
    "name": "icu",
    "start_codes": ["start|ICU"],
    "end_codes": ["end|ICU"],
    "within_days": 7,
}
VALUE = {"kind": "value", "code": "s|x", "classes": {"0": "normal", "1": "pneumonia"}, "within_days": 2}


def label(
    record: PatientRecord, outcome: dict[str, Any], index: float = 0
) -> SurvivalLabel | ClassLabel | Unlabelled:
    return label_case(task(outcome=outcome).outcome, record, on(index))


def test_the_first_of_competing_causes_is_the_label() -> None:
    record = patient("p", [event(50, DEATH), event(20, "s|relapse")])
    assert label(record, COMPETING) == SurvivalLabel("relapse", 20.0)


def test_of_causes_on_the_same_day_the_one_named_first_in_the_task_counts() -> None:
    record = patient("p", [event(20, DEATH), event(20, "s|relapse")])
    assert label(record, COMPETING) == SurvivalLabel("relapse", 20.0)


def test_without_an_event_a_patient_is_censored_at_the_last_contact_of_any_kind() -> None:
    record = patient("p", [event(0, "s|1")], notes=[(30.5, "visit")], studies=[(12.0, "1.1")])
    assert label(record, COMPETING) == SurvivalLabel(None, 30.5)
    assert last_contact(record) == on(30.5)
    assert last_contact(PatientRecord("nobody")) is None


def test_an_outcome_before_the_index_means_the_question_is_never_asked() -> None:
    record = patient("p", [event(-1, "s|relapse"), event(50, DEATH)])
    assert label(record, COMPETING) == Unlabelled("outcome before the index", never_asked=True)


def test_an_outcome_at_the_very_time_of_the_index_counts_after_zero_days() -> None:
    record = patient("p", [event(0, "s|relapse"), event(9, "s|1")])
    assert label(record, COMPETING) == SurvivalLabel("relapse", 0.0)


@pytest.mark.parametrize("last", [-3.0, 0.0])
def test_a_patient_not_seen_after_the_index_has_no_follow_up(last: float) -> None:
    assert label(patient("p", [event(last, "s|1")]), COMPETING) == Unlabelled("no follow-up after the index")


def test_a_patient_with_an_empty_record_has_no_follow_up() -> None:
    assert label(PatientRecord("p"), COMPETING) == Unlabelled("no follow-up after the index")


@pytest.mark.parametrize(("day", "expected"), [(100.0, ("death", 100.0)), (100.5, (None, 100.0))])
def test_follow_up_ends_at_the_task_s_maximum(day: float, expected: tuple[str | None, float]) -> None:
    record = patient("p", [event(day, DEATH)])
    assert label(record, COMPETING | {"maximum_days": 100}) == SurvivalLabel(*expected)


def test_a_state_that_is_going_on_at_the_index_is_positive() -> None:
    record = patient("p", [event(-5, "start|ICU"), event(2, "end|ICU")])
    assert label(record, STATE) == ClassLabel("icu")


def test_a_state_without_an_end_goes_on() -> None:
    assert label(patient("p", [event(-50, "start|ICU")]), STATE) == ClassLabel("icu")


def test_a_state_that_ended_before_the_index_is_over() -> None:
    record = patient("p", [event(-5, "start|ICU"), event(-1, "end|ICU"), event(30, "s|1")])
    assert label(record, STATE) == ClassLabel("none")


@pytest.mark.parametrize(("start", "expected"), [(7.0, "icu"), (7.01, "none")])
def test_a_state_counts_when_it_begins_within_the_window(start: float, expected: str) -> None:
    record = patient("p", [event(start, "start|ICU"), event(30, "s|1")])
    assert label(record, STATE) == ClassLabel(expected)


def test_an_end_before_a_start_does_not_end_it() -> None:
    record = patient("p", [event(-9, "end|ICU"), event(-5, "start|ICU")])
    assert label(record, STATE) == ClassLabel("icu")


def test_a_negative_state_needs_a_contact_at_the_end_of_the_window() -> None:
    unknown = Unlabelled("outcome unknown: no contact at the end of the window")
    assert label(patient("p", [event(6.9, "s|1")]), STATE) == unknown
    assert label(patient("p", [event(7, "s|1")]), STATE) == ClassLabel("none")
    assert label(PatientRecord("p"), STATE) == unknown


def test_a_state_that_the_source_says_is_not_known_at_the_index_is_no_negative() -> None:
    asked = STATE | {"unknown_codes": ["s|unknown"]}
    unknown = patient("p", [event(0, "s|unknown"), event(30, "s|1")])
    assert label(unknown, asked) == Unlabelled("outcome unknown: stated as not known")
    assert label(unknown, asked, index=1) == ClassLabel("none")


def test_a_class_is_read_from_the_first_value_after_the_index_as_text_or_number() -> None:
    as_text = patient("p", [event(-1, "s|x", "0"), event(1, "s|x", "1"), event(1.5, "s|x", "0")])
    assert label(as_text, VALUE) == ClassLabel("pneumonia")
    assert label(patient("p", [event(0, "s|x", 0.0)]), VALUE) == ClassLabel("normal")


@pytest.mark.parametrize(("number", "named"), [(0.9999999, "1"), (1000001.0, "1000000"), (1e-7, "0")])
def test_a_number_is_not_rounded_to_a_value_that_the_task_names(number: float, named: str) -> None:
    asked = {"kind": "value", "code": "s|x", "classes": {named: "one", "other": "two"}}
    unnamed = Unlabelled("outcome has a value that the task does not name")
    assert label(patient("p", [event(1, "s|x", number)]), asked) == unnamed


@pytest.mark.parametrize(("number", "named"), [(1.0, "1"), (-0.0, "0"), (1000001.0, "1000001"), (0.1, "0.1")])
def test_a_number_is_named_as_it_is_written(number: float, named: str) -> None:
    asked = {"kind": "value", "code": "s|x", "classes": {named: "one", "other": "two"}}
    assert label(patient("p", [event(1, "s|x", number)]), asked) == ClassLabel("one")


def test_a_value_the_task_does_not_name_is_no_label() -> None:
    unnamed = Unlabelled("outcome has a value that the task does not name")
    assert label(patient("p", [event(1, "s|x", "2")]), VALUE) == unnamed
    assert label(patient("p", [event(1, "s|x")]), VALUE) == unnamed


def test_a_value_after_the_window_is_not_recorded_in_time() -> None:
    assert label(patient("p", [event(2.5, "s|x", "1")]), VALUE) == Unlabelled("outcome not recorded")
