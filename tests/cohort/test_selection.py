"""Who is asked about, when, and who is left out for which reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from prognosis.cohort import build_cohort
from prognosis.cohort.selection import age_years, index_times
from prognosis.cohort.task import Index
from prognosis.errors import CohortError, InputError, SourceError
from prognosis.record import ImagingStudy, PatientRecord, Series
from tests.cohort.builders import DEATH, INDEX, event, on, patient, task

ADMISSION = "encounter-start|IMP"
FOLLOW_UP = event(400, "prognosis|follow-up-complete")
STATE = {"kind": "state", "name": "icu", "start_codes": ["encounter-start|ICU"], "within_days": 7}


@pytest.mark.parametrize(("occurrence", "days"), [("each", [1, 5, 9]), ("first", [1]), ("last", [9])])
def test_the_question_is_asked_at_each_the_first_or_the_last_occurrence(
    occurrence: str, days: list[int]
) -> None:
    record = patient("p", [event(day, ADMISSION) for day in (5, 1, 9, 5)])
    index = Index(at="event", occurrence=occurrence, codes=(ADMISSION,))
    assert index_times(record, index) == tuple(on(day) for day in days)


def test_a_film_of_another_view_is_no_index() -> None:
    lateral = ImagingStudy(on(1), "1.1", (Series("1", "CR", "LL"),))
    both = ImagingStudy(on(3), "1.2", (Series("1", "CR", "LL"), Series("2", "CR", "PA")))
    record = PatientRecord("p", studies=(lateral, both))
    assert index_times(record, Index(at="study", occurrence="each", views=("AP", "PA"))) == (on(3),)
    assert index_times(record, Index(at="study", occurrence="each")) == (on(1), on(3))


def test_a_patient_without_the_index_is_counted_and_not_asked() -> None:
    cohort = build_cohort(task(), [patient("a", [FOLLOW_UP]), patient("b", [event(0, INDEX), FOLLOW_UP])])
    assert [case.record.patient_id for case in cohort.cases] == ["b"]
    assert cohort.exclusions == {"no index event": 1}


def test_a_case_holds_nothing_known_after_its_index() -> None:
    record = patient("a", [event(-3, "s|1"), event(0, INDEX), event(2, "s|1"), FOLLOW_UP], [(1.0, "later")])
    (case,) = build_cohort(task(), [record]).cases
    assert case.record == record.as_of(on(0))
    assert case.record.notes == ()
    assert case.patient == "/a"


def test_exclusions_apply_in_the_order_stated_and_each_case_counts_once() -> None:
    rules = [
        {"name": "prior cancer", "codes": ["s|cancer"]},
        {"name": "child", "younger_than_years": 18},
        {"name": "very old", "older_than_years": 90},
    ]
    index = [event(0, INDEX), FOLLOW_UP]
    records = [
        patient("a", [*index, event(-1, "s|cancer")], birth_date=date(2010, 1, 1)),
        patient("b", index, birth_date=date(2010, 1, 1)),
        patient("c", index, birth_date=date(1920, 1, 1)),
        patient("d", [*index, event(5, "s|cancer")], birth_date=date(1960, 1, 1)),
        patient("e", index),
    ]
    cohort = build_cohort(task(exclusions=rules), records)
    assert [case.record.patient_id for case in cohort.cases] == ["d", "e"]
    assert cohort.exclusions == {"prior cancer": 1, "child": 1, "very old": 1}


def test_age_is_below_zero_before_birth() -> None:
    assert age_years(date(2019, 1, 1), on(0)) == pytest.approx(1.0, abs=0.01)
    assert age_years(date(2021, 1, 1), on(0)) < 0


def test_a_case_whose_outcome_is_not_known_is_kept_only_to_be_predicted() -> None:
    record = patient("a", [event(0, INDEX)])
    with pytest.raises(CohortError, match="no follow-up after the index: 1"):
        build_cohort(task(), [record])
    (case,) = build_cohort(task(), [record], require_labels=False).cases
    assert case.label is None


def test_someone_who_had_the_outcome_before_is_not_asked_even_for_prediction() -> None:
    record = patient("a", [event(-5, DEATH), event(0, INDEX), FOLLOW_UP])
    with pytest.raises(CohortError, match="outcome before the index: 1"):
        build_cohort(task(), [record], require_labels=False)


def test_a_cohort_of_no_records_says_so() -> None:
    with pytest.raises(CohortError, match="no records"):
        build_cohort(task(), [])


def test_two_records_of_one_patient_of_one_site_are_refused() -> None:
    record = patient("a", [event(0, INDEX), event(9, DEATH)])
    with pytest.raises(SourceError, match="two of the same patient"):
        build_cohort(task(), [record, record])
    assert len(build_cohort(task(), [record, replace(record, site="elsewhere")])) == 2


def test_a_record_out_of_time_order_gives_the_same_case_and_one_without_a_time_zone_is_refused() -> None:
    facts = [event(0, INDEX), event(5, "L|crp", 3.0), event(9, DEATH), event(700, DEATH)]
    (case,) = build_cohort(task(), [PatientRecord("a", events=tuple(facts))]).cases
    (turned,) = build_cohort(task(), [PatientRecord("a", events=tuple(reversed(facts)))]).cases
    assert turned == case
    naive = replace(facts[1], time=facts[1].time.replace(tzinfo=None))
    with pytest.raises(InputError, match="no time zone"):
        build_cohort(task(), [PatientRecord("a", events=(facts[0], naive))])


def test_the_publisher_s_split_travels_with_the_case_and_is_never_a_fact_about_the_patient() -> None:
    records = [
        patient("a", [event(0, INDEX), event(500, "prognosis|part", "test"), FOLLOW_UP]),
        patient("b", [event(0, INDEX), FOLLOW_UP]),
    ]
    cohort = build_cohort(task(), records)
    assert [case.part for case in cohort.cases] == ["test", ""]


def test_a_cohort_can_be_cut_by_row_and_by_a_question_and_keeps_its_account_of_exclusions() -> None:
    records = [patient(name, [event(0, INDEX), FOLLOW_UP]) for name in "abc"] + [patient("d")]
    cohort = build_cohort(task(), records)
    assert list(cohort.take([2, 0]).patients) == ["/c", "/a"]
    kept = cohort.where(lambda case: case.patient != "/b")
    assert (len(kept), kept.exclusions) == (2, {"no index event": 1})


def test_each_admission_of_a_patient_is_a_case_of_the_same_patient() -> None:
    record = patient("a", [event(0, ADMISSION), event(30, ADMISSION), FOLLOW_UP])
    cohort = build_cohort(task(index={"at": "event", "occurrence": "each", "codes": [ADMISSION]}), [record])
    assert [case.index_time for case in cohort.cases] == [on(0), on(30)]
    assert set(cohort.patients) == {"/a"}
