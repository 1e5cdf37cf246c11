"""Drugs stated, vaccines, allergies, relatives and care plans: what they say of the patient, and what not."""

from datetime import datetime
from pathlib import Path

import pytest

from prognosis.cohort import Task, build_cohort
from prognosis.errors import CohortError
from prognosis.record import Event, PatientRecord, Quarantine
from tests.connectors.fhir.resources import (
    Resource,
    about_victim,
    line,
    patient,
    patients_own,
    read_beside_good,
    read_folder,
)
from tests.connectors.fhir.ward import Request, Ward, pull, reply, searchset

SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ROLE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
DAY, LATER = "2020-03-01T07:00:00Z", "2020-03-05T09:00:00Z"
OFFERED = ("Patient", "MedicationStatement", "Medication", "Immunization")


def coded(system: str, code: str, display: str = "") -> Resource:
    coding = {"system": system, "code": code} | ({"display": display} if display else {})
    return {"coding": [coding]}


INFARCTION = coded(SNOMED, "22298006", "Myocardial infarction")
ASPIRIN = coded(RXNORM, "243670", "aspirin 81 MG Oral Tablet")
STATEMENT = {"status": "active", "medicationCodeableConcept": ASPIRIN, "dateAsserted": LATER}
VACCINE = {"status": "completed", "vaccineCode": coded("http://hl7.org/fhir/sid/cvx", "140", "Influenza")}
ALLERGY = {"code": coded(RXNORM, "7980", "penicillin G"), "recordedDate": LATER}
RELATIVE = {
    "status": "completed",
    "date": LATER,
    "relationship": coded(ROLE, "FTH", "father"),
    "condition": [{"code": INFARCTION, "contributedToDeath": True}],
    "deceasedBoolean": True,
}
PLAN = {"status": "active", "intent": "plan", "created": LATER, "category": [coded(SNOMED, "736366004")]}


def one_record(folder: Path, *resources: Resource) -> tuple[PatientRecord, Quarantine]:
    (folder / "all.ndjson").write_bytes(b"\n".join(map(line, [patient(), *resources])))
    (record,), quarantine = read_folder(folder)
    assert list(quarantine) == []
    return record, quarantine


def told(event: Event) -> tuple[str, str]:
    return str(event.code), event.time.isoformat().replace("+00:00", "Z")


STATED: dict[str, tuple[Resource, list[tuple[str, str]], str]] = {
    "a drug, by when it was stated": (
        about_victim("MedicationStatement", **STATEMENT, effectivePeriod={"start": "2012"}),
        [(f"{RXNORM}|243670", LATER)],
        "",
    ),
    "a drug nobody dated the statement of, by its start, with notice": (
        about_victim("MedicationStatement", **STATEMENT | {"dateAsserted": None}, effectiveDateTime=DAY),
        [(f"{RXNORM}|243670", DAY)],
        "MedicationStatement.effective used for dateAsserted",
    ),
    "a drug stated before it was taken, by the later time, with notice": (
        about_victim("MedicationStatement", **STATEMENT | {"dateAsserted": DAY}, effectiveDateTime=LATER),
        [(f"{RXNORM}|243670", LATER)],
        "MedicationStatement.dateAsserted is before its effective: the later time is used",
    ),
    "a vaccine, by when it was recorded": (
        patients_own("Immunization", **VACCINE, occurrenceDateTime=DAY, recorded=LATER),
        [("http://hl7.org/fhir/sid/cvx|140", LATER)],
        "",
    ),
    "a vaccine without a record of it, by when it was given, with notice": (
        patients_own("Immunization", **VACCINE, occurrenceDateTime=DAY),
        [("http://hl7.org/fhir/sid/cvx|140", DAY)],
        "Immunization.occurrence used for recorded",
    ),
    "a vaccine given in words, by when it was recorded": (
        patients_own("Immunization", **VACCINE, occurrenceString="in childhood", recorded=LATER),
        [("http://hl7.org/fhir/sid/cvx|140", LATER)],
        "",
    ),
    "an allergy to a drug, which is not the drug": (
        patients_own("AllergyIntolerance", **ALLERGY, onsetDateTime="2001"),
        [(f"allergy|{RXNORM}|7980", LATER)],
        "",
    ),
    "an allergy last seen, by that, with notice": (
        patients_own("AllergyIntolerance", **ALLERGY | {"recordedDate": None}, lastOccurrence=DAY),
        [(f"allergy|{RXNORM}|7980", DAY)],
        "AllergyIntolerance.lastOccurrence used for recordedDate",
    ),
    "that no allergy is known, which is no allergy": (
        patients_own("AllergyIntolerance", **ALLERGY | {"code": coded(SNOMED, "716186003")}),
        [(f"allergy|{SNOMED}|716186003", LATER)],
        "",
    ),
    "a father's infarction, which is not the patient's": (
        patients_own("FamilyMemberHistory", **RELATIVE),
        [(f"family-history|{SNOMED}|22298006", LATER)],
        "",
    ),
    "a plan by its category, and not by its activities": (
        about_victim("CarePlan", **PLAN, activity=[{"detail": {"status": "completed", "code": INFARCTION}}]),
        [(f"care-plan|{SNOMED}|736366004", LATER)],
        "CarePlan.activity is not read: when it was added is not stated",
    ),
    "a plan without a day of its making, by its start, with notice": (
        about_victim("CarePlan", **PLAN | {"created": None}, period={"start": DAY}),
        [(f"care-plan|{SNOMED}|736366004", DAY)],
        "CarePlan.period used for created",
    ),
}


