"""The Hannover repository: relative days become times, and what was beyond a limit says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.datasets import HannoverCxr
from prognosis.errors import SourceError, StudyError
from prognosis.record import PatientRecord, Quarantine
from tests.connectors.datasets.cohorts import hannover

ADMISSION = datetime(2020, 3, 1, tzinfo=UTC)


def read(folder: Path) -> tuple[list[PatientRecord], Quarantine]:
    quarantine = Quarantine()
    return list(HannoverCxr(folder, f"hannover-cxr:{folder}").records(quarantine)), quarantine


def times(record: PatientRecord, code: str) -> list[timedelta]:
    """Since admission, of each event with the code."""
    return [event.time - ADMISSION for event in record.events if str(event.code) == code]


def hours(days: int, hour: int) -> timedelta:
    return timedelta(days=days, hours=hour)


def test_films_of_a_patient_lie_as_far_apart_as_their_admission_offsets(tmp_path: Path) -> None:
    records, _ = read(hannover(tmp_path, [{"admission_offset": 0}, {"admission_offset": -10}]))
    (record,) = records
    assert [study.time - ADMISSION for study in record.studies] == [hours(0, 12), hours(10, 12)]
    assert record.studies[0].series[0].view == "AP"
    assert record.sex == "female"


def test_a_value_of_the_films_day_is_known_at_the_film_and_a_later_one_is_not(tmp_path: Path) -> None:
    rows = [{"crp_offset": 0, "crp_val": 12}, {"admission_offset": -2, "crp_offset": 1, "crp_val": 90}]
    (record,), _ = read(hannover(tmp_path, rows))
    first, second = (study.time for study in record.studies)
    known = [event.number for event in record.as_of(second).events if event.code.value == "1988-5"]
    assert known == [12.0]
    assert [e.number for e in record.as_of(first).events if e.code.value == "1988-5"] == [12.0]
    assert times(record, "http://loinc.org|1988-5") == [hours(0, 6), hours(3, 6)]


def test_a_value_seen_from_two_films_is_one_value(tmp_path: Path) -> None:
    rows = [{"crp_offset": 1, "crp_val": 12}, {"admission_offset": -1, "crp_offset": 0, "crp_val": 12}]
    (record,), quarantine = read(hannover(tmp_path, rows))
    assert times(record, "http://loinc.org|1988-5") == [hours(1, 6)]
    assert quarantine.accepted["laboratory value"] == 1


def test_minus_infinity_is_below_the_lowest_value_published_and_says_so(tmp_path: Path) -> None:
    rows = [{"crp_offset": 0, "crp_val": value} for value in ("-inf", 4.5, 80, "inf")]
    rows = [{**row, "patient_id": str(number)} for number, row in enumerate(rows)]
    records, _ = read(hannover(tmp_path, rows))
    values = [(e.number, e.comparator) for r in records for e in r.events if e.code.value == "1988-5"]
    assert values == [(4.5, "<"), (4.5, None), (80.0, None), (80.0, ">")]


def test_a_patient_admitted_to_intensive_care_on_the_films_day_is_in_it_at_the_film(tmp_path: Path) -> None:
    (record,), _ = read(hannover(tmp_path, [{"icu_admission_offset": 0, "icu_release_offset": 3}]))
    film = record.studies[0].time
    assert times(record, "encounter-start|ICU") == [film - ADMISSION]
    assert times(record, "encounter-end|ICU") == [hours(3, 18)]


def test_a_death_in_intensive_care_is_no_release_from_it(tmp_path: Path) -> None:
    row = {"icu_admission_offset": 0, "icu_release_offset": 5, "death_offset": 5}
    (record,), _ = read(hannover(tmp_path, [row]))
    assert times(record, "MEDS|MEDS_DEATH") == [hours(5, 17)]
    assert times(record, "encounter-end|ICU") == []
    assert times(record, "prognosis|follow-up-complete") == []


def test_a_survivor_was_followed_for_more_than_a_week_after_the_last_film(tmp_path: Path) -> None:
    (record,), _ = read(hannover(tmp_path, [{}, {"admission_offset": -4}]))
    assert times(record, "prognosis|follow-up-complete") == [hours(12, 12)]


@pytest.mark.parametrize(
    "bad",
    [
        {"admission_offset": ""},
        {"admission_offset": "soon"},
        {"admission_offset": 1.5},
        {"crp_offset": 0, "crp_val": "high"},
        {"patient_id": ""},
        {"image_id": "i0"},
        {"image_id": "../../secret"},
        {"death_offset": 1e400},
    ],
)
def test_a_row_that_cannot_be_read_is_set_aside_and_the_others_go_on(
    tmp_path: Path, bad: dict[str, object]
) -> None:
    records, quarantine = read(hannover(tmp_path, [{}, {"patient_id": "b", **bad}]))
    assert [record.patient_id for record in records] == ["a"]
    assert len(quarantine) == 1


def test_an_image_that_is_no_image_fails_only_when_it_is_opened(tmp_path: Path) -> None:
    folder = hannover(tmp_path, [{}, {"patient_id": "b"}, {"patient_id": "c"}])
    (folder / "images" / "i1.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (folder / "images" / "i2.png").unlink()
    records, _ = read(folder)
    assert records[0].studies[0].volumes()[0].voxels.shape == (1, 4, 5)
    with pytest.raises(StudyError, match="cannot be read"):
        records[1].studies[0].volumes()
    with pytest.raises(StudyError, match="absent"):
        records[2].studies[0].volumes()


def test_a_folder_without_its_table_or_a_column_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"data\.csv: cannot be read"):
        read(tmp_path)
    (tmp_path / "data.csv").write_text("patient_id,image_id\na,b\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"lacks the column.* sex, admission_offset"):
        read(tmp_path)


def test_the_published_cohort_reads_whole(real_data: Path) -> None:
    records, quarantine = read(real_data / "hannover-cxr")
    assert len(records) == 49
    assert sum(len(record.studies) for record in records) == 148
    assert len(quarantine) == 0
    uids = {study.study_uid for record in records for study in record.studies}
    assert len(uids) == 148
    assert max(map(len, uids)) <= 64
    (volume,) = records[0].studies[0].volumes()
    assert volume.voxels.shape[2] == 640
