"""A task's statement of arms: whole, or refused with the field that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from prognosis.cohort import Task
from prognosis.errors import TaskError
from tests.cohort.builders import DEATH, statement, task
from tests.cohort.test_arms import ARMS, GRACE, TREATMENT


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"arms": ARMS[:1]}, "treatment.arms"),
        ({"assignment": "chosen"}, "treatment.assignment"),
        ({"assignment": None}, "treatment.assignment"),
        ({"arms": [ARMS[0], {"name": "b"}]}, "two arms have no codes"),
        ({"arms": [ARMS[1], ARMS[1]]}, "two arms have one name"),
        ({"arms": [{"name": "Drug A"}, {"name": "drug  a", "codes": ["s|a"]}]}, "differ in case or blanks"),
        ({"arms": [{"name": "druga"}, {"name": "Drug A", "codes": ["s|a"]}]}, "differ in case or blanks"),
        ({"arms": [{"name": "\x1b[31mred"}, ARMS[1]]}, "holds U+001B, which does not print"),
        ({"arms": [{"name": "a\u202eb"}, ARMS[1]]}, "holds U+202E"),
        ({"arms": [{"name": "a\u200bb"}, ARMS[1]]}, "holds U+200B"),
        ({"arms": [{"name": "a\nb"}, ARMS[1]]}, "holds U+000A"),
        ({"assignment": "randomised", "strata": ["s|\x07"]}, "holds U+0007"),
        ({"depends_on": ["s|\u2066x"]}, "holds U+2066"),
        ({"arms": [ARMS[0], {"name": "b", "values": ["1"]}]}, "values without codes"),
        ({"arms": [ARMS[2], {"name": "b", "codes": ["s|new-x"]}]}, "begins two arms, new and b"),
        (
            {"arms": [{"name": "a", "codes": ["c"], "values": ["1"]}, {"name": "b", "codes": ["c"]}]},
            "the code c begins two arms",
        ),
        ({"shares": {"care": 0.5, "old": 0.5}}, "are of a randomised assignment"),
        ({"assignment": "randomised", "shares": {"care": 0.5, "old": 0.5}}, "must give one for each"),
        (
            {"assignment": "randomised", "shares": {"care": 0.5, "old": 0.4, "new": 0.2}},
            "must sum to 1, not 1.1",
        ),
        ({"assignment": "randomised", "depends_on": ["s|x"]}, "depends_on is of an observational"),
        ({"assignment": "randomised", "strata": ["s|old"]}, "cannot be what the arm was assigned by"),
        ({"depends_on": ["s|old"]}, "cannot be what the arm was assigned by"),
        ({"arms": [ARMS[0], {"name": "b", "codes": [DEATH]}]}, "is one of the outcome"),
        ({"grace_days": -1}, "treatment.grace_days"),
    ],
)
def test_a_fault_in_the_arms_is_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(TaskError) as caught:
        task(treatment=TREATMENT | changes)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    "outcome",
    [
        {"kind": "value", "code": "s|x", "classes": {"0": "a", "1": "b\x9b"}},
        {"kind": "response", "code": "s|x", "within_days": 9, "classes": {"0": "a", "1": "b\x9b"}},
        {"kind": "time_to_event", "causes": {"b\x9b": [DEATH]}, "horizons_days": [9]},
        {"kind": "state", "name": "b\x9b", "start_codes": ["s|a"]},
    ],
)
def test_a_name_with_a_character_that_does_not_print_is_refused_by_its_number(
    outcome: dict[str, Any],
) -> None:
    with pytest.raises(TaskError) as caught:
        task(outcome=outcome)
    assert "U+009B" in str(caught.value)
    assert "\x9b" not in str(caught.value)


@pytest.mark.parametrize(
    ("outcome", "named"),
    [
        (
            {"kind": "findings", "findings": {"a": {"code": "s|a", "present": ["1"], "absent": ["0"]}}},
            "findings",
        ),
        ({"kind": "value", "code": "s|x", "classes": {"0": "a", "1": "b"}}, "may come before"),
        ({"kind": "state", "name": "a", "start_codes": ["s|a"]}, "may come before"),
        (
            {"kind": "measurement", "name": "a", "codes": ["s|a"], "unit": ""}
            | {"horizon_days": 40, "window_days": 20},
            "beyond the start of the outcome's window",
        ),
        (
            {"kind": "time_to_event", "causes": {"a": ["s|a"]}, "horizons_days": [9], "maximum_days": 30},
            "below outcome.maximum_days",
        ),
        (
            {"kind": "response", "code": "s|a", "classes": {"0": "a", "1": "b"}, "within_days": 90},
            "beyond outcome.from_days",
        ),
    ],
)
def test_an_outcome_that_may_come_before_the_arm_is_refused(outcome: dict[str, Any], named: str) -> None:
    with pytest.raises(TaskError, match=named):
        task(treatment=GRACE, outcome=outcome)


def test_a_concept_stands_for_its_codes_in_an_arm_and_in_what_the_choice_depends_on(tmp_path: Path) -> None:
    concepts = {
        "drug": {"label": "drug", "codes": ["s|a", "s|b"]},
        "crp": {"label": "crp", "loinc": ["1988-5"]},
    }
    treatment = {
        "arms": [{"name": "care"}, {"name": "drug", "codes": ["concept|drug"]}],
        "assignment": "observational",
        "depends_on": ["concept|crp", "prognosis|age"],
    }
    path = tmp_path / "task.yaml"
    path.write_text(yaml.safe_dump(statement(treatment=treatment, concepts=concepts)), encoding="utf-8")
    stated = Task.load(path).treatment
    assert stated is not None
    assert stated.codes == {"s|a", "s|b"}
    assert stated.depends_on == ("http://loinc.org|1988-5", "prognosis|age")
    drawn = treatment | {"assignment": "randomised", "depends_on": [], "strata": ["concept|crp"]}
    path.write_text(yaml.safe_dump(statement(treatment=drawn, concepts=concepts)), encoding="utf-8")
    with pytest.raises(TaskError, match="names a concept in strata"):
        Task.load(path)


def test_the_arms_of_an_older_model_folder_were_only_counted_and_are_left_out() -> None:
    old = statement(arms=[{"name": "a", "codes": ["s|a"], "grace_days": 1.0}])
    assert Task.from_model(old, "config.json") == task()
    with pytest.raises(TaskError, match="arms is not a field"):
        task(arms=[])