@pytest.mark.parametrize("name", STATED)
def test_a_record_gains(tmp_path: Path, name: str) -> None:
    resource, expected, notice = STATED[name]
    record, quarantine = one_record(tmp_path, resource)
    assert [told(event) for event in record.events] == expected
    assert dict(quarantine.notices) == ({notice: 1} if notice else {})
    assert {event.source for event in record.events} == {f"{resource['resourceType']}/bad"}


def silent(kind: str, base: Resource, *changes: Resource) -> dict[str, Resource]:
    make = about_victim if kind in ("MedicationStatement", "CarePlan") else patients_own
    return {f"{kind} {change}": make(kind, **base | change) for change in changes}


REFUTED = [{"verificationStatus": coded("x", code)} for code in ("refuted", "entered-in-error")]
SILENT = {
    **silent("MedicationStatement", STATEMENT, {"status": "not-taken"}, {"status": "intended"}),
    **silent("MedicationStatement", STATEMENT, {"status": "entered-in-error"}),
    **silent("Immunization", VACCINE, {"status": "not-done"}, {"status": "entered-in-error"}),
    **silent("AllergyIntolerance", ALLERGY, *REFUTED),
    **silent("FamilyMemberHistory", RELATIVE, {"status": "health-unknown"}, {"status": "entered-in-error"}),
    **silent("FamilyMemberHistory", RELATIVE, {"condition": []}, {"relationship": coded(ROLE, "WIFE")}),
    **silent("CarePlan", PLAN, {"status": "draft"}, {"status": "revoked"}, {"intent": "proposal"}),
    **silent("CarePlan", PLAN, {"status": "entered-in-error"}, {"category": []}),
}  # fmt: skip


@pytest.mark.parametrize("name", SILENT)
def test_no_fact_but_a_count_and_a_notice_comes_from(tmp_path: Path, name: str) -> None:
    record, quarantine = one_record(tmp_path, SILENT[name])
    assert record.events == ()
    assert quarantine.accepted == {"Patient": 1, str(SILENT[name]["resourceType"]): 1}
    assert sum(quarantine.notices.values()) == 1


