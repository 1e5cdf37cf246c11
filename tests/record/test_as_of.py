"""The gate against leakage: what was known by a time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prognosis.errors import InputError, StudyError
from prognosis.record import (
    Code,
    Event,
    ImagingStudy,
    Note,
    PatientRecord,
    Quarantine,
    Series,
    Volume,
)
from prognosis.record.patient import in_time_order, sorted_record

ZERO = datetime(2020, 1, 1, tzinfo=UTC)
hours = st.integers(-1000, 1000)


def at(hour: int) -> datetime:
    return ZERO + timedelta(hours=hour)


records = st.builds(
    lambda events, notes, studies: PatientRecord(
        "p",
        date(1950, 1, 1),
        "female",
        tuple(Event(at(hour), Code("s", str(row))) for row, hour in enumerate(events)),
        tuple(Note(at(hour), f"note {row}") for row, hour in enumerate(notes)),
        tuple(ImagingStudy(at(hour), f"1.{row}") for row, hour in enumerate(studies)),
    ),
    st.lists(hours, max_size=8),
    st.lists(hours, max_size=8),
    st.lists(hours, max_size=8),
)


def facts(record: PatientRecord) -> tuple[Event | Note | ImagingStudy, ...]:
    return (*record.events, *record.notes, *record.studies)


@given(record=records, hour=hours)
def test_a_fact_is_kept_exactly_when_it_was_known_by_then(record: PatientRecord, hour: int) -> None:
    assert facts(record.as_of(at(hour))) == tuple(fact for fact in facts(record) if fact.time <= at(hour))


@given(record=records, hour=hours)
def test_asking_twice_as_of_the_same_time_changes_nothing(record: PatientRecord, hour: int) -> None:
    known = record.as_of(at(hour))
    assert known.as_of(at(hour)) == known


@given(record=records, hour=hours, later=st.integers(0, 500))
def test_what_was_known_earlier_is_known_later_and_the_order_of_cuts_does_not_matter(
    record: PatientRecord, hour: int, later: int
) -> None:
    early, late = record.as_of(at(hour)), record.as_of(at(hour + later))
    assert set(facts(early)) <= set(facts(late))
    assert late.as_of(at(hour)) == early == early.as_of(at(hour + later))


@given(record=records, hour=hours, after=st.integers(1, 500))
def test_adding_a_fact_from_the_future_never_changes_what_was_known(
    record: PatientRecord, hour: int, after: int
) -> None:
    future = Event(at(hour + after), Code("MEDS", "MEDS_DEATH"))
    added = PatientRecord(
        record.patient_id,
        record.birth_date,
        record.sex,
        (*record.events, future),
        (*record.notes, Note(at(hour + after), "later")),
        (*record.studies, ImagingStudy(at(hour + after), "9.9")),
    )
    assert added.as_of(at(hour)) == record.as_of(at(hour))


def test_a_result_released_at_the_index_itself_is_known() -> None:
    record = PatientRecord("p", events=(Event(ZERO, Code("http://loinc.org", "1988-5"), 12.0),))
    assert record.as_of(ZERO) == record
    assert record.as_of(ZERO - timedelta(microseconds=1)).events == ()


def test_who_the_patient_is_stays_known_at_any_time() -> None:
    record = PatientRecord("p", date(1950, 1, 1), "male", site="north")
    assert record.as_of(at(-1000)) == record
    assert record.key == "north/p"


def test_a_comparison_with_a_time_without_zone_is_refused() -> None:
    record = PatientRecord("p", events=(Event(ZERO, Code("s", "1")),))
    naive = datetime(2020, 1, 1)  # noqa: DTZ001 - the point of the test
    with pytest.raises(InputError, match="names no time zone"):
        record.as_of(naive)
    undated = PatientRecord("p", events=(Event(naive, Code("s", "1")),))
    for ask in (lambda: undated.as_of(ZERO), lambda: in_time_order(undated)):
        with pytest.raises(InputError, match="names no time zone"):
            ask()


FULL = PatientRecord(
    "p",
    date(1950, 1, 1),
    "female",
    (Event(ZERO, Code("s", "1")),),
    (Note(ZERO, "note"),),
    (ImagingStudy(ZERO, "1.2"),),
    "north",
)


def test_a_record_without_its_clinical_part_holds_neither_events_nor_demographics() -> None:
    bare = FULL.without("clinical")
    assert (bare.events, bare.birth_date, bare.sex) == ((), None, None)
    assert (bare.notes, bare.studies, bare.key) == (FULL.notes, FULL.studies, FULL.key)


@pytest.mark.parametrize(("modality", "field"), [("text", "notes"), ("imaging", "studies")])
def test_a_record_without_one_modality_keeps_the_others(modality: str, field: str) -> None:
    bare = FULL.without(modality)
    assert getattr(bare, field) == ()
    for other in {"events", "notes", "studies", "birth_date", "sex"} - {field}:
        assert getattr(bare, other) == getattr(FULL, other)


def test_a_modality_that_does_not_exist_cannot_be_taken_away() -> None:
    with pytest.raises(ValueError, match="one of clinical, text, imaging"):
        FULL.without("genomics")


def test_a_sorted_record_is_in_time_order_with_ties_by_source() -> None:
    events = (Event(at(5), Code("s", "b"), source="2"), Event(at(5), Code("s", "a"), source="1"))
    record = PatientRecord(
        "p",
        events=(*events, Event(at(1), Code("s", "c"), source="3")),
        notes=(Note(at(2), "second", source="a"), Note(at(1), "first", source="b")),
        studies=(ImagingStudy(at(2), "1.1"), ImagingStudy(at(2), "1.0")),
    )
    ordered = sorted_record(record)
    assert [event.source for event in ordered.events] == ["3", "1", "2"]
    assert [note.text for note in ordered.notes] == ["first", "second"]
    assert [study.study_uid for study in ordered.studies] == ["1.0", "1.1"]
    assert sorted_record(ordered) == ordered


@given(system=st.text(), value=st.text().filter(lambda text: "|" not in text))
def test_a_code_reads_back_from_what_it_prints(system: str, value: str) -> None:
    code = Code(system, value)
    assert Code.parse(str(code)) == code


def test_a_code_without_a_system_is_all_value() -> None:
    assert Code.parse("5") == Code("", "5")


def test_quarantine_accounts_for_everything_received() -> None:
    quarantine = Quarantine()
    quarantine.accept("Observation")
    quarantine.accept("Observation", 4)
    quarantine.reject(InputError("Observation/7", "has no code", "state one"))
    quarantine.notice("effective time used for issued")
    quarantine.notice("effective time used for issued", 2)
    assert quarantine.accepted.total() + len(quarantine) == 6
    (rejection,) = quarantine
    assert (rejection.reference, rejection.problem, rejection.remedy) == (
        "Observation/7",
        "has no code",
        "state one",
    )
    assert quarantine.notices == {"effective time used for issued": 3}


class _OneFilm:
    """A store that holds one study."""

    def volumes(self, study: ImagingStudy) -> tuple[Volume, ...]:
        if study.study_uid != "1.2":
            raise StudyError(f"ImagingStudy {study.study_uid}", "is not in the store", "check the UID")
        return (Volume(np.zeros((1, 2, 2), np.float32), np.eye(4), "ImagingStudy/1.2#1"),)


def test_a_study_that_no_source_holds_says_so_when_opened() -> None:
    with pytest.raises(StudyError, match=r"1\.2: no source given holds its pixels"):
        ImagingStudy(ZERO, "1.2").volumes()


def test_a_study_opens_through_the_store_that_lends_its_pixels() -> None:
    study = ImagingStudy(ZERO, "1.2", (Series("1", "CR", "AP"),), store=_OneFilm())
    (film,) = study.volumes()
    assert film.voxels.shape == (1, 2, 2)
    assert study == ImagingStudy(ZERO, "1.2", (Series("1", "CR", "AP"),))
    with pytest.raises(StudyError, match="not in the store"):
        ImagingStudy(ZERO, "9.9", store=_OneFilm()).volumes()


@given(records)
def test_a_record_in_time_order_holds_the_same_and_stays_as_it_is(record: PatientRecord) -> None:
    ordered = in_time_order(record)
    for kind in ("events", "notes", "studies"):
        times = [item.time for item in getattr(ordered, kind)]
        assert times == sorted(times)
        assert set(getattr(ordered, kind)) == set(getattr(record, kind))
    assert in_time_order(ordered) == ordered
