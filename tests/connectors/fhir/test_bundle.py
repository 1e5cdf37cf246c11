"""Bundles: transactions as generators write them, pages of a search, and what a Bundle may not be."""

import copy
import json
from pathlib import Path

import pytest

from prognosis.record import Quarantine
from tests.connectors.fhir.resources import Resource, observation, patient, read_folder

PATIENT = "urn:uuid:8b0484cd-3dbd-8b8d-1b72-a32f74a5a846"
STAY = "urn:uuid:6dcd0f11-6d0c-4b0d-9d0a-9d6f9d9f4f01"
DRUG = "urn:uuid:0b5f1d6e-6c0b-4f67-8f10-2b6b4b1d4f02"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def _entry(url: str, resource: Resource, *, keeps_id: bool = True) -> Resource:
    """An entry of a transaction; some generators give the id only in the fullUrl."""
    resource = dict(resource)
    if keeps_id:
        resource["id"] = url.removeprefix("urn:uuid:")
    kind = str(resource["resourceType"])
    return {"fullUrl": url, "resource": resource, "request": {"method": "POST", "url": kind}}


def _transaction(*, keeps_id: bool) -> Resource:
    subject: Resource = {"subject": {"reference": PATIENT, "display": "Abe604 Frami345"}}
    resources: list[tuple[str, Resource]] = [
        (
            PATIENT,
            {
                "resourceType": "Patient",
                "identifier": [{"system": "https://github.com/synthetichealth/synthea", "value": "8b0484cd"}],
                "gender": "male",
                "birthDate": "1947-11-30",
                "deceasedDateTime": "2021-01-09T11:31:10-05:00",
            },
        ),
        (
            STAY,
            {
                "resourceType": "Encounter",
                "status": "finished",
                "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
                "type": [{"coding": [{"system": "http://snomed.info/sct", "code": "305351004"}]}],
                **subject,
                "period": {"start": "2021-01-02T08:00:00-05:00", "end": "2021-01-09T11:31:10-05:00"},
                "serviceProvider": {"reference": "Organization?identifier=synthea|226098a2"},
            },
        ),
        (
            "urn:uuid:00000000-0000-4000-8000-000000000003",
            {
                "resourceType": "Observation",
                "status": "final",
                "category": [{"coding": [{"code": "laboratory"}]}],
                "code": {
                    "coding": [{"system": "http://loinc.org", "code": "1988-5", "display": "CRP"}],
                    "text": "CRP",
                },
                **subject,
                "encounter": {"reference": STAY},
                "effectiveDateTime": "2021-01-02T09:00:00-05:00",
                "issued": "2021-01-02T09:45:00.512-05:00",
                "valueQuantity": {
                    "value": 182.4,
                    "unit": "mg/L",
                    "system": "http://unitsofmeasure.org",
                    "code": "mg/L",
                },
            },
        ),
        (DRUG, {"resourceType": "Medication", "code": {"coding": [{"system": RXNORM, "code": "2563431"}]}}),
        (
            "urn:uuid:00000000-0000-4000-8000-000000000005",
            {
                "resourceType": "MedicationRequest",
                "status": "stopped",
                "intent": "order",
                "medicationReference": {"reference": DRUG},
                **subject,
                "authoredOn": "2021-01-02T10:00:00-05:00",
            },
        ),
        (
            "urn:uuid:00000000-0000-4000-8000-000000000006",
            {"resourceType": "Claim", "patient": subject["subject"]},
        ),
    ]
    entries = [_entry(url, resource, keeps_id=keeps_id) for url, resource in resources]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _read(folder: Path, bundle: Resource) -> tuple[dict[str, list[str]], Quarantine]:
    (folder / "bundle.json").write_text(json.dumps(bundle))
    records, quarantine = read_folder(folder)
    return {record.patient_id: [str(event.code) for event in record.events] for record in records}, quarantine


@pytest.mark.parametrize("keeps_id", [True, False])
def test_a_transaction_with_urn_references_becomes_one_patient(tmp_path: Path, *, keeps_id: bool) -> None:
    found, quarantine = _read(tmp_path, _transaction(keeps_id=keeps_id))
    assert list(quarantine) == []
    assert found == {
        PATIENT.removeprefix("urn:uuid:"): [
            "encounter-start|IMP",
            "http://loinc.org|1988-5",
            f"{RXNORM}|2563431",
            "encounter-end|IMP",
            "MEDS|MEDS_DEATH",
        ]
    }
    assert sum(quarantine.accepted.values()) == 6


