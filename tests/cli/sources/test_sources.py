"""Sources named on the command line become one cohort, and no patient is ever scored with another's film."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from prognosis.cli.live.process import free_port
from prognosis.cli.sources import SCHEMES, export_fhir_dicom, export_meds, open_sources, read_records
from prognosis.cli.sources.one_patient import read_patient
from prognosis.cohort import Task
from prognosis.errors import SourceError, StudyError, TaskError
from prognosis.record import PatientRecord, Quarantine
from tests.connectors.datasets.cohorts import covid, csv, hannover
from tests.connectors.dicom.films import write
from tests.connectors.fhir.resources import patient
from tests.connectors.fhir.ward import Ward, opened

TABLE_TASK = {
    "name": "t",
    "question": "?",
    "index": {"at": "event", "codes": ["prognosis|index"]},
    "outcome": {"kind": "time_to_event", "causes": {"death": ["outcome|death"]}, "horizons_days": [1]},
    "table": {"time": "time", "event": "event", "event_causes": {"1": "death"}},
}


def cohorts(folder: Path) -> list[str]:
    """The names of two small cohorts, one of which states a limit and both of which have films."""
    rows = [{"crp_offset": 0, "crp_val": 3}, {"admission_offset": -2, "crp_offset": 0, "crp_val": "-inf"}]
    one = hannover(folder / "h", [*rows, {"patient_id": "b"}])
    two = covid(folder / "c", [{"in_icu": "Y"}, {"offset": 4, "in_icu": "N"}, {"patientid": "b"}])
    return [f"hannover-cxr:{one}", f"covid-cxr:{two}"]


def stated(record: PatientRecord) -> list[tuple[object, ...]]:
    """What a record says, without the order of facts at one time and without citations."""
    events = [(e.time, str(e.code), e.number, e.comparator, e.unit, e.text, e.display) for e in record.events]
    notes = [(note.time, note.text) for note in record.notes]
    studies = [(study.time, study.study_uid, study.series) for study in record.studies]
    return [(record.key, record.sex), *sorted(events, key=repr), *notes, *studies]


def exported(folder: Path) -> tuple[tuple[PatientRecord, ...], Path]:
    """Two cohorts, and the folder that they were exported to."""
    records = read_records(cohorts(folder), None, Quarantine())
    export_fhir_dicom(records, folder / "out", Quarantine())
    return records, folder / "out"


def test_sources_are_one_cohort_with_a_site_each(tmp_path: Path) -> None:
    told: list[tuple[str, int]] = []
    uris = cohorts(tmp_path)
    records = read_records(uris, None, Quarantine(), lambda uri, count: told.append((uri, count)))
    assert [record.key for record in records] == [
        "covid-cxr/1",
        "covid-cxr/b",
        "hannover-cxr/a",
        "hannover-cxr/b",
    ]
    assert told == [(uris[0], 2), (uris[1], 2)]


def test_a_cohort_comes_back_equal_from_fhir_and_dicom(tmp_path: Path) -> None:
    records, out = exported(tmp_path)
    quarantine = Quarantine()
    back = read_records([f"fhir-folder:{out}", f"dicom-folder:{out}"], None, quarantine)
    assert len(quarantine) == 0
    assert [stated(record) for record in back] == [stated(record) for record in records]
    for before, after in zip(records, back, strict=True):
        for one, other in zip(before.studies, after.studies, strict=True):
            (a,), (b,) = one.volumes(), other.volumes()
            np.testing.assert_array_equal(a.voxels, b.voxels)
            assert (a.source, a.modality, a.view) == (b.source, b.modality, b.view)


def test_records_without_the_dicom_folder_keep_their_studies_but_not_the_pixels(tmp_path: Path) -> None:
    _, out = exported(tmp_path)
    quarantine = Quarantine()
    records = read_records([f"fhir-folder:{out}"], None, quarantine)
    with pytest.raises(StudyError, match="no source given holds its pixels"):
        records[0].studies[0].volumes()


def test_a_film_of_another_patient_is_never_joined(tmp_path: Path) -> None:
    records, out = exported(tmp_path)
    import pydicom

    path = sorted((out / "dicom").rglob("*.dcm"))[0]
    dataset = pydicom.dcmread(path)
    dataset.PatientID = "somebody-else"
    dataset.save_as(path)
    quarantine = Quarantine()
    back = read_records([f"fhir-folder:{out}", f"dicom-folder:{out}"], None, quarantine)
    assert [r.reference for r in quarantine] == [f"ImagingStudy {dataset.StudyInstanceUID}"]
    assert "another" in quarantine.rejections[0].problem
    assert all(study.study_uid != dataset.StudyInstanceUID for r in back for study in r.studies)
    assert sum(len(r.studies) for r in back) == sum(len(r.studies) for r in records) - 1


def test_a_study_that_no_record_knows_is_counted_as_an_orphan(tmp_path: Path) -> None:
    _, out = exported(tmp_path)
    write(out / "dicom" / "orphan.dcm", 8)
    quarantine = Quarantine()
    read_records([f"fhir-folder:{out}", f"dicom-folder:{out}"], None, quarantine)
    assert [r.problem for r in quarantine] == ["has pixels but is in no record"]


def test_a_dicom_folder_alone_gives_records_of_studies(tmp_path: Path) -> None:
    write(tmp_path / "a.dcm", 1)
    (record,) = read_records([f"dicom-folder:{tmp_path}"], None, Quarantine())
    assert record.patient_id == "p1"
    assert record.studies[0].volumes()[0].voxels.shape == (1, 3, 4)


def test_the_same_patient_in_two_sources_is_refused(tmp_path: Path) -> None:
    one, two = hannover(tmp_path / "one", [{}]), hannover(tmp_path / "two", [{}])
    with pytest.raises(SourceError, match="another source holds too"):
        read_records([f"hannover-cxr:{one}", f"hannover-cxr:{two}"], None, Quarantine())


def test_an_export_never_mixes_with_another(tmp_path: Path) -> None:
    records, out = exported(tmp_path)
    with pytest.raises(SourceError, match="not empty"):
        export_fhir_dicom(records, out, Quarantine())


def test_a_film_that_cannot_be_opened_is_set_aside_and_the_export_goes_on(tmp_path: Path) -> None:
    folder = hannover(tmp_path / "h", [{}, {"patient_id": "b"}])
    (folder / "images" / "i0.png").unlink()
    quarantine = Quarantine()
    records = read_records([f"hannover-cxr:{folder}"], None, Quarantine())
    written = export_fhir_dicom(records, tmp_path / "out", quarantine)
    assert written["DICOM instance"] == 1
    assert len(quarantine) == 1


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("fhir-foldr:x", r"did you mean fhir-folder:DIR\?"),
        ("nothing", "is not a kind of source"),
        ("table:", "names no place"),
        ("meds:no/such/folder", "is not a folder"),
        ("pneumoniamnist:no/such/file", "is not a file"),
        ("fhir-server:fhir.example.org", r"is no http\(s\) URL"),
        ("fhir-server:http://fhir.example.org/r4", "plain http to another machine"),
    ],
)
def test_a_name_that_means_nothing_says_what_would(uri: str, problem: str) -> None:
    with pytest.raises(SourceError, match=problem):
        open_sources([uri], None)


def test_no_source_and_a_source_named_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="none is given"):
        open_sources([], None)
    with pytest.raises(SourceError, match="named twice"):
        open_sources([f"meds:{tmp_path}"] * 2, None)


def test_the_token_of_one_server_goes_to_that_server_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROGNOSIS_FHIR_TOKEN", "abc")
    with opened(Ward([patient("anna")])) as one, opened(Ward([patient("zoe")])) as other:
        uris = [f"fhir-server:{ward.address}" for ward in (one, other)]
        with pytest.raises(SourceError, match="the token of one"):
            read_records(uris, None, Quarantine())
        assert not one.requests
        assert [each.patient_id for each in read_records(uris[:1], None, Quarantine())] == ["anna"]
        assert {each.headers["authorization"] for each in one.requests} == {"Bearer abc"}
        monkeypatch.delenv("PROGNOSIS_FHIR_TOKEN")
        assert [each.patient_id for each in read_records(uris, None, Quarantine())] == ["anna", "zoe"]


def test_a_token_that_cannot_be_sent_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROGNOSIS_FHIR_TOKEN", "hidden\r\nHost: x")
    with opened(Ward([patient("anna")])) as ward, pytest.raises(SourceError, match="no bearer") as caught:
        read_records([f"fhir-server:{ward.address}"], None, Quarantine())
    assert "hidden" not in str(caught.value)
    assert not ward.requests


@pytest.mark.parametrize("export", [lambda r, out: export_fhir_dicom(r, out, Quarantine()), export_meds])
def test_an_eye_is_not_exported_as_a_patient(tmp_path: Path, export: Callable[..., object]) -> None:
    eyes = [PatientRecord(f"row-{number}", cluster="5") for number in (1, 2)]
    with pytest.raises(SourceError, match="hold 2 that are parts of a patient"):
        export(eyes, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_table_needs_a_task_that_says_what_its_columns_mean(tmp_path: Path) -> None:
    path = csv(tmp_path / "t.csv", [{"time": 3, "event": 1, "age": 70}])
    with pytest.raises(TaskError, match="does not say what the columns"):
        open_sources([f"table:{path}"], None)
    task = Task.from_statement(TABLE_TASK, "test")
    (record,) = read_records([f"table:{path}"], task, Quarantine())
    assert [str(event.code) for event in record.events] == ["prognosis|index", "table|age", "outcome|death"]


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"event_causes": {"1": "deth"}}, "reads no code 'outcome|deth'"),
        ({"censored_values": ["0", "1"]}, "'1' is an event and a censoring"),
        ({"time": "event"}, "one column as time and as event"),
        (
            {"further_outcomes": [{"time": "t2", "event": "e2", "event_causes": {"1": "relapse"}}]},
            "further_outcomes.0: event_causes names 'relapse'",
        ),
    ],
)
def test_no_event_of_a_table_becomes_a_censoring_by_mistake(
    tmp_path: Path, stated: dict[str, object], said: str
) -> None:
    path = csv(tmp_path / "t.csv", [{"time": 3, "event": 1, "t2": 2, "e2": 1}])
    task = Task.from_statement({**TABLE_TASK, "table": {**TABLE_TASK["table"], **stated}}, "test")
    with pytest.raises(TaskError, match=re.escape(said)):
        open_sources([f"table:{path}"], task)


def test_sources_that_give_no_patient_are_refused(tmp_path: Path) -> None:
    path = csv(tmp_path / "t.csv", [{"time": -3, "event": 1}])
    with pytest.raises(SourceError, match="1 inputs set aside, the first: t"):
        read_records([f"table:{path}"], Task.from_statement(TABLE_TASK, "test"), Quarantine())


def test_every_scheme_says_how_it_is_written() -> None:
    assert all(scheme.form.startswith(f"{name}:") and scheme.meaning for name, scheme in SCHEMES.items())


def test_the_published_films_travel_the_hospitals_road_unchanged(real_data: Path, tmp_path: Path) -> None:
    records = read_records([f"hannover-cxr:{real_data / 'hannover-cxr'}"], None, Quarantine())[:6]
    export_fhir_dicom(records, tmp_path / "out", Quarantine())
    back = read_records(
        [f"fhir-folder:{tmp_path / 'out'}", f"dicom-folder:{tmp_path / 'out'}"], None, Quarantine()
    )
    assert [stated(record) for record in back] == [stated(record) for record in records]
    for before, after in zip(records, back, strict=True):
        np.testing.assert_array_equal(
            before.studies[0].volumes()[0].voxels, after.studies[0].volumes()[0].voxels
        )


def test_an_archive_that_is_not_there_is_found_out_before_a_record_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with opened(Ward([patient("anna")])) as ward:
        uris = [f"fhir-server:{ward.address}", f"dicomweb:http://127.0.0.1:{free_port()}/dicom-web"]
        for read in (
            lambda: read_records(uris, None, Quarantine()),
            lambda: read_patient(uris, None, "anna", Quarantine()),
        ):
            with pytest.raises(SourceError, match="nothing listens there"):
                read()
    assert not ward.requests
