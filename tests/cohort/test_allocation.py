"""A draw that a cohort's cases contradict is refused, and a right one is not."""

from __future__ import annotations

from typing import Any

import pytest

from prognosis.cohort import Cohort, build_cohort, compared_arms
from prognosis.cohort.arms import problem_of_arms
from prognosis.cohort.lint import codes_never_seen, lint_cohort
from prognosis.errors import CohortError
from prognosis.record import PatientRecord
from tests.cohort.builders import INDEX, event, patient, task

END = "prognosis|follow-up-complete"
ARMS = [{"name": "care"}, {"name": "new", "codes": ["s|new"]}]


def records(**counts: int) -> list[PatientRecord]:
    """So many patients of each stratum and arm: `a_new=20` is of stratum a and the arm new."""
    found = []
    for named, count in counts.items():
        stratum, _, arm = named.partition("_")
        for place in range(count):
            began = [event(0, "s|new")] if arm == "new" else []
            facts = [event(0, INDEX), event(0, "s|stratum", stratum), *began, event(500, END)]
            found.append(patient(f"{named}-{place}", facts))
    return found


def trial(found: list[PatientRecord], **treatment: Any) -> Cohort:
    stated = {"arms": ARMS, "assignment": "randomised", **treatment}
    return build_cohort(task(treatment=stated), found)


def test_counts_that_the_stated_shares_make_impossible_are_refused_with_counts_and_shares() -> None:
    built = trial(records(a_care=52, a_new=55), shares={"care": 0.99, "new": 0.01})
    with pytest.raises(CohortError) as caught:
        compared_arms(built)
    told = str(caught.value)
    assert "care 52 of 107 (48.6%), stated 99.0%; new 55 of 107 (51.4%), stated 1.0%" in told
    assert "state the shares" in told


@pytest.mark.parametrize(("care", "new"), [(52, 55), (40, 67), (70, 37)])
def test_shares_within_chance_of_the_counts_are_believed(care: int, new: int) -> None:
    assert len(compared_arms(trial(records(a_care=care, a_new=new), shares={"care": 0.5, "new": 0.5}))) == 107


def test_shares_that_hold_over_all_and_in_no_stratum_are_refused() -> None:
    found = records(a_care=50, a_new=5, b_care=5, b_new=50)
    even = {"care": 0.5, "new": 0.5}
    assert len(compared_arms(trial(found, shares=even))) == 110
    with pytest.raises(CohortError, match="in the stratum a beyond chance"):
        compared_arms(trial(found, shares=even, strata=["s|stratum"]))


def test_two_eyes_of_a_patient_in_one_arm_are_one_draw() -> None:
    found = records(a_care=14, a_new=14)
    built = trial(found, shares={"care": 0.5, "new": 0.5})
    heavier = Cohort(built.task, built.cases + built.cases[:14] * 9)
    assert problem_of_arms(heavier) == ""


def test_a_stratum_that_nobody_has_is_refused_and_a_known_one_is_not() -> None:
    found = records(a_care=30, b_new=30)
    assert len(compared_arms(trial(found, strata=["s|stratum"])).strata) == 2
    with pytest.raises(CohortError, match=r"no case with s\|stratm.*would be one stratum"):
        compared_arms(trial(found, strata=["s|stratm"]))


def test_the_check_fails_on_a_contradicted_draw_and_on_codes_that_no_record_has() -> None:
    found = records(a_care=52, a_new=55)
    wrong = trial(found, shares={"care": 0.99, "new": 0.01})
    kinds = {f.kind for f in lint_cohort(wrong, records=found) if f.fails}
    assert kinds == {"draw contradicted", "cause without any event"}
    observed = {"arms": [*ARMS, {"name": "third", "codes": ["s|thrid"]}], "assignment": "observational"}
    asked = task(treatment=observed | {"depends_on": ["s|stratum", "s|stratm", "text", "prognosis|age"]})
    told = lint_cohort(build_cohort(asked, found), records=found)
    named = {f.subject for f in told if f.kind == "code that no record has" and f.fails}
    assert named == {"third", "s|stratm"} == set(codes_never_seen(asked, found))


def test_a_response_that_nobody_was_assessed_for_is_told() -> None:
    graded = {"kind": "response", "code": "s|grade", "within_days": 90, "classes": {"0": "no", "1": "yes"}}
    assert "s|grade is in no record" in codes_never_seen(task(outcome=graded), records(a_care=3))["response"]
