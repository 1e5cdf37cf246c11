"""A named bad resource costs exactly itself: it is set aside by name, and the other patients come out."""

import json
from pathlib import Path

import pytest

from connectors.fhir.files import MAX_LINE_BYTES
from connectors.fhir.parse import MAX_DEPTH
from tests.connectors.fhir.resources import (
    MG_PER_L,
    about_victim,
    line,
    observation,
    patient,
    read_beside_good,
)


def deep(levels: int) -> bytes:
    return b'{"resourceType":"Observation","id":"bad","x":' + b"[" * levels + b"]" * levels + b"}"


def raw(old: str, new: str) -> bytes:
    """An Observation whose JSON text, not its content, is damaged."""
    text = json.dumps(observation())
    assert old in text
    return text.replace(old, new, 1).encode()


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
    "a number in quotes": (
        line(observation(valueQuantity={"value": "5", **MG_PER_L})),
        BAD,
        "not a JSON number",
    ),
    "a boolean for a number": (
        line(observation(valueQuantity={"value": True, **MG_PER_L})),
        BAD,
        "not a JSON number",
    ),
    "a value beside the reason why there is none": (
        line(observation(dataAbsentReason={"coding": [{"code": "error"}]})),
        BAD,
        "has a value and a dataAbsentReason",
    ),
    "a diagnosis that may be refuted": (
        line(about_victim("Condition", recordedDate="2020", verificationStatus={"text": "ruled out"})),
        "Condition/bad",
        "verificationStatus is not one that FHIR R4",
    ),
    "an order whose intent is not known": (
        line(about_victim("MedicationRequest", status="active", intent="idea", authoredOn="2020-01-01")),
        "MedicationRequest/bad",
        "intent is not one that FHIR R4",
    ),
    "a quantity without a value": (line(observation(valueQuantity=MG_PER_L)), BAD, "has no value"),
    "an unknown comparator": (
        line(observation(valueQuantity={"value": 5, "comparator": "~", **MG_PER_L})),
        BAD,
        "unknown comparator",
    ),
    "two values": (line(observation(valueString="high")), BAD, "more than one value"),
    "a value that is not read": (
        line(observation(valueQuantity=None, valueRatio={})),
        BAD,
        "valueRatio is not read",
    ),
    "free text for a code": (line(observation(code={"text": "CRP"})), BAD, "no coding"),
    "a list for an object": (line(observation(code=[])), BAD, "not a JSON object"),
    "an object for a list": (line(observation(component={})), BAD, "not an array"),
    "no patient": (line(observation(subject=None)), BAD, "names no patient"),
    "a patient that is not there": (line(observation(patient="Patient/nobody")), BAD, "not in the source"),
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
        "Medication is not in the source",
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
