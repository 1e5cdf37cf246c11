"""Endpoints are read beside the ImagingStudies that name them, from a server as from a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors.fhir.mapping_endpoints import endpoint_references
from prognosis.record import PatientRecord
from tests.connectors.fhir.resources import Resource, line, patient, read_folder
from tests.connectors.fhir.ward import Request, Ward, capability, pull, reply

WADO = {"system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type", "code": "dicom-wado-rs"}
PEOPLE = [patient(name) for name in ("anna", "ben", "zoe")]


def study(name: str, *endpoints: str) -> Resource:
    return {
        "resourceType": "ImagingStudy",
        "id": f"study-{name}",
        "status": "available",
        "subject": {"reference": f"Patient/{name}"},
        "started": "2020-03-04T12:30:15Z",
        "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:2.25.{len(name)}"}],
        "endpoint": [{"reference": f"Endpoint/{each}"} for each in endpoints],
    }


def endpoint(name: str) -> Resource:
    return {
        "resourceType": "Endpoint",
        "id": name,
        "status": "active",
        "connectionType": WADO,
        "address": f"https://{name}.example/dicom-web",
        "payloadType": [{"text": "DICOM"}],
    }


def offering(request: Request, good: bytes) -> bytes:
    """The ward, with what it offers beyond its own."""
    kinds = ("Patient", "ImagingStudy", "Endpoint")
    return reply(capability(*kinds)) if request.place == "metadata" else good


def archives(records: list[PatientRecord]) -> list[tuple[str, ...]]:
    return [each.archives for record in records for each in record.studies]


def test_a_server_gives_the_endpoints_that_a_folder_gives_and_each_is_asked_for_once(tmp_path: Path):
    stated = [study("anna", "north"), study("ben", "south", "north"), study("zoe", "north", "lost")]
    resources = [*PEOPLE, *stated, endpoint("north"), endpoint("south")]
    ward = Ward(resources, offering)
    records, quarantine = pull(ward)
    (tmp_path / "all.ndjson").write_bytes(b"\n".join(line(each) for each in resources))
    expected, set_aside = read_folder(tmp_path)
    north, south = "https://north.example/dicom-web", "https://south.example/dicom-web"
    assert archives(records) == archives(expected) == [(north,), (south, north), (north,)]
    assert quarantine.accepted == set_aside.accepted
    assert "ImagingStudy names an Endpoint that the source does not give" in quarantine.notices
    asked = [request.form["_id"] for request in ward.requests if request.place == "Endpoint/_search"]
    assert asked == ["north,south", "lost"]


def test_an_endpoint_of_another_kind_than_a_reference_to_one_is_no_place_to_look():
    own: dict[str, Any] = {"endpoint": [{"reference": "#contained"}, {"display": "the PACS"}]}
    assert endpoint_references(own, "ImagingStudy/x") == ()
    series: dict[str, Any] = {
        "endpoint": [{"reference": "Endpoint/own"}],
        "series": [{"endpoint": [{"reference": "Endpoint/one"}]}, {}],
    }
    assert endpoint_references(series, "ImagingStudy/x") == ("Endpoint/one", "Endpoint/own")