BAD: dict[str, tuple[Resource, str]] = {
    "a statement without a time": (
        about_victim("MedicationStatement", **STATEMENT | {"dateAsserted": None}),
        "no time",
    ),
    "a statement of a drug in words": (
        about_victim("MedicationStatement", **STATEMENT | {"medicationCodeableConcept": {"text": "pill"}}),
        "no coding",
    ),
    "a statement of a drug that is not there": (
        about_victim(
            "MedicationStatement",
            **STATEMENT | {"medicationCodeableConcept": None, "medicationReference": {"reference": "#gone"}},
        ),
        "not in the source",
    ),
    "a statement with a status of another version": (
        about_victim("MedicationStatement", **STATEMENT | {"status": "recorded"}),
        "not one that FHIR R4",
    ),
    "a vaccine given in words only": (
        patients_own("Immunization", **VACCINE, occurrenceString="in childhood"),
        "no time",
    ),
    "a vaccine of nobody": (
        about_victim("Immunization", **VACCINE, occurrenceDateTime=DAY),
        "patient names no patient",
    ),
    "an allergy in words": (
        patients_own("AllergyIntolerance", **ALLERGY | {"code": {"text": "peanuts"}}),
        "no coding",
    ),
    "an allergy since the year 1": (
        patients_own("AllergyIntolerance", **ALLERGY | {"recordedDate": "0001-01-01"}),
        "1850 to 2250",
    ),
    "a history of nobody in particular": (
        patients_own("FamilyMemberHistory", **RELATIVE | {"relationship": None}),
        "no relationship",
    ),
    "a history without a date": (
        patients_own("FamilyMemberHistory", **RELATIVE | {"date": None}),
        "no time",
    ),
    "a relative's condition in words": (
        patients_own("FamilyMemberHistory", **RELATIVE | {"condition": [{"code": {"text": "heart"}}]}),
        "condition.code has no coding",
    ),
    "a plan without an intent": (about_victim("CarePlan", **PLAN | {"intent": None}), "no intent"),
    "a plan without a time": (about_victim("CarePlan", **PLAN | {"created": None}), "no time"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_it_is_set_aside_by_name(tmp_path: Path, name: str) -> None:
    resource, problem = BAD[name]
    records, quarantine = read_beside_good(tmp_path, line(patient()) + b"\n" + line(resource))
    (rejection,) = quarantine
    assert rejection.reference == f"{resource['resourceType']}/bad"
    assert problem in rejection.problem
    assert next(each for each in records if each.patient_id == "victim").events == ()


def test_a_drug_stated_by_reference_is_fetched_from_a_server_like_one_ordered(tmp_path: Path) -> None:
    statement: Resource = about_victim("MedicationStatement", **STATEMENT)
    statement |= {"medicationReference": {"reference": "Medication/m1"}}
    del statement["medicationCodeableConcept"]
    drug: Resource = {"resourceType": "Medication", "id": "m1", "code": ASPIRIN}
    vaccine = patients_own("Immunization", **VACCINE, occurrenceDateTime=DAY)
    resources = [patient(), statement, drug, vaccine]
    expected, _ = one_record(tmp_path, statement, drug, vaccine)
    (pulled,), quarantine = pull(Ward(resources, kinds=OFFERED))
    assert pulled == expected
    assert len(pulled.events) == 2
    assert quarantine.accepted.total() == 4


def test_a_vaccine_of_a_patient_not_asked_for_is_set_aside_before_it_is_read() -> None:
    stranger = patients_own("Immunization", **VACCINE, occurrenceDateTime=DAY)
    stranger["patient"] = {"reference": "Patient/stranger"}

    def everyone_s(request: Request, good: bytes) -> bytes:
        vaccines = reply(searchset([stranger], total=1))
        return vaccines if request.place == "Immunization/_search" else good

    _, quarantine = pull(Ward([patient()], everyone_s, kinds=OFFERED))
    assert [each.problem for each in quarantine] == ["is about a patient that was not asked for"]


def test_a_father_s_infarction_is_no_outcome_of_his_child(tmp_path: Path) -> None:
    task = Task.from_statement(
        {
            "name": "infarction",
            "question": "When does an infarction come?",
            "index": {"at": "event", "codes": [f"{SNOMED}|22298006"]},
            "outcome": {"kind": "time_to_event", "causes": {"a": [f"{SNOMED}|1"]}, "horizons_days": [30]},
        },
        "test",
    )
    record, _ = one_record(tmp_path, patients_own("FamilyMemberHistory", **RELATIVE))
    with pytest.raises(CohortError, match="no index event: 1"):
        build_cohort(task, [record])
    assert record.as_of(datetime.fromisoformat(DAY)).events == ()
