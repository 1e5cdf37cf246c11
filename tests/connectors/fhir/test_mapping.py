"""What each resource states, and what it does not."""

import base64
from pathlib import Path

import pytest

from connectors.fhir.mapping_codes import COMMON_UCUM
from prognosis.record import Quarantine, Series
from prognosis.record.units.spelling import SPELLINGS
from tests.connectors.fhir.resources import (
    LOINC,
    MG_PER_L,
    UCUM,
    Resource,
    about_victim,
    line,
    observation,
    patient,
    read_folder,
)

CODE = {"coding": [{"system": "http://snomed.info/sct", "code": "233604007", "display": "Pneumonia"}]}
ORDER = {"status": "active", "intent": "order", "medicationCodeableConcept": CODE, "authoredOn": "2020-03-01"}
GIVEN = {"status": "completed", "medicationCodeableConcept": CODE, "effectiveDateTime": "2020-03-01"}
ABSENT = {"coding": [{"code": "unknown"}]}


def facts_of(folder: Path, *resources: Resource) -> tuple[list[object], Quarantine]:
    (folder / "all.ndjson").write_bytes(b"\n".join(map(line, [patient(), *resources])))
    (record,), quarantine = read_folder(folder)
    assert list(quarantine) == []
    return [*record.events, *record.notes, *record.studies], quarantine


VALUES: dict[str, tuple[Resource, tuple[object, ...]]] = {
    "a number with its unit": ({}, (12.5, None, "mg/L", None)),
    "a number below the assay's limit": (
        {"valueQuantity": {"value": 5, "comparator": "<", **MG_PER_L}},
        (5.0, "<", "mg/L", None),
    ),
    "a unit recognised without its system": (
        {"valueQuantity": {"value": 5, "unit": "mmol/L"}},
        (5.0, None, "mmol/L", None),
    ),
    "a unit without its system in a spelling that is known, as UCUM writes it": (
        {"valueQuantity": {"value": 5, "unit": "K/uL"}},
        (5.0, None, "10*3/uL", None),
    ),
    "a UCUM unit that is not a common one": (
        {"valueQuantity": {"value": 5, "system": UCUM, "code": "fmol/{cell}"}},
        (5.0, None, "fmol/{cell}", None),
    ),
    "a coded answer": (
        {"valueQuantity": None, "valueCodeableConcept": CODE},
        (None, None, None, "Pneumonia"),
    ),
    "an answer in words": ({"valueQuantity": None, "valueString": "turbid"}, (None, None, None, "turbid")),
    "yes": ({"valueQuantity": None, "valueBoolean": True}, (None, None, None, "true")),
    "no": ({"valueQuantity": None, "valueBoolean": False}, (None, None, None, "false")),
    "a count": ({"valueQuantity": None, "valueInteger": 3}, (3.0, None, None, None)),
    "a moment": ({"valueQuantity": None, "valueDateTime": "2020-01"}, (None, None, None, "2020-01")),
    "that it was done": ({"valueQuantity": None}, (None, None, None, None)),
}


@pytest.mark.parametrize("name", VALUES)
def test_an_observation_states(tmp_path: Path, name: str) -> None:
    changes, expected = VALUES[name]
    (event,), _ = facts_of(tmp_path, observation(**changes))
    assert (event.number, event.comparator, event.unit, event.text) == expected  # type: ignore[attr-defined]
    assert (str(event.code), event.source) == (f"{LOINC}|1988-5", "Observation/bad")  # type: ignore[attr-defined]


SILENT: dict[str, Resource] = {
    "an observation entered in error": observation(status="entered-in-error"),
    "an observation cancelled": observation(status="cancelled"),
    "an observation whose value is absent": observation(valueQuantity=None, dataAbsentReason=ABSENT),
    "a panel that only groups others": observation(
        valueQuantity=None, hasMember=[{"reference": "Observation/x"}]
    ),
    "a diagnosis refuted": about_victim(
        "Condition", code=CODE, recordedDate="2020", verificationStatus={"coding": [{"code": "refuted"}]}
    ),
    "an encounter planned": about_victim("Encounter", status="planned"),
    "an order cancelled": about_victim("MedicationRequest", **ORDER | {"status": "cancelled"}),
    "a plan to prescribe": about_victim("MedicationRequest", **ORDER | {"intent": "plan"}),
    "an option to prescribe": about_victim("MedicationRequest", **ORDER | {"intent": "option"}),
    "a drug that must not be given": about_victim("MedicationRequest", **ORDER, doNotPerform=True),
    "a drug not given": about_victim("MedicationAdministration", **GIVEN | {"status": "not-done"}),
    "a procedure not done": about_victim("Procedure", status="not-done", code=CODE),
    "a document entered in error": about_victim("DocumentReference", status="entered-in-error"),
    "a document kept elsewhere": about_victim(
        "DocumentReference",
        status="current",
        date="2020",
        content=[{"attachment": {"contentType": "text/plain", "url": "https://ehr.example/Binary/1"}}],
    ),
    "a scanned document": about_victim(
        "DocumentReference",
        status="current",
        date="2020",
        content=[{"attachment": {"contentType": "application/pdf", "data": "JVBERg=="}}],
    ),
    "a report not issued": about_victim("DiagnosticReport", status="registered", code=CODE),
    "a report of numbers only": about_victim("DiagnosticReport", status="final", code=CODE, issued="2020"),
    "a study cancelled": about_victim("ImagingStudy", status="cancelled"),
    "a claim": about_victim("Claim", status="active"),
}


