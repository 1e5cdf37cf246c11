"""Responses: a grade that was given, and the best response of measured lesions by RECIST 1.1."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prognosis.cohort import ClassLabel, build_cohort, cohort_target
from prognosis.cohort.arms import arm_counts
from prognosis.cohort.case import Unlabelled
from prognosis.cohort.labels import label_case
from prognosis.cohort.target import reference_class
from prognosis.errors import CohortError, TaskError
from prognosis.record import Event
from tests.cohort.builders import DEATH, INDEX, event, on, patient, task

GRADED: dict[str, Any] = {
    "kind": "response",
    "code": "s|grade",
    "classes": {"worse": "no", "same": "no", "better": "yes"},
    "from_days": 150,
    "within_days": 210,
    "death_codes": [DEATH],
}
RECIST: dict[str, Any] = {
    "kind": "response",
    "lesions": {"codes": ["s|liver", "s|lung"], "node_codes": ["s|node"], "new_lesion_codes": ["s|new"]},
    "classes": {
        "complete response": "response",
        "partial response": "response",
        "stable disease": "none",
        "progressive disease": "none",
    },
    "from_days": 42,
    "within_days": 180,
}
NAMED = RECIST | {
    "classes": {name: name for name in (*RECIST["classes"], "died", "not assessed")},
    "death_codes": [DEATH],
}


def label(outcome: dict[str, Any], *events: Event) -> str:
    """The class of a patient who is indexed at day 0, or why there is none."""
    record = patient("a", [event(0, INDEX), *events])
    found = label_case(task(outcome=outcome).outcome, record, on(0))
    assert isinstance(found, ClassLabel | Unlabelled)
    return found.category if isinstance(found, ClassLabel) else f"({found.reason})"


def scans(*sums: tuple[float, float]) -> list[Event]:
    """Sums of diameters, by day."""
    return [event(day, "s|liver", float(size), "mm") for day, size in sums]


def best(*sums: tuple[float, float], outcome: dict[str, Any] = NAMED) -> str:
    """The best response of sums of diameters, of which the first is the baseline."""
    return label(outcome, *scans(*sums))


def test_a_grade_is_that_of_the_first_assessment_in_the_window() -> None:
    assert label(GRADED, event(160, "s|grade", "better"), event(200, "s|grade", "worse")) == "yes"
    assert label(GRADED, event(100, "s|grade", "worse"), event(150, "s|grade", "better")) == "yes"
    assert label(GRADED, event(160, "s|grade", "better"), event(160, "s|grade", "same")) == (
        "(two assessments at one time disagree)"
    )


def test_nothing_stands_in_for_an_assessment_that_was_not_made() -> None:
    assert label(GRADED, event(100, "s|grade", "better"), event(211, "s|grade", "better")) == (
        "(not assessed in the window)"
    )
    assert label(GRADED, event(90, DEATH)) == "(died before an assessment)"
    assert label(GRADED, event(160, "s|grade", "odd")) == "(outcome has a value that the task does not name)"


def test_death_and_silence_are_classes_where_the_task_says_so() -> None:
    stated = GRADED | {"classes": {**GRADED["classes"], "died": "no", "not assessed": "unknown"}}
    assert label(stated, event(90, DEATH)) == "no"
    assert label(stated, event(400, DEATH)) == "unknown"
    assert label(stated, event(160, "s|grade", "better"), event(170, DEATH)) == "yes"


@pytest.mark.parametrize(
    ("sums", "response"),
    [
        (((-7, 100), (56, 0)), "complete response"),
        (((-7, 100), (56, 70)), "partial response"),
        (((-7, 100), (56, 70.1)), "stable disease"),
        (((-7, 100), (56, 119.9)), "stable disease"),
        (((-7, 100), (56, 120)), "progressive disease"),
        (((-7, 20), (56, 24)), "stable disease"),  # 20%, and 4 mm only
        (((-7, 20), (56, 25)), "progressive disease"),
        (((-7, 100), (56, 50), (112, 60)), "partial response"),  # 60 progresses from 50; 50 came first
        (((-7, 100), (56, 119), (112, 70)), "partial response"),
        (((-7, 100), (56, 120), (112, 10)), "progressive disease"),  # what follows progression does not count
        (((-7, 100), (56, 80), (112, 97)), "stable disease"),
        (((-7, 100), (28, 90)), "not assessed"),  # stable for too short a time, and never seen again
        (((-7, 100), (28, 90), (60, 121)), "progressive disease"),
        (((-7, 100), (28, 60)), "partial response"),
        (((-7, 100), (181, 60)), "not assessed"),
    ],
)
def test_the_best_response_is_that_of_recist(sums: tuple[tuple[float, float], ...], response: str) -> None:
    assert best(*sums) == response


def test_a_new_lesion_is_progression_whatever_became_of_the_others() -> None:
    assert label(NAMED, *scans((-7, 100), (56, 60)), event(56, "s|new")) == "progressive disease"
    assert label(NAMED, *scans((-7, 100), (56, 60)), event(90, "s|new")) == "partial response"
    assert label(NAMED, *scans((-7, 100)), event(-3, "s|new"), *scans((56, 60))) == "partial response"


def test_lesions_of_a_day_are_added_up_and_a_node_of_less_than_ten_millimetres_is_gone() -> None:
    first = [
        event(-1, "s|liver", 30.0, "mm"),
        event(-1, "s|liver", 30.0, "mm"),
        event(-1, "s|node", 20.0, "mm"),
    ]
    gone = [event(60, "s|liver", 0.0, "mm"), event(60, "s|liver", 0.0, "mm")]
    assert label(NAMED, *first, *gone, event(60, "s|node", 9.0, "mm")) == "complete response"
    assert label(NAMED, *first, *gone, event(60, "s|node", 10.0, "mm")) == "partial response"


def test_an_assessment_that_misses_a_lesion_is_none() -> None:
    first = [event(-1, "s|liver", 30.0, "mm"), event(-1, "s|lung", 30.0, "mm")]
    assert label(NAMED, *first, event(60, "s|liver", 5.0, "mm")) == "not assessed"
    twice = [event(60, "s|liver", 5.0, "mm"), event(60, "s|liver", 4.0, "mm"), event(60, "s|lung", 9.0, "mm")]
    assert label(NAMED, *first, *twice) == "not assessed"
    assert label(NAMED, *first, event(60, "s|liver", 5.0, "mm"), event(90, DEATH)) == "died"


def test_without_a_lesion_measured_by_the_index_the_question_is_not_asked() -> None:
    for sums in (((56, 60.0),), ((-29, 100.0), (56, 60.0)), ((-1, 0.0), (56, 60.0))):
        assert best(*sums) == "(no lesion was measured by the index)"


def test_lengths_are_in_millimetres_and_a_unit_that_is_not_named_is_refused() -> None:
    centimetres = [event(-1, "s|liver", 3.0, "cm"), event(60, "s|liver", 2.0, "cm")]
    stated = NAMED | {"lesions": RECIST["lesions"] | {"other_units": {"cm": 10.0}}}
    assert label(stated, *centimetres) == "partial response"
    with pytest.raises(TaskError, match=r"s\|liver was measured in cm, not in mm"):
        label(NAMED, *centimetres)


@given(st.lists(st.floats(0.0, 200.0), min_size=1, max_size=6), st.floats(5.0, 200.0))
def test_a_later_scan_never_makes_the_best_response_worse_and_never_mends_one_of_progression(
    sizes: list[float], baseline: float
) -> None:
    order = ["complete response", "partial response", "stable disease", "progressive disease"]
    days = [50.0 + 20.0 * place for place in range(len(sizes))]
    seen = [best((-1, baseline), *zip(days[:n], sizes[:n], strict=True)) for n in range(1, len(sizes) + 1)]
    ranks = [order.index(each) for each in seen]
    worst = order.index("progressive disease")
    assert all(b <= a for a, b in pairwise(ranks) if a != worst)
    assert all(b == a for a, b in pairwise(ranks) if a == worst)


def test_a_response_is_a_task_of_one_bin_with_its_first_class_as_reference() -> None:
    records = [
        patient(f"p{place}", [event(0, INDEX), event(160, "s|grade", grade)])
        for place, grade in enumerate(("worse", "better", "same", "better"))
    ]
    built = build_cohort(task(outcome=GRADED), records)
    target = cohort_target(built)
    assert (target.causes, target.cause.tolist(), target.edges.tolist()) == (("yes",), [0, 1, 0, 1], [0, 1])
    assert reference_class(built.task) == "no"
    assert built.task.horizons_days == (210,)
    assert {"s|grade", DEATH} <= built.task.excluded_codes
    with pytest.raises(CohortError, match="not assessed in the window: 1"):
        build_cohort(task(outcome=GRADED), [patient("a", [event(0, INDEX)])])


def test_earlier_diameters_are_evidence() -> None:
    assert not {"s|liver", "s|node"} & task(outcome=RECIST).excluded_codes


def test_who_progressed_or_died_within_the_grace_period_is_of_no_arm() -> None:
    treatment = {
        "assignment": "observational",
        "grace_days": 30,
        "arms": [{"name": "care"}, {"name": "drug", "codes": ["s|drug"]}],
    }
    courses = [
        [*scans((-1, 50), (20, 80), (60, 90))],
        [*scans((-1, 50), (60, 80)), event(9, DEATH)],
        [*scans((-1, 50), (60, 10)), event(9, "s|drug")],
        [*scans((-1, 50), (20, 30), (60, 30))],
    ]
    records = [patient(f"p{n}", [event(0, INDEX), *course]) for n, course in enumerate(courses)]
    built = build_cohort(task(outcome=NAMED, treatment=treatment), records)
    assert arm_counts(built) == {"care": 1, "drug": 1, "(ambiguous)": 2, "(no arm)": 0}


@pytest.mark.parametrize(
    ("outcome", "named"),
    [
        (GRADED | {"lesions": RECIST["lesions"]}, "give either code, of a grade, or lesions"),
        ({key: value for key, value in GRADED.items() if key != "code"}, "give either code"),
        (GRADED | {"from_days": 300}, "from_days must not be beyond within_days"),
        (GRADED | {"classes": {"a": "x", "b": "x"}}, "one class only"),
        (GRADED | {"classes": {"a": "x", "died": "y"}, "death_codes": []}, "death_codes is empty"),
        (RECIST | {"classes": {"complete response": "a", "partial response": "b"}}, "stable disease"),
        (RECIST | {"classes": {**RECIST["classes"], "cured": "a"}}, "a grade that is none of"),
        (RECIST | {"lesions": {}}, "what is measured"),
        (RECIST | {"lesions": {"codes": ["a"], "node_codes": ["a"]}}, "named twice"),
    ],
)
def test_a_fault_in_a_response_is_named(outcome: dict[str, Any], named: str) -> None:
    with pytest.raises(TaskError) as caught:
        task(outcome=outcome)
    assert named in str(caught.value)
