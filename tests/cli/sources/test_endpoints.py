"""From an ImagingStudy's Endpoint to its pixels: at the origin that was allowed, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest

from prognosis.cli.sources import read_records
from prognosis.errors import SourceError
from prognosis.record import PatientRecord, Quarantine
from tests.connectors.dicom.films import write
from tests.connectors.dicom.web.double import Archive, archive

WADO = {"system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type", "code": "dicom-wado-rs"}
ACSN = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "ACSN"}]}


@pytest.fixture
def pacs(tmp_path: Path) -> Iterator[Archive]:
    """An archive of one film of patient p1, under the accession number A1, and one of another's."""
    mine = write(tmp_path / "one.dcm", 1, "p1", edit=lambda each: setattr(each, "AccessionNumber", "A1"))
    other = write(tmp_path / "two.dcm", 2, "p2")
    with archive({"2.25.1": [mine], "2.25.2": [other]}) as running:
        yield running


def endpoint(name: str, address: str, **more: Any) -> dict[str, Any]:
    stated = {"resourceType": "Endpoint", "id": name, "status": "active", "connectionType": WADO}
    return {**stated, "address": address, "payloadType": [], **more}


def study(uid: str, *names: str, of_series: bool = False, accession: str = "") -> dict[str, Any]:
    references = [{"reference": f"Endpoint/{name}"} for name in names]
    identifiers: list[dict[str, Any]] = [{"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}]
    if accession:
        identifiers.append({"type": ACSN, "value": accession})
    series: dict[str, Any] = {"uid": f"{uid}1", "modality": {"code": "CR"}}
    made = {
        "resourceType": "ImagingStudy",
        "id": "s1",
        "status": "available",
        "subject": {"reference": "Patient/p1"},
        "started": "2020-03-04T12:30:15Z",
        "identifier": identifiers,
        "series": [{**series, "endpoint": references} if of_series else series],
    }
    return made if of_series else {**made, "endpoint": references}


def read(folder: Path, resources: list[dict[str, Any]], *sources: str) -> tuple[PatientRecord, Quarantine]:
    patient = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1950-01-01"}
    folder.mkdir()
    lines = "\n".join(json.dumps(each) for each in [patient, *resources])
    (folder / "all.ndjson").write_text(lines, encoding="utf-8")
    quarantine = Quarantine()
    (record,) = read_records([f"fhir-folder:{folder}", *sources], None, quarantine)
    return record, quarantine


def allowed(pacs: Archive) -> str:
    return f"dicom-endpoint:http://127.0.0.1:{pacs.port}"


@pytest.mark.parametrize("of_series", [False, True])
def test_a_study_is_opened_at_the_archive_that_its_endpoint_names(
    pacs: Archive, tmp_path: Path, of_series: bool
):
    resources = [study("2.25.1", "e1", of_series=of_series), endpoint("e1", pacs.address)]
    record, quarantine = read(tmp_path / "fhir", resources, allowed(pacs))
    assert record.studies[0].volumes()[0].voxels.shape == (1, 3, 4)
    assert not len(quarantine)
    asked = [query.get("StudyInstanceUID") for _, path, query, _ in pacs.asked if path.endswith("/studies")]
    assert set(map(str, asked)) == {"['2.25.1']"}  # never which studies there are


def test_series_endpoints_come_before_the_study_s_own(pacs: Archive, tmp_path: Path):
    stated = study("2.25.1", "e1", of_series=True) | {"endpoint": [{"reference": "Endpoint/elsewhere"}]}
    resources = [stated, endpoint("e1", pacs.address), endpoint("elsewhere", "https://elsewhere.example/")]
    record, _ = read(tmp_path / "fhir", resources, allowed(pacs))
    assert record.studies[0].archives == (pacs.address,)


def test_an_endpoint_at_another_origin_is_not_asked_and_said_so(pacs: Archive, tmp_path: Path):
    resources = [study("2.25.1", "e1"), endpoint("e1", pacs.address)]
    record, quarantine = read(tmp_path / "fhir", resources, "dicom-endpoint:https://pacs.example")
    assert pacs.asked == []
    assert record.studies[0].store is None
    assert "Endpoint of a study at an origin that is not allowed: not asked" in quarantine.notices


def test_without_an_allowed_origin_no_endpoint_is_asked(pacs: Archive, tmp_path: Path):
    record, _ = read(tmp_path / "fhir", [study("2.25.1", "e1"), endpoint("e1", pacs.address)])
    assert pacs.asked == []
    assert record.studies[0].store is None


@pytest.mark.parametrize(
    "more",
    [
        {"status": "off"},
        {"status": "entered-in-error"},
        {"connectionType": {**WADO, "code": "dicom-qido-rs"}},
        {"connectionType": {**WADO, "system": "http://elsewhere"}},
    ],
)
def test_an_endpoint_that_is_off_or_no_place_to_retrieve_from_is_not_asked(
    pacs: Archive, tmp_path: Path, more: dict[str, Any]
):
    resources = [study("2.25.1", "e1"), endpoint("e1", pacs.address, **more)]
    record, _ = read(tmp_path / "fhir", resources, allowed(pacs))
    assert pacs.asked == []
    assert record.studies[0].archives == ()


def test_an_endpoint_that_the_source_does_not_give_is_noticed(pacs: Archive, tmp_path: Path):
    _, quarantine = read(tmp_path / "fhir", [study("2.25.1", "e9")], allowed(pacs))
    assert "ImagingStudy names an Endpoint that the source does not give" in quarantine.notices


def test_another_patient_s_images_at_an_endpoint_are_set_aside(pacs: Archive, tmp_path: Path):
    resources = [study("2.25.2", "e1"), endpoint("e1", pacs.address)]
    record, quarantine = read(tmp_path / "fhir", resources, allowed(pacs))
    assert record.studies == ()
    assert [each.problem for each in quarantine] == [
        "is of one patient in the record and of another in its DICOM files"
    ]


def test_a_study_that_the_endpoint_does_not_hold_is_sought_in_the_archive_that_was_named(
    pacs: Archive, tmp_path: Path
):
    with archive({}) as empty:
        resources = [study("2.25.1", "e1"), endpoint("e1", empty.address)]
        named = f"dicomweb:{pacs.address}"
        record, quarantine = read(tmp_path / "fhir", resources, allowed(empty), named)
        assert len(empty.asked) == 1
    assert record.studies[0].volumes()[0].voxels.shape == (1, 3, 4)
    assert "study that the archive of its Endpoint does not hold" in quarantine.notices


def test_an_archive_at_an_endpoint_that_is_down_ends_the_reading(pacs: Archive, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    resources = [study("2.25.1", "e1"), endpoint("e1", "http://127.0.0.1:9/x")]
    with pytest.raises(SourceError, match="could not be reached"):
        read(tmp_path / "fhir", resources, "dicom-endpoint:http://127.0.0.1:9")


def test_a_study_is_found_by_its_accession_number_where_the_archive_has_another_uid(
    pacs: Archive, tmp_path: Path
):
    named = f"dicomweb:{pacs.address}"
    record, quarantine = read(tmp_path / "fhir", [study("2.25.77", accession="A1")], named)
    assert record.studies[0].study_uid == "2.25.1"
    assert record.studies[0].volumes()[0].voxels.shape == (1, 3, 4)
    assert "study found by its accession number: the archive has another UID" in quarantine.notices


@pytest.mark.parametrize("change", ["another patient", "two studies"])
def test_an_accession_number_that_is_another_s_or_several_studies_joins_nothing(
    pacs: Archive, tmp_path: Path, change: str
):
    dataset = pydicom.dcmread(pacs.files["2.25.1"][0])
    if change == "another patient":
        dataset.PatientID = "p3"
        dataset.save_as(pacs.files["2.25.1"][0], enforce_file_format=True)
    else:
        pacs.files["2.25.2"] = [
            write(tmp_path / "3.dcm", 2, "p1", edit=lambda each: setattr(each, "AccessionNumber", "A1"))
        ]
    named = f"dicomweb:{pacs.address}"
    record, _ = read(tmp_path / "fhir", [study("2.25.77", accession="A1")], named)
    assert record.studies[0].study_uid == "2.25.77"
    assert record.studies[0].store is None


def test_one_token_does_not_go_to_two_origins(pacs: Archive, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PROGNOSIS_DICOMWEB_TOKEN", "secret")
    with pytest.raises(SourceError, match="is the token of one"):
        read(tmp_path / "fhir", [study("2.25.1")], allowed(pacs), "dicomweb:https://pacs.example")
    assert pacs.asked == []


def test_allowed_archives_alone_hold_no_records(pacs: Archive):
    with pytest.raises(SourceError, match="holds no records"):
        read_records([allowed(pacs)], None, Quarantine())