def test_entries_may_stand_before_what_they_refer_to(tmp_path: Path) -> None:
    forward = _transaction(keeps_id=True)
    backward = copy.deepcopy(forward)
    backward["entry"].reverse()  # type: ignore[attr-defined]
    (tmp_path / "forward").mkdir()
    (tmp_path / "backward").mkdir()
    assert _read(tmp_path / "forward", forward)[0] == _read(tmp_path / "backward", backward)[0]


def test_full_urls_that_differ_from_ids_are_followed(tmp_path: Path) -> None:
    entries = [
        {"fullUrl": "urn:uuid:0-0-0-0-1", "resource": patient("p1")},
        {"fullUrl": "urn:uuid:0-0-0-0-2", "resource": observation("o1", "urn:uuid:0-0-0-0-1")},
    ]
    found, _ = _read(tmp_path, {"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert found == {"p1": ["http://loinc.org|1988-5"]}


def test_references_by_absolute_and_versioned_url_are_followed(tmp_path: Path) -> None:
    base = "https://ehr.example/fhir/r4/"
    entries = [
        {"fullUrl": f"{base}Patient/p1", "resource": patient("p1")},
        {"fullUrl": f"{base}Observation/o1", "resource": observation("o1", f"{base}Patient/p1")},
        {"fullUrl": f"{base}Observation/o2", "resource": observation("o2", "Patient/p1/_history/3")},
    ]
    found, quarantine = _read(tmp_path, {"resourceType": "Bundle", "type": "searchset", "entry": entries})
    assert {name: len(events) for name, events in found.items()} == {"p1": 2}
    assert quarantine.notices == {}


def test_a_page_with_a_next_page_is_noticed(tmp_path: Path) -> None:
    link = [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]
    page: Resource = {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": link,
        "entry": [{"resource": patient()}],
    }
    found, quarantine = _read(tmp_path, page)
    assert (list(found), sum(quarantine.notices.values())) == (["victim"], 1)


def test_one_bad_entry_leaves_the_others(tmp_path: Path) -> None:
    entries: list[object] = [
        {"resource": patient("p1")},
        {"request": {"method": "DELETE", "url": "Patient/p1"}},
        {"resource": {"resourceType": "Bundle", "type": "collection"}},
        {"resource": "text"},
        {"fullUrl": 7, "resource": patient("p2")},
        {"resource": observation("o1", "Patient/p1")},
        {"resource": observation("o2", "urn:uuid:nowhere")},
    ]
    found, quarantine = _read(tmp_path, {"resourceType": "Bundle", "type": "batch", "entry": entries})
    assert {name: len(events) for name, events in found.items()} == {"p1": 1}
    assert [rejection.reference for rejection in quarantine] == [
        "bundle.json entry 2",
        "bundle.json entry 3",
        "bundle.json entry 4",
        "bundle.json entry 5",
        "Observation/o2",
    ]


@pytest.mark.parametrize(
    ("bundle", "problem"),
    [
        ({"resourceType": "Bundle", "type": "history", "entry": []}, "history"),
        ({"resourceType": "Bundle", "type": "collection", "entry": {}}, "not an array"),
        ({"resourceType": "Bundle", "type": "collection", "entry": [7]}, "not an array of objects"),
        ({"output": []}, "no resourceType"),
    ],
    ids=["a history", "entries that are no list", "an entry that is no object", "a file that is not FHIR"],
)
def test_a_file_that_is_no_usable_bundle_is_set_aside(tmp_path: Path, bundle: Resource, problem: str) -> None:
    (tmp_path / "patient.json").write_text(json.dumps(patient()))
    found, quarantine = _read(tmp_path, bundle)
    assert list(found) == ["victim"]
    assert [(item.reference, problem in item.problem) for item in quarantine] == [("bundle.json", True)]


def test_links_between_patients_of_a_bundle_are_followed(tmp_path: Path) -> None:
    link = [{"type": "replaced-by", "other": {"reference": "urn:uuid:0-0-0-0-2"}}, {"type": "seealso"}]
    entries = [
        {"fullUrl": "urn:uuid:0-0-0-0-1", "resource": patient("old", link=link)},
        {"fullUrl": "urn:uuid:0-0-0-0-2", "resource": patient("new")},
        {"resource": observation("o1", "urn:uuid:0-0-0-0-1")},
    ]
    found, _ = _read(tmp_path, {"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert found == {"new": ["http://loinc.org|1988-5"]}
