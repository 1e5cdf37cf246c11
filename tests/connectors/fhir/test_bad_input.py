"""Every named bad input costs exactly what is bad: it is set aside by name, and the other patients come out."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.fhir import FhirFolder
from connectors.fhir.files import MAX_LINE_BYTES
from connectors.fhir.parse import MAX_DEPTH
from prognosis.errors import SourceError
from prognosis.record import PatientRecord, Quarantine

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
CRP = {"coding": [{"system": LOINC, "code": "1988-5", "display": "C reactive protein"}]}
MG_PER_L = {"unit": "mg/L", "system": UCUM, "code": "mg/L"}


def observation(identity: str = "bad", patient: str = "Patient/victim", **changes: Any) -> dict[str, Any]:
    resource = {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "code": CRP,
        "subject": {"reference": patient},
        "effectiveDateTime": "2020-03-01T07:00:00Z",
        "issued": "2020-03-01T09:00:00Z",
        "valueQuantity": {"value": 12.5, **MG_PER_L},
    }
    return {key: value for key, value in (resource | changes).items() if value is not None}


def patient(identity: str = "victim", **changes: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": identity, "birthDate": "1950-05-05", **changes}


def about_victim(kind: str, **content: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": "bad", "subject": {"reference": "Patient/victim"}, **content}


def line(resource: dict[str, Any]) -> bytes:
    return json.dumps(resource).encode()


def deep(levels: int) -> bytes:
    return b'{"resourceType":"Observation","id":"bad","x":' + b"[" * levels + b"]" * levels + b"}"


def raw(old: str, new: str) -> bytes:
    """An Observation whose JSON text, not its content, is damaged."""
    text = json.dumps(observation())
    assert old in text
    return text.replace(old, new, 1).encode()


GOOD = [
    line(resource)
    for name in ("anna", "zoe")
    for resource in (patient(name), observation(f"crp-{name}", f"Patient/{name}"))
]


def read(folder: Path) -> tuple[list[PatientRecord], Quarantine]:
    quarantine = Quarantine()
    return list(FhirFolder(folder, "fhir-folder:test").records(quarantine)), quarantine


def read_beside_good(folder: Path, bad: bytes, name: str = "bad.ndjson") -> tuple[list[PatientRecord], Quarantine]:
    """Read `bad` beside two good patients, whose records must come out whole."""
    (folder / "good.ndjson").write_bytes(b"\n".join(GOOD) + b"\n")
    (folder / name).write_bytes(bad)
    records, quarantine = read(folder)
    good = [record for record in records if record.patient_id in ("anna", "zoe")]
    assert [(record.patient_id, len(record.events)) for record in good] == [("anna", 1), ("zoe", 1)]
    assert [record.patient_id for record in records] == sorted(record.patient_id for record in records)
    return records, quarantine


AT_LINE = "bad.ndjson line 2"
BAD = "Observation/bad"
NAMED: dict[str, tuple[bytes, str, str]] = {
    "a key given twice": (raw('"id": "bad"', '"id": "bad", "id": "other"'), AT_LINE, "a key twice"),
    "nesting of 10,000 levels": (deep(10_000), AT_LINE, "nests deeper"),
    "nesting just too deep": (deep(MAX_DEPTH + 1), AT_LINE, "nests deeper"),
    "NaN": (raw("12.5", "NaN"), AT_LINE, "NaN"),
    "minus Infinity": (raw("12.5", "-Infinity"), AT_LINE, "NaN or Infinity"),
    "1e400": (raw("12.5", "1e400"), AT_LINE, "beyond 1e308"),
    "an integer beyond a float": (raw("12.5", "1" + "0" * 400), BAD, "too large"),
    "an integer of 5,000 digits": (raw("12.5", "1" * 5000), AT_LINE, "is not JSON"),
    "a truncated line": (line(observation())[:-20], AT_LINE, "is not JSON"),
    "bytes that are not UTF-8": (raw("final", "final").replace(b"final", b"f\xff"), AT_LINE, "Unicode"),
    "a lone surrogate": (raw("C reactive", "\\ud800"), AT_LINE, "Unicode"),
    "an array instead of a resource": (b"[]", AT_LINE, "not a JSON object"),
    "no resourceType": (b'{"id":"bad"}', AT_LINE, "no resourceType"),
    "no id": (line(observation(id=None)), "Observation at " + AT_LINE, "no id"),
    "an id with a path in it": (line(observation("../../x")), "Observation at " + AT_LINE, "not a FHIR id"),
    "a month 13": (line(observation(issued="1974-13-01T00:00:00Z")), BAD, "does not exist"),
    "a 30 February": (line(observation(issued="2020-02-30")), BAD, "does not exist"),
    "the year 1": (line(observation(issued="0001-01-01T00:00:00Z")), BAD, "1850 to 2250"),
    "the year 9999": (line(observation(issued="9999-12-31T23:59:59Z")), BAD, "1850 to 2250"),
    "a date in words": (line(observation(issued="yesterday")), BAD, "not a FHIR dateTime"),
    "a time without an offset": (line(observation(issued="2020-03-01T09:00:00")), BAD, "without an offset"),
    "no time at all": (line(observation(issued=None, effectiveDateTime=None)), BAD, "no time"),
    "no status": (line(observation(status=None)), BAD, "no status"),
    "a status that is not FHIR": (line(observation(status="Final")), BAD, "not one that FHIR"),
    "no unit": (line(observation(valueQuantity={"value": 5})), BAD, "no unit"),
    "a unit that is not UCUM": (
        line(observation(valueQuantity={"value": 5, "unit": "milligrams per litre"})),
        BAD,
        "not UCUM",
    ),
    "a number in quotes": (line(observation(valueQuantity={"value": "5", **MG_PER_L})), BAD, "not a JSON number"),
    "a boolean for a number": (line(observation(valueQuantity={"value": True, **MG_PER_L})), BAD, "not a JSON number"),
    "a quantity without a value": (line(observation(valueQuantity=MG_PER_L)), BAD, "has no value"),
    "an unknown comparator": (
        line(observation(valueQuantity={"value": 5, "comparator": "~", **MG_PER_L})),
        BAD,
        "unknown comparator",
    ),
    "two values": (line(observation(valueString="high")), BAD, "more than one value"),
    "a value that is not read": (line(observation(valueQuantity=None, valueRatio={})), BAD, "valueRatio is not read"),
    "free text for a code": (line(observation(code={"text": "CRP"})), BAD, "no coding"),
    "a list for an object": (line(observation(code=[])), BAD, "not a JSON object"),
    "an object for a list": (line(observation(component={})), BAD, "not an array"),
    "no patient": (line(observation(subject=None)), BAD, "names no patient"),
    "a patient that is not there": (line(observation(patient="Patient/nobody")), BAD, "not in the folder"),
    "a group instead of a patient": (line(observation(patient="Group/1")), BAD, "not a Patient"),
    "a fact before birth": (
        line(observation(effectiveDateTime="1940-01-01", issued="1940-01-01")),
        BAD,
        "before the patient's birth",
    ),
    "an encounter that ends before it starts": (
        line(
            about_victim(
                "Encounter",
                status="finished",
                **{"class": {"code": "IMP"}},
                period={"start": "2020-03-02T00:00:00Z", "end": "2020-03-01T00:00:00Z"},
            )
        ),
        "Encounter/bad",
        "ends before it starts",
    ),
    "an encounter without a period": (
        line(about_victim("Encounter", status="finished", **{"class": {"code": "IMP"}})),
        "Encounter/bad",
        "no time",
    ),
    "a document that is not base64": (
        line(
            about_victim(
                "DocumentReference",
                status="current",
                date="2020-03-01T00:00:00Z",
                content=[{"attachment": {"contentType": "text/plain", "data": "%%%"}}],
            )
        ),
        "DocumentReference/bad",
        "not base64",
    ),
    "a document in another charset than stated": (
        line(
            about_victim(
                "DocumentReference",
                status="current",
                date="2020-03-01T00:00:00Z",
                content=[{"attachment": {"contentType": "text/plain", "data": "/////w=="}}],
            )
        ),
        "DocumentReference/bad",
        "charset",
    ),
    "a study without a UID": (
        line(about_victim("ImagingStudy", status="available", started="2020-03-01T00:00:00Z")),
        "ImagingStudy/bad",
        "no study UID",
    ),
    "a study whose UID is not DICOM": (
        line(
            about_victim(
                "ImagingStudy",
                status="available",
                started="2020-03-01T00:00:00Z",
                identifier=[{"system": "urn:dicom:uid", "value": "urn:oid:../../etc"}],
            )
        ),
        "ImagingStudy/bad",
        "not a DICOM UID",
    ),
    "a drug that is not in the folder": (
        line(
            about_victim(
                "MedicationRequest",
                status="active",
                intent="order",
                authoredOn="2020-03-01",
                medicationReference={"reference": "Medication/none"},
            )
        ),
        "MedicationRequest/bad",
        "Medication is not in the folder",
    ),
    "a line beyond the limit": (b" " * (MAX_LINE_BYTES + 10), AT_LINE, "longer than"),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_bad_resource_is_set_aside_by_name_and_nothing_else_is_lost(tmp_path: Path, name: str) -> None:
    bad, reference, problem = NAMED[name]
    records, quarantine = read_beside_good(tmp_path, line(patient()) + b"\n" + bad + b"\n")
    (rejection,) = quarantine
    assert rejection.reference == reference
    assert problem in rejection.problem
    assert rejection.remedy
    victim = next(record for record in records if record.patient_id == "victim")
    assert (victim.events, victim.notes, victim.studies) == ((), (), ())
    assert quarantine.accepted == {"Patient": 3, "Observation": 2}


PATIENTS: dict[str, tuple[dict[str, Any], str]] = {
    "a birth in month 13": ({"birthDate": "1974-13-01"}, "does not exist"),
    "a birth in year 1": ({"birthDate": "0001-01-01"}, "1850 to 2250"),
    "a death before birth": ({"deceasedDateTime": "1949-01-01"}, "precedes the birth"),
    "a death known to the month": ({"deceasedDateTime": "2020-05"}, "no day"),
    "a death flag in quotes": ({"deceasedBoolean": "true"}, "not a JSON boolean"),
    "a link to itself": (
        {"link": [{"type": "replaced-by", "other": {"reference": "Patient/victim"}}]},
        "runs in a circle",
    ),
    "a replacement that is not there": (
        {"link": [{"type": "replaced-by", "other": {"reference": "Patient/elsewhere"}}]},
        "ends outside the folder",
    ),
    "two replacements": (
        {"link": [{"type": "replaced-by", "other": {"reference": f"Patient/{to}"}} for to in ("anna", "zoe")]},
        "forks",
    ),
}


@pytest.mark.parametrize("name", PATIENTS)
def test_a_bad_patient_is_set_aside_with_the_facts_about_them(tmp_path: Path, name: str) -> None:
    changes, problem = PATIENTS[name]
    bad = line(patient(**changes)) + b"\n" + line(observation())
    records, quarantine = read_beside_good(tmp_path, bad)
    assert [record.patient_id for record in records] == ["anna", "zoe"]
    assert sorted(rejection.reference for rejection in quarantine) == ["Observation/bad", "Patient/victim"]
    assert problem in next(item.problem for item in quarantine if item.reference == "Patient/victim")


def test_a_death_before_later_observations_is_not_believed_but_the_patient_is_kept(tmp_path: Path) -> None:
    dead = patient(deceasedDateTime="2019-01-01")
    records, quarantine = read_beside_good(tmp_path, line(dead) + b"\n" + line(observation()))
    (rejection,) = quarantine
    assert (rejection.reference, "the death is not used" in rejection.problem) == ("Patient/victim", True)
    assert [event.code.value for event in records[1].events] == ["1988-5"]
    assert quarantine.accepted == {"Patient": 2, "Observation": 3}


def test_a_result_drawn_before_death_and_issued_after_it_leaves_the_death_standing(tmp_path: Path) -> None:
    late = observation(issued="2020-03-09T09:00:00Z")
    dead = patient(deceasedDateTime="2020-03-01T08:00:00Z")
    records, quarantine = read_beside_good(tmp_path, line(dead) + b"\n" + line(late))
    assert len(quarantine) == 0
    assert [event.code.value for event in records[1].events] == ["MEDS_DEATH", "1988-5"]


def test_two_versions_of_one_resource_are_both_withdrawn(tmp_path: Path) -> None:
    versions = [patient(), observation(), observation(valueQuantity={"value": 99, **MG_PER_L})]
    records, quarantine = read_beside_good(tmp_path, b"\n".join(map(line, versions)))
    assert [item.reference for item in quarantine] == ["Observation/bad"] * 2
    assert records[1].events == ()


def test_two_versions_of_one_patient_are_both_withdrawn_with_their_facts(tmp_path: Path) -> None:
    versions = [patient(), patient(birthDate="1951-05-05"), observation()]
    records, quarantine = read_beside_good(tmp_path, b"\n".join(map(line, versions)))
    assert [record.patient_id for record in records] == ["anna", "zoe"]
    assert len(quarantine) == 3


def test_the_same_resource_twice_is_used_once_and_counted_twice(tmp_path: Path) -> None:
    records, quarantine = read_beside_good(tmp_path, b"\n".join(map(line, [patient(), observation(), observation()])))
    assert len(records[1].events) == 1
    assert quarantine.accepted["Observation"] == 4
    assert sum(quarantine.notices.values()) == 1


def test_links_in_a_circle_take_every_patient_in_it_out(tmp_path: Path) -> None:
    pair = [
        patient(name, link=[{"type": "replaced-by", "other": {"reference": f"Patient/{other}"}}])
        for name, other in (("b1", "b2"), ("b2", "b1"))
    ]
    records, quarantine = read_beside_good(tmp_path, b"\n".join(map(line, [*pair, observation(patient="Patient/b1")])))
    assert [record.patient_id for record in records] == ["anna", "zoe"]
    assert len(quarantine) == 3


@pytest.mark.parametrize("stated_by", ["old", "new"])
def test_facts_about_a_replaced_patient_join_the_patient_that_replaces_it(tmp_path: Path, stated_by: str) -> None:
    old, new = patient("old"), patient("new")
    if stated_by == "old":
        old["link"] = [{"type": "replaced-by", "other": {"reference": "Patient/new"}}]
    else:
        new["link"] = [{"type": "replaces", "other": {"reference": "Patient/old"}}]
    facts = [observation("a", "Patient/old"), observation("b", "Patient/new")]
    records, quarantine = read_beside_good(tmp_path, b"\n".join(map(line, [old, new, *facts])))
    assert [record.patient_id for record in records] == ["anna", "new", "zoe"]
    assert [event.source for event in records[1].events] == ["Observation/a", "Observation/b"]
    assert (len(quarantine), quarantine.accepted["Patient"]) == (0, 4)


def test_facts_dated_after_the_export_are_set_aside_when_its_date_is_given(tmp_path: Path) -> None:
    (tmp_path / "all.ndjson").write_bytes(line(patient()) + b"\n" + line(observation(issued="2031-01-01T00:00:00Z")))
    quarantine = Quarantine()
    source = FhirFolder(tmp_path, "fhir-folder:test", latest=datetime(2026, 1, 1, tzinfo=UTC))
    (record,) = source.records(quarantine)
    assert record.events == ()
    assert [item.problem for item in quarantine] == ["is dated in the future"]


def test_a_byte_order_mark_is_accepted_and_blank_lines_are_no_resources(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + line(patient()) + b"\r\n\r\n" + line(observation()) + b"\r\n"
    records, quarantine = read_beside_good(tmp_path, content)
    assert len(records[1].events) == 1
    assert len(quarantine) == 0


def test_gzipped_ndjson_is_read(tmp_path: Path) -> None:
    content = gzip.compress(line(patient()) + b"\n" + line(observation()))
    records, quarantine = read_beside_good(tmp_path, content, "bad.ndjson.gz")
    assert len(records[1].events) == 1
    assert len(quarantine) == 0


def test_a_gzip_that_breaks_off_keeps_what_was_read_and_says_so(tmp_path: Path) -> None:
    lines = b"".join(line(observation(f"o{number}")) + b"\n" for number in range(2000))
    content = gzip.compress(line(patient()) + b"\n" + lines)
    records, quarantine = read_beside_good(tmp_path, content[: len(content) // 2], "bad.ndjson.gz")
    (rejection,) = quarantine
    assert (rejection.reference, "to its end" in rejection.problem) == ("bad.ndjson.gz", True)
    assert 0 < len(records[1].events) < 2000


def test_a_gzip_that_is_none_is_set_aside(tmp_path: Path) -> None:
    _, quarantine = read_beside_good(tmp_path, b"plain", "bad.ndjson.gz")
    assert [item.reference for item in quarantine] == ["bad.ndjson.gz"]


def test_a_gzip_bomb_is_stopped(tmp_path: Path) -> None:
    bomb = gzip.compress(b"\0" * (96 * 2**20))
    _, quarantine = read_beside_good(tmp_path, bomb, "bad.ndjson.gz")
    assert [(item.reference, item.problem) for item in quarantine] == [
        ("bad.ndjson.gz", "inflates far beyond its size")
    ]


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "export"
    (outside / "more").mkdir(parents=True)
    folder.mkdir()
    (outside / "secret.ndjson").write_bytes(line(patient("secret")))
    (folder / "stolen.ndjson").symlink_to(outside / "secret.ndjson")
    (folder / "tree").symlink_to(outside, target_is_directory=True)
    records, quarantine = read_beside_good(folder, line(patient()))
    assert [record.patient_id for record in records] == ["anna", "victim", "zoe"]
    assert sorted(item.reference for item in quarantine) == ["stolen.ndjson", "tree"]


@pytest.mark.parametrize("missing", [True, False], ids=["missing", "empty"])
def test_a_folder_that_is_missing_or_empty_is_an_error(tmp_path: Path, *, missing: bool) -> None:
    folder = tmp_path / "nothing" if missing else tmp_path
    with pytest.raises(SourceError, match="give"):
        read(folder)


def test_a_folder_without_patients_is_an_error_that_counts_what_was_set_aside(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(line(observation()) + b"\n[]\n")
    with pytest.raises(SourceError, match=r"no Patient.*1 rejections"):
        read(tmp_path)


def test_no_message_repeats_what_a_resource_says(tmp_path: Path) -> None:
    canary = "Canary7"
    bad = [
        patient(name=[{"family": canary}]),
        observation("a", valueQuantity={"value": 1, "unit": canary}),
        observation("b", issued=canary),
        observation("c", status=canary),
        observation("d", subject={"reference": f"Patient?name={canary}"}),
        observation("e", code={"text": canary}),
        observation("f", valueQuantity={"value": canary, **MG_PER_L}),
    ]
    _, quarantine = read_beside_good(tmp_path, b"\n".join(map(line, bad)) + b'\n{"x": "' + canary.encode())
    assert len(quarantine) == 7
    assert canary not in repr(list(quarantine)) + repr(quarantine.notices)