@pytest.mark.parametrize("name", SILENT)
def test_no_fact_but_a_count_and_a_notice_comes_from(tmp_path: Path, name: str) -> None:
    facts, quarantine = facts_of(tmp_path, SILENT[name])
    assert facts == []
    assert quarantine.accepted == {"Patient": 1, str(SILENT[name]["resourceType"]): 1}
    assert sum(quarantine.notices.values()) == 1


def test_every_spelling_that_is_known_stands_for_a_common_unit() -> None:
    assert set(SPELLINGS.values()) <= COMMON_UCUM


def test_a_panel_gives_one_event_a_component_and_skips_the_absent(tmp_path: Path) -> None:
    def part(code: str, **value: object) -> Resource:
        return {"code": {"coding": [{"system": LOINC, "code": code}]}, **value}

    pressure = {"unit": "mm[Hg]", "system": UCUM, "code": "mm[Hg]"}
    panel = observation(
        valueQuantity=None,
        component=[
            part("8480-6", valueQuantity={"value": 128, **pressure}),
            part("8462-4", valueQuantity={"value": 71, **pressure}),
            part("8478-0", dataAbsentReason=ABSENT),
        ],
    )
    events, _ = facts_of(tmp_path, panel)
    assert [(event.code.value, event.number) for event in events] == [  # type: ignore[attr-defined]
        ("8462-4", 71.0),
        ("8480-6", 128.0),
    ]


def test_of_several_codings_the_standard_one_is_read(tmp_path: Path) -> None:
    local = {"system": "urn:oid:1.2.3", "code": "CRP"}
    code = {"coding": [local, {"system": LOINC, "code": "1988-5"}]}
    (event,), _ = facts_of(tmp_path, observation(code=code))
    assert str(event.code) == f"{LOINC}|1988-5"  # type: ignore[attr-defined]


@pytest.mark.parametrize("place", ["contained", "beside"])
def test_a_drug_named_by_reference_is_found(tmp_path: Path, place: str) -> None:
    drug: Resource = {"resourceType": "Medication", "id": "drug", "code": CODE}
    order: Resource = about_victim("MedicationRequest", **ORDER)
    del order["medicationCodeableConcept"]
    if place == "contained":
        order |= {"contained": [drug], "medicationReference": {"reference": "#drug"}}
        (event,), _ = facts_of(tmp_path, order)
    else:
        order["medicationReference"] = {"reference": "https://ehr.example/r4/Medication/drug"}
        (event,), _ = facts_of(tmp_path, order, drug)
    assert event.code.value == "233604007"  # type: ignore[attr-defined]


def test_a_drug_given_carries_its_dose(tmp_path: Path) -> None:
    dose = {"value": 500, "unit": "mg", "system": UCUM, "code": "mg"}
    (event,), _ = facts_of(tmp_path, about_victim("MedicationAdministration", **GIVEN, dosage={"dose": dose}))
    assert (event.number, event.unit) == (500.0, "mg")  # type: ignore[attr-defined]


def test_a_report_is_its_text_followed_by_its_conclusion(tmp_path: Path) -> None:
    text = base64.b64encode("Größe unverändert.".encode("latin-1")).decode()
    form = {"contentType": "text/plain; charset=iso-8859-1", "data": text}
    report = about_victim(
        "DiagnosticReport",
        status="final",
        code=CODE,
        issued="2020",
        presentedForm=[form],
        conclusion="Clear.",
    )
    (note,), _ = facts_of(tmp_path, report)
    assert (note.text, note.kind) == ("Größe unverändert.\n\nClear.", "Pneumonia")  # type: ignore[attr-defined]


def test_a_study_lists_its_series_with_the_view_from_their_description(tmp_path: Path) -> None:
    series = {
        "uid": "1.2.3.4",
        "modality": {"code": "DX"},
        "description": "PA",
        "bodySite": {"system": "http://snomed.info/sct", "code": "51185008", "display": "Chest"},
    }
    study = about_victim(
        "ImagingStudy",
        status="available",
        started="2020-03-01T07:00:00Z",
        identifier=[{"value": "A17"}, {"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"}],
        series=[series, {"uid": "1.2.3.5", "modality": {"code": "DX"}, "description": "bedside"}],
    )
    (read,), _ = facts_of(tmp_path, study)
    assert read.study_uid == "1.2.3"  # type: ignore[attr-defined]
    assert read.series == (Series("1.2.3.4", "DX", "PA", "Chest"), Series("1.2.3.5", "DX"))  # type: ignore[attr-defined]


def test_a_patient_states_sex_birth_death_and_site(tmp_path: Path) -> None:
    person = patient(
        gender="male",
        birthDate="1950",
        deceasedDateTime="2020-03-01",
        managingOrganization={"reference": "Organization/h"},
    )
    site = {"resourceType": "Organization", "id": "h", "name": "General Hospital"}
    (tmp_path / "all.ndjson").write_bytes(line(person) + b"\n" + line(site))
    (record,), quarantine = read_folder(tmp_path)
    assert (record.key, record.sex, str(record.birth_date)) == (
        "General Hospital/victim",
        "male",
        "1950-07-02",
    )
    assert [str(event.code) for event in record.events] == ["MEDS|MEDS_DEATH"]
    assert record.events[0].time.isoformat() == "2020-03-01T23:59:59.999999+00:00"
    assert sum(quarantine.notices.values()) == 1


@pytest.mark.parametrize(
    "changes",
    [{"deceasedBoolean": True}, {"gender": "F"}],
    ids=["a death without a date", "a sex that is no FHIR code"],
)
def test_what_a_patient_leaves_unclear_is_noticed(tmp_path: Path, changes: Resource) -> None:
    (tmp_path / "all.ndjson").write_bytes(line(patient(**changes)))
    (record,), quarantine = read_folder(tmp_path)
    assert (record.events, record.sex) == ((), None)
    assert sum(quarantine.notices.values()) == 1
