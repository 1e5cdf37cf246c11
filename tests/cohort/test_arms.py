"""Arms: what a case began by the end of the grace period, or why nobody can say."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prognosis.cohort import (
    Began,
    Cohort,
    OfNoArm,
    SurvivalLabel,
    build_cohort,
    cohort_target,
    compared_arms,
)
from prognosis.cohort.arms import arm_counts, known_to_assigner, reasons_of_no_arm
from prognosis.cohort.lint import lint_cohort
from prognosis.errors import CohortError
from prognosis.record import Event, PatientRecord
from tests.cohort.builders import DEATH, INDEX, event, patient, survival_cohort, task

END = "prognosis|follow-up-complete"
ARMS = [{"name": "care"}, {"name": "old", "codes": ["s|old"]}, {"name": "new", "codes": ["s|new*"]}]
TREATMENT: dict[str, Any] = {"arms": ARMS, "assignment": "observational"}
GRACE = TREATMENT | {"grace_days": 30}


def cohort(*courses: list[Event], treatment: dict[str, Any] = GRACE, **changes: object) -> Cohort:
    """A cohort of patients indexed at day 0; each is followed for 500 days unless the course says less."""
    records = [
        patient(f"p{place}", [event(0, INDEX), *course, *([] if ends(course) else [event(500, END)])])
        for place, course in enumerate(courses)
    ]
    return build_cohort(task(treatment=treatment, **changes), records)


def ends(course: list[Event]) -> bool:
    return any(str(each.code) in (DEATH, END) for each in course)


def arm(*course: Event, treatment: dict[str, Any] = GRACE) -> Began | OfNoArm | None:
    return cohort(list(course), treatment=treatment).cases[0].arm


def test_an_arm_is_what_was_begun_from_the_index_to_the_end_of_the_grace_period() -> None:
    assert arm(event(0, "s|old")) == Began("old", 0.0)
    assert arm(event(30, "s|new-b")) == Began("new", 30.0)
    assert arm(event(12, "s|new-b"), event(4, "s|new-a")) == Began("new", 4.0)
    assert arm(event(30.1, "s|old")) == Began("care")
    assert arm(event(4, "s|old"), event(31, "s|new-a")) == Began("old", 4.0)


def test_who_began_two_arms_is_of_neither_and_who_began_one_before_the_index_begins_none_now() -> None:
    assert arm(event(3, "s|old"), event(9, "s|new-a")) == OfNoArm(
        "more than one arm began within the grace period", ambiguous=True
    )
    assert arm(event(-40, "s|old"), event(3, "s|old")) == OfNoArm("an arm began before the index")


def test_without_an_arm_for_those_who_begin_no_other_they_are_of_none() -> None:
    assert arm(treatment=GRACE | {"arms": ARMS[1:]}) == OfNoArm("no arm began within the grace period")


def test_no_grace_period_is_spoken_of_where_a_task_has_none() -> None:
    assert arm(treatment=TREATMENT | {"arms": ARMS[1:]}) == OfNoArm("no arm began at the index")
    both = event(0, "s|old"), event(0, "s|new-a")
    assert arm(*both, treatment=TREATMENT) == OfNoArm("more than one arm began at the index", ambiguous=True)


def test_who_dies_or_is_lost_by_the_end_of_the_grace_period_is_left_out_whatever_was_begun() -> None:
    assert arm(event(9, DEATH)) == OfNoArm(
        "outcome within the grace period, before any arm began", ambiguous=True
    )
    assert arm(event(2, "s|old"), event(30, DEATH)) == OfNoArm(
        "outcome within the grace period, after old began"
    )
    assert arm(event(20, END)) == OfNoArm("not followed to the end of the grace period", ambiguous=True)
    assert arm(event(2, "s|old"), event(20, END)) == OfNoArm("not followed to the end of the grace period")
    assert arm(event(2, "s|old"), event(31, DEATH)) == Began("old", 2.0)


def test_without_a_grace_period_nobody_is_left_out_for_dying_early() -> None:
    assert arm(event(0, "s|old"), event(1, DEATH), treatment=TREATMENT) == Began("old", 0.0)
    assert arm(event(1, DEATH), treatment=TREATMENT) == Began("care")


def test_days_of_compared_cases_count_from_the_end_of_the_grace_period_and_records_from_the_index() -> None:
    built = cohort([event(2, "s|old"), event(130, DEATH)], [event(3, "s|new-a")], [], [event(9, DEATH)])
    arms = compared_arms(built)
    assert arms.treatment.names == ("care", "old", "new")
    assert arms.arm.tolist() == [1, 2, 0]
    assert [case.label for case in arms.cohort.cases] == [
        SurvivalLabel("death", 100.0),
        SurvivalLabel(None, 470.0),
        SurvivalLabel(None, 470.0),
    ]
    assert cohort_target(arms.cohort).days.tolist() == [100.0, 470.0, 470.0]
    assert arms.left_out == {"outcome within the grace period, before any arm began": 1}
    assert all(each.time <= case.index_time for case in arms.cohort.cases for each in case.record.events)
    assert built.cases[0].label == SurvivalLabel("death", 130.0)


@given(delay=st.floats(0.0, 30.0), death=st.floats(0.5, 400.0))
def test_a_late_beginning_earns_no_days(delay: float, death: float) -> None:
    """Immortal time: the days until the beginning are of no arm, so that when it was cannot matter."""
    late = [event(delay, "s|old")] if delay <= death else []
    built = cohort([*late, event(death, DEATH)], [event(0, "s|old"), event(death, DEATH)])
    assert built.task.treatment is not None
    days = [isinstance(case.arm, Began) and case.arm.arm == "old" and case.label for case in built.cases]
    assert days[0] == days[1]
    assert bool(days[0]) == (built.cases[0].label.days > 30.0)  # type: ignore[union-attr]


def test_a_column_says_the_arm_by_its_values_and_no_evidence_reads_it() -> None:
    treatment = {
        "assignment": "randomised",
        "shares": {"control": 0.5, "drug": 0.5},
        "strata": ["table|sex"],
        "arms": [
            {"name": "control", "codes": ["table|rx"], "values": ["0"]},
            {"name": "drug", "codes": ["table|rx"], "values": ["1", "2.5"]},
        ],
    }
    columns = {"table|rx": [0.0, 1.0, 2.5, 3.0], "table|sex": ["m", "f", "f", "m"]}
    built = survival_cohort(columns, [True, False, True, True], treatment=treatment)
    arms = compared_arms(built)
    assert arms.arm.tolist() == [0, 1, 1]
    assert arms.left_out == {"no arm began at the index": 1}
    assert arms.strata == (("f",), ("m",))
    assert arms.stratum.tolist() == [1, 0, 0]
    assert arms.shares is not None
    assert arms.shares.tolist() == [0.5, 0.5]
    assert arms.clusters.tolist() == ["/p00000", "/p00001", "/p00002"]
    assert "table|rx" in built.task.excluded_codes


def test_the_two_eyes_of_a_patient_are_one_cluster() -> None:
    records = [
        PatientRecord(
            f"eye-{place}", events=(event(0, INDEX), event(0, f"s|{drug}"), event(50, END)), cluster="a"
        )
        for place, drug in enumerate(("old", "new-a"))
    ]
    arms = compared_arms(build_cohort(task(treatment=TREATMENT | {"arms": ARMS[1:]}), records))
    assert arms.clusters.tolist() == ["/a", "/a"]


def test_cases_are_counted_by_arm_and_by_why_they_are_of_none() -> None:
    built = cohort([event(2, "s|old")], [event(-2, "s|old")], [event(9, DEATH)], [])
    assert arm_counts(built) == {"care": 1, "old": 1, "new": 0, "(ambiguous)": 1, "(no arm)": 1}
    assert reasons_of_no_arm(built) == {
        "an arm began before the index": 1,
        "outcome within the grace period, before any arm began": 1,
    }
    untreated = survival_cohort({}, [True])
    assert arm_counts(untreated) == {}
    assert untreated.cases[0].arm is None


def test_what_cannot_be_compared_is_refused_with_the_reason() -> None:
    with pytest.raises(CohortError, match="does not say how its arms were assigned"):
        compared_arms(survival_cohort({}, [True]))
    with pytest.raises(CohortError, match="no case of the arm new"):
        compared_arms(cohort([event(2, "s|old")], []))
    record = patient("a", [event(0, INDEX)])
    with pytest.raises(CohortError, match="without a label"):
        compared_arms(build_cohort(task(treatment=TREATMENT), [record], require_labels=False))


def test_what_the_choice_may_depend_on_is_what_the_task_names_and_never_the_arm() -> None:
    known = patient(
        "a",
        [event(0, INDEX), event(0, "s|old"), event(-1, "L|crp", 3.0), event(-1, "L|na", 140.0)],
        notes=[(-1, "cough")],
        studies=[(-1, "1.2")],
        birth_date=date(1950, 1, 1),
        sex="male",
    )

    def left(**changes: object) -> PatientRecord:
        stated = task(treatment=TREATMENT | changes).treatment
        assert stated is not None
        return known_to_assigner(known, stated)

    everything = left()
    assert [str(each.code) for each in everything.events] == ["L|crp", "L|na", INDEX]
    assert (everything.notes, everything.studies, everything.sex) == (known.notes, known.studies, "male")
    named = left(depends_on=["L|crp", "prognosis|age", "imaging"])
    assert [str(each.code) for each in named.events] == ["L|crp"]
    assert (named.notes, named.studies) == ((), known.studies)
    assert (named.birth_date, named.sex) == (known.birth_date, None)
    drawn = left(assignment="randomised", strata=["L|na"])
    assert [str(each.code) for each in drawn.events] == ["L|na"]
    assert (drawn.notes, drawn.studies, drawn.birth_date) == ((), (), None)


def test_a_column_that_says_the_arm_again_is_found_and_a_balanced_one_is_not() -> None:
    random = np.random.default_rng(3)
    drawn = random.integers(2, size=300)
    columns: dict[str, list[Any]] = {
        "s|rx": [str(each) for each in drawn],
        "s|dose": (drawn * 2.0).tolist(),
        "s|centre": [f"c{place}" for place in random.integers(5, size=300)],
    }
    built = survival_cohort(
        columns,
        (random.random(300) < 0.5).tolist(),
        treatment={
            "assignment": "randomised",
            "arms": [
                {"name": "none", "codes": ["s|rx"], "values": ["0"]},
                {"name": "drug", "codes": ["s|rx"], "values": ["1"]},
                {"name": "other drug", "codes": ["s|rx"], "values": ["2"]},
            ],
        },
    )
    found = [f for f in lint_cohort(built) if "arm" in f.kind]
    assert [(f.kind, f.subject, f.fails) for f in found] == [
        ("too few in an arm", "other drug", False),
        ("level settles the arm", "s|dose = 0", True),
        ("level settles the arm", "s|dose = 2", True),
    ]
