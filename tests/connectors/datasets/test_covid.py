"""The covid-chestxray-dataset: what is published is recorded, what is not is not invented."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.datasets import CovidCxr
from prognosis.errors import SourceError
from prognosis.record import PatientRecord, Quarantine
from tests.connectors.datasets.cohorts import covid


def read(folder: Path) -> tuple[list[PatientRecord], Quarantine]:
    quarantine = Quarantine()
    return list(CovidCxr(folder, f"covid-cxr:{folder}").records(quarantine)), quarantine


def days(record: PatientRecord, code: str) -> list[float]:
    """From the first film to each event with the code."""
    start = record.studies[0].time
    return [(e.time - start).total_seconds() / 86_400 for e in record.events if str(e.code) == code]


def test_a_film_in_intensive_care_starts_a_stay_that_ends_by_the_film_outside_it(tmp_path: Path) -> None:
    rows = [{"offset": 1, "in_icu": "Y"}, {"offset": 2, "in_icu": "Y"}, {"offset": 9, "in_icu": "N"}]
    (record,), _ = read(covid(tmp_path, rows))
    assert days(record, "encounter-start|ICU") == [0.0]
    assert days(record, "encounter-end|ICU") == [pytest.approx(8 - 1 / 24)]


def test_what_is_said_of_a_film_is_kept_as_published_and_silence_stays_silence(tmp_path: Path) -> None:
    rows = [
        {"finding": "COVID-19", "intubation_present": "Y", "in_icu": "N"},
        {"offset": 3, "in_icu": "Y"},
    ]
    (record,), _ = read(covid(tmp_path, rows))
    first, second = (study.time for study in record.studies)
    said = {(e.time, e.code.value): e.text for e in record.events if e.code.system == "outcome"}
    assert said == {
        (first, "film-diagnosis"): "COVID-19",
        (first, "film-intubated"): "Y",
        (first, "film-intensive-care"): "N",
        (second, "film-intensive-care"): "Y",
    }


def test_a_patient_who_never_went_was_followed_beyond_a_week(tmp_path: Path) -> None:
    (record,), _ = read(covid(tmp_path, [{"in_icu": "N", "went_icu": "N"}]))
    assert days(record, "prognosis|follow-up-complete") == [8.0]
    assert days(record, "prognosis|icu-status-unknown") == []


@pytest.mark.parametrize(
    "row", [{}, {"went_icu": "Y"}, {"in_icu": "N", "went_icu": "Y"}, {"in_icu": "N"}, {"went_icu": "N"}]
)
def test_a_course_that_is_not_published_is_marked_as_unknown(tmp_path: Path, row: dict[str, str]) -> None:
    (record,), _ = read(covid(tmp_path, [row, {**row, "offset": 30}]))
    assert days(record, "prognosis|icu-status-unknown") == [0.0, 30.0]
    assert days(record, "prognosis|follow-up-complete") == []


def test_intensive_care_within_a_week_makes_the_earlier_film_known(tmp_path: Path) -> None:
    rows = [{"offset": 0, "went_icu": "Y"}, {"offset": 7, "in_icu": "Y", "went_icu": "Y"}]
    (record,), _ = read(covid(tmp_path, rows))
    assert days(record, "prognosis|icu-status-unknown") == []


def test_no_date_of_death_is_invented(tmp_path: Path) -> None:
    (record,), quarantine = read(covid(tmp_path, [{"survival": "N"}]))
    assert days(record, "MEDS|MEDS_DEATH") == []
    assert any("no death is recorded" in notice for notice in quarantine.notices)


def test_films_without_a_day_keep_the_files_order_on_day_zero(tmp_path: Path) -> None:
    rows = [{"offset": "", "view": "L"}, {"offset": "", "view": "AP Supine"}]
    (record,), quarantine = read(covid(tmp_path, rows))
    assert [study.series[0].view for study in record.studies] == ["LL", "AP"]
    assert {study.time.date().isoformat() for study in record.studies} == {"2020-03-01"}
    assert any("no day is published" in notice for notice in quarantine.notices)


def test_notes_are_dated_by_their_film_and_flagged_as_written_later(tmp_path: Path) -> None:
    folder = covid(tmp_path, [{"clinical_notes": "Fever 38\xb0C."}], encoding="latin-1")
    (record,), quarantine = read(folder)
    assert [note.text for note in record.notes] == ["Fever 38\xb0C."]
    assert record.notes[0].time == record.studies[0].time
    assert any("later than the film" in notice for notice in quarantine.notices)


@pytest.mark.parametrize(
    "bad", [{"view": "oblique"}, {"filename": "../f9.png"}, {"filename": "f0.png"}, {"age": "old"}]
)
def test_a_row_that_cannot_be_read_is_set_aside(tmp_path: Path, bad: dict[str, str]) -> None:
    records, quarantine = read(covid(tmp_path, [{}, {"patientid": "2", **bad}]))
    assert [record.patient_id for record in records] == ["1"]
    assert len(quarantine) == 1


def test_a_film_that_is_a_link_out_of_the_folder_is_set_aside(tmp_path: Path) -> None:
    folder = covid(tmp_path / "cohort", [{}, {"patientid": "2"}])
    (folder / "images" / "f1.png").unlink()
    (folder / "images" / "f1.png").symlink_to(tmp_path / "elsewhere.png")
    records, quarantine = read(folder)
    assert [record.patient_id for record in records] == ["1"]
    assert [rejection.problem for rejection in quarantine] == ["leads out of the folder"]


def test_an_empty_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text("", encoding="utf-8")
    with pytest.raises(SourceError, match="lacks the column"):
        read(tmp_path)


def test_the_published_cohort_reads_whole(real_data: Path) -> None:
    records, quarantine = read(real_data / "covid-cxr")
    assert len(records) == 77
    assert sum(len(record.studies) for record in records) == 162
    assert len(quarantine) == 0
    assert all("\ufffd" not in note.text for record in records for note in record.notes)
