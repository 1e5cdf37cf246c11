"""A fact enters the record when it became known, never earlier."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from prognosis.record import PatientRecord, Quarantine
from tests.connectors.fhir.resources import Resource, about_victim, line, observation, patient, read_folder

CODE = {"coding": [{"system": "http://snomed.info/sct", "code": "233604007", "display": "Pneumonia"}]}
TEXT = {"contentType": "text/plain", "data": "Q2xlYXIu"}


def one_record(folder: Path, resource: Resource) -> tuple[PatientRecord, Quarantine]:
    (folder / "all.ndjson").write_bytes(line(patient()) + b"\n" + line(resource))
    (record,), quarantine = read_folder(folder)
    assert list(quarantine) == []
    return record, quarantine


def known(record: PatientRecord) -> list[datetime]:
    return [
        *(event.time for event in record.events),
        *(note.time for note in record.notes),
        *(study.time for study in record.studies),
    ]


TIMES: dict[str, tuple[Resource, str, str | None]] = {
    "a result, by its release": (observation(), "2020-03-01T09:00:00+00:00", None),
    "a result without a release, by its specimen, with notice": (
        observation(issued=None),
        "2020-03-01T07:00:00+00:00",
        "Observation.effective used for issued",
    ),
    "a result released before its specimen, by the later time": (
        observation(issued="2020-02-01T00:00:00Z"),
        "2020-03-01T07:00:00+00:00",
        "Observation issued before it was made: the later time is used",
    ),
    "a result in another zone, in UTC": (
        observation(issued="2020-03-01T09:00:00+09:00", effectiveDateTime=None),
        "2020-03-01T00:00:00+00:00",
        None,
    ),
    "a day, by its end": (observation(issued="2020-03-01"), "2020-03-01T23:59:59.999999+00:00", None),
    "a month, by its end": (observation(issued="2020-03"), "2020-03-31T23:59:59.999999+00:00", None),
    "a year, by its end": (
        observation(issued=None, effectiveDateTime="2020"),
        "2020-12-31T23:59:59.999999+00:00",
        "Observation.effective used for issued",
    ),
    "a period of observation, by its start": (
        observation(issued=None, effectiveDateTime=None, effectivePeriod={"start": "2020-03-01T07:00:00Z"}),
        "2020-03-01T07:00:00+00:00",
        "Observation.effective used for issued",
    ),
    "a result of a period, by the period's end": (
        observation(
            issued=None,
            effectiveDateTime=None,
            effectivePeriod={"start": "2020-03-01T07:00:00Z", "end": "2020-03-02T07:00:00Z"},
        ),
        "2020-03-02T07:00:00+00:00",
        "Observation.effective used for issued",
    ),
    "a result released before its period began, by the period's end": (
        observation(
            issued="2020-02-01T00:00:00Z",
            effectiveDateTime=None,
            effectivePeriod={"start": "2020-03-01T07:00:00Z", "end": "2020-03-02T07:00:00Z"},
        ),
        "2020-03-02T07:00:00+00:00",
        "Observation issued before it was made: the later time is used",
    ),
    "a report of a period, by the period's end": (
        about_victim(
            "DiagnosticReport",
            status="final",
            presentedForm=[TEXT],
            effectivePeriod={"start": "2020-03-01T07:00:00Z", "end": "2020-03-02T07:00:00Z"},
        ),
        "2020-03-02T07:00:00+00:00",
        "DiagnosticReport.effective used for issued",
    ),
    "a diagnosis, by its recording": (
        about_victim("Condition", code=CODE, onsetDateTime="2019-01-01", recordedDate="2020-03-02T10:00:00Z"),
        "2020-03-02T10:00:00+00:00",
        None,
    ),
    "a diagnosis that was not recorded, by its onset, with notice": (
        about_victim("Condition", code=CODE, onsetDateTime="2019-01-01T00:00:00Z"),
        "2019-01-01T00:00:00+00:00",
        "Condition.onset used for recordedDate",
    ),
    "a procedure, by its start": (
        about_victim(
            "Procedure",
            status="completed",
            code=CODE,
            performedPeriod={"start": "2020-03-01T07:00:00Z", "end": "2020-03-01T08:00:00Z"},
        ),
        "2020-03-01T07:00:00+00:00",
        None,
    ),
    "a prescription, by its writing": (
        about_victim(
            "MedicationRequest",
            status="active",
            intent="order",
            medicationCodeableConcept=CODE,
            authoredOn="2020-03-01T07:00:00Z",
        ),
        "2020-03-01T07:00:00+00:00",
        None,
    ),
    "a document, by its filing": (
        about_victim(
            "DocumentReference",
            status="current",
            date="2020-03-03T07:00:00Z",
            content=[{"attachment": {**TEXT, "creation": "2020-03-01T07:00:00Z"}}],
        ),
        "2020-03-03T07:00:00+00:00",
        None,
    ),
    "a document without a filing, by its creation, with notice": (
        about_victim(
            "DocumentReference",
            status="current",
            content=[{"attachment": {**TEXT, "creation": "2020-03-01T07:00:00Z"}}],
        ),
        "2020-03-01T07:00:00+00:00",
        "DocumentReference attachment.creation used for date",
    ),
    "a report, by its release": (
        about_victim(
            "DiagnosticReport",
            status="final",
            code=CODE,
            effectiveDateTime="2020-03-01T07:00:00Z",
            issued="2020-03-02T07:00:00Z",
            presentedForm=[TEXT],
        ),
        "2020-03-02T07:00:00+00:00",
        None,
    ),
    "a report without a release, by its examination, with notice": (
        about_victim(
            "DiagnosticReport",
            status="final",
            code=CODE,
            effectiveDateTime="2020-03-01T07:00:00Z",
            conclusion="Clear.",
        ),
        "2020-03-01T07:00:00+00:00",
        "DiagnosticReport.effective used for issued",
    ),
    "a study, by its acquisition": (
        about_victim(
            "ImagingStudy",
            status="available",
            started="2020-03-01T07:00:00Z",
            identifier=[{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"}],
        ),
        "2020-03-01T07:00:00+00:00",
        None,
    ),
}


@pytest.mark.parametrize("name", TIMES)
def test_a_fact_is_dated(tmp_path: Path, name: str) -> None:
    resource, expected, notice = TIMES[name]
    record, quarantine = one_record(tmp_path, resource)
    assert known(record) == [datetime.fromisoformat(expected)]
    assert dict(quarantine.notices) == ({notice: 1} if notice else {})


def test_a_specimen_drawn_before_the_index_is_unknown_until_its_result_is_released(tmp_path: Path) -> None:
    record, _ = one_record(tmp_path, observation())
    assert record.as_of(datetime(2020, 3, 1, 8, 59, tzinfo=UTC)).events == ()
    assert len(record.as_of(datetime(2020, 3, 1, 9, 0, tzinfo=UTC)).events) == 1


def test_an_afternoon_fact_dated_by_day_is_unknown_at_noon_of_that_day(tmp_path: Path) -> None:
    record, _ = one_record(tmp_path, observation(issued="2020-03-01"))
    assert record.as_of(datetime(2020, 3, 1, 12, tzinfo=UTC)).events == ()
    assert len(record.as_of(datetime(2020, 3, 2, tzinfo=UTC)).events) == 1


def test_a_stay_has_a_start_and_an_end_and_intensive_care_is_named(tmp_path: Path) -> None:
    role = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "ICU"}
    stay = about_victim(
        "Encounter",
        status="finished",
        type=[{"coding": [role]}],
        period={"start": "2020-03-01", "end": "2020-03-01T10:00:00Z"},
        **{"class": {"code": "IMP"}},
    )
    record, _ = one_record(tmp_path, stay)
    assert [str(event.code) for event in record.events] == ["encounter-start|ICU", "encounter-end|ICU"]
    assert known(record)[0] < known(record)[1] == datetime(2020, 3, 1, 10, tzinfo=UTC)


def test_a_stay_that_is_not_over_has_no_end(tmp_path: Path) -> None:
    stay = about_victim(
        "Encounter",
        status="in-progress",
        period={"start": "2020-03-01T08:00:00Z"},
        **{"class": {"code": "EMER"}},
    )
    record, _ = one_record(tmp_path, stay)
    assert [str(event.code) for event in record.events] == ["encounter-start|EMER"]
