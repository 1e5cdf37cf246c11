"""A task file either states a whole question or says which field does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from prognosis.cohort import Task
from prognosis.errors import TaskError
from tests.cohort.builders import DEATH, INDEX, statement, task

STATE = {"kind": "state", "name": "icu", "start_codes": ["s|1"], "end_codes": ["s|2"], "within_days": 7}
VALUE = {"kind": "value", "code": "s|x", "classes": {"0": "normal", "1": "pneumonia"}}


@pytest.mark.parametrize(
    "path", sorted(Path(__file__).parents[2].glob("configs/tasks/*.yaml")), ids=lambda p: p.stem
)
def test_every_task_in_the_repository_states_a_question(path: Path) -> None:
    loaded = Task.load(path)
    assert loaded.name
    assert loaded.causes
    assert all(days >= 0 for days in loaded.horizons_days)  # 0: at the index itself


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"horizon": 5}, "horizon is not a field"),
        ({"horizon": 5, "name": ""}, "horizon is not a field; see"),
        ({"question": None}, "question"),
        (
            {"outcome": STATE | {"start_code": ["a"]}},
            "outcome.start_code is not a field; did you mean start_codes?",
        ),
        ({"index": {"at": "event", "code": ["a|b"]}}, "index.code is not a field; did you mean codes?"),
        ({"index": {"at": "admission"}}, "index.at"),
        ({"name": "../../elsewhere"}, "name"),
        ({"widest_interval": 2.0}, "widest_interval"),
        ({"index": {"at": "event"}}, "index.codes is empty"),
        ({"index": {True: "event"}}, "index.at is needed"),
        ({"outcome": {"kind": "cure"}}, "outcome"),
        ({"outcome": {"kind": "mask", "structures": ["a lung"]}}, "index.at is not study"),
        ({"outcome": {"kind": "mask", "structures": ["a lung", "a lung"]}}, "named twice"),
        (
            {"outcome": {"kind": "time_to_event", "causes": {}, "horizons_days": [1]}},
            "outcome.causes",
        ),
        (
            {"outcome": {"kind": "time_to_event", "causes": {"a": ["b"]}}},
            "outcome.horizons_days is needed",
        ),
        (
            {"outcome": {"kind": "time_to_event", "causes": {"a": ["b"]}, "horizons_days": [5, 5]}},
            "a horizon is named twice",
        ),
        (
            {"screening": {"accept": [{"kind": "constant column", "code": "a|b", "because": " "}]}},
            "screening.accept.0.because",
        ),
        ({"outcome": STATE | {"start_codes": []}}, "outcome.start_codes"),
        ({"outcome": VALUE | {"classes": {"0": "normal"}}}, "outcome.classes"),
        ({"outcome": VALUE | {"classes": {0: "a", 1: "b"}}}, "outcome.classes"),
        ({"arms": [{"name": "a", "codes": ["s|a"]}]}, "arms is not a field"),
        ({"table": {"time": "t", "event": "e", "event_causes": {1: "d"}}}, "table.event_causes"),
        (
            {"table": {"time": "t", "event": "e", "event_causes": {}, "visit_time": "day"}},
            "visit_time needs patient_id",
        ),
        ({"table": {"time": "t", "event_causes": {}}}, "time and event go together"),
        ({"table": {"patient_id": "p"}}, "time and event are needed, unless known_at"),
        ({"table": {"known_at": {"a": 3}, "event_causes": {"1": "d"}}}, "belongs to time and event"),
        ({"table": {"time": "t", "event": "e"}}, "event_causes is needed"),
        (
            {"table": {"patient_id": "p", "visit_time": "day", "known_at": {"a": 3}}},
            "known_at is of a table with one row a patient",
        ),
        (
            {
                "table": {"time": "t", "event": "e", "event_causes": {}, "event_at_visits": True}
                | {"patient_id": "p", "visit_time": "day"}
            },
            "event_at_visits needs time and visit_time to name the same column",
        ),
    ],
)
def test_a_fault_in_a_task_is_named_with_its_field(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(TaskError) as caught:
        task(**changes)
    assert named in str(caught.value)
    assert caught.value.reference == "example.yaml"


def test_every_missing_field_is_named_at_once() -> None:
    with pytest.raises(TaskError) as caught:
        Task.from_statement({"name": "x"}, "x.yaml")
    assert all(field in caught.value.problem for field in ("question", "index", "outcome"))


@pytest.mark.parametrize("stated", [None, [], "text", 3])
def test_a_file_that_is_no_mapping_is_no_task(stated: object) -> None:
    with pytest.raises(TaskError, match=r"x\.yaml: the statement is not a mapping of fields"):
        Task.from_statement(stated, "x.yaml")


def test_a_cause_named_yes_or_no_in_yaml_is_refused_rather_than_read_as_a_truth_value(tmp_path: Path) -> None:
    path = tmp_path / "trap.yaml"
    text = yaml.safe_dump(statement()).replace("death:", "no:")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TaskError, match=r"outcome\.causes"):
        Task.load(path)


def test_an_event_column_of_bare_numbers_must_be_quoted_and_the_error_says_where(tmp_path: Path) -> None:
    path = tmp_path / "trap.yaml"
    table = "table: {time: t, event: e, event_causes: {1: death}}\n"
    path.write_text(yaml.safe_dump(statement()) + table, encoding="utf-8")
    with pytest.raises(TaskError, match=r"table\.event_causes"):
        Task.load(path)


def test_a_file_that_is_absent_or_not_yaml_is_a_task_error(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="cannot be read"):
        Task.load(tmp_path / "absent.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: [", encoding="utf-8")
    with pytest.raises(TaskError, match=r"is not YAML \(line 1: [^\n]*\); mend the YAML$"):
        Task.load(broken)


def test_a_file_that_is_not_text_is_a_task_error(tmp_path: Path) -> None:
    image = tmp_path / "film.yaml"
    image.write_bytes(b"\x89PNG\xff\xfe\x00")
    with pytest.raises(TaskError):
        Task.load(image)


def test_two_values_may_mean_one_class() -> None:
    several = task(outcome=VALUE | {"classes": {"0": "normal", "1": "ill", "2": "ill", "-": "normal"}})
    assert several.causes == ("ill",)


def test_one_code_cannot_mean_two_causes() -> None:
    causes = {"a": ["s|1", "s|2"], "b": ["s|2"]}
    with pytest.raises(TaskError, match="the code s\\|2 means two causes"):
        task(outcome={"kind": "time_to_event", "causes": causes, "horizons_days": [1]})


@pytest.mark.parametrize("days", [0, -5, float("nan"), float("inf")])
def test_a_horizon_is_a_number_of_days_after_the_index(days: float) -> None:
    with pytest.raises(TaskError, match="horizons_days"):
        task(outcome={"kind": "time_to_event", "causes": {"a": ["s|1"]}, "horizons_days": [days]})


def test_a_sentence_pattern_that_is_no_regular_expression_is_refused_when_the_task_is_read() -> None:
    with pytest.raises(TaskError, match="sentence_patterns"):
        task(screening={"sentence_patterns": ["(icu"]})


def test_what_may_happen_and_what_no_evidence_may_read_follow_from_the_outcome() -> None:
    survival = task(screening={"exclude_codes": ["a|b"]})
    assert (survival.causes, survival.is_survival, survival.horizons_days) == (("death",), True, (365.0,))
    assert survival.excluded_codes == {DEATH, "a|b"}
    state = task(outcome=STATE)
    assert (state.causes, state.is_survival, state.horizons_days) == (("icu",), False, (7.0,))
    assert state.excluded_codes == {"s|1", "s|2"}
    value = task(outcome=VALUE)
    assert (value.causes, value.excluded_codes) == (("pneumonia",), {"s|x"})
    assert value.index.codes == (INDEX,)


@pytest.mark.parametrize("days", [-5.0, float("nan"), float("inf")])
def test_a_window_that_ends_before_the_index_or_never_is_no_question(days: float) -> None:
    state = {"kind": "state", "name": "ill", "start_codes": ["a|b"], "within_days": days}
    stated = {"name": "t", "question": "?", "index": {"at": "study"}, "outcome": state}
    with pytest.raises(TaskError, match="within_days"):
        Task.from_statement(stated, "task.yaml")
