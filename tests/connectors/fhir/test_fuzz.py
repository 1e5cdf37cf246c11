"""However a resource is damaged, reading it ends in a fact or in one counted rejection."""

import json
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.fhir import FhirFolder
from connectors.fhir.mapping_codes import ROLE_CODE
from prognosis.errors import SourceError
from prognosis.record import Quarantine
from tests.connectors.fhir.resources import (
    MG_PER_L,
    UCUM,
    Resource,
    about_victim,
    line,
    observation,
    patient,
    patients_own,
)

CODE = {"coding": [{"system": "http://loinc.org", "code": "1988-5", "display": "CRP"}], "text": "CRP"}
CONFIRMED = {"coding": [{"code": "confirmed", "display": "Confirmed"}], "text": "Confirmed"}
TIME = "2020-03-01T07:00:00Z"
SEEDS: list[Resource] = [
    patient(
        "bad",
        gender="male",
        deceasedDateTime=TIME,
        link=[{"type": "replaced-by", "other": {"reference": "Patient/victim"}}],
        managingOrganization={"reference": "Organization/o"},
    ),
    observation(component=[{"code": CODE, "valueQuantity": {"value": 1, **MG_PER_L}}]),
    observation(valueQuantity=None, valueCodeableConcept=CODE, effectivePeriod={"start": TIME}),
    about_victim(
        "Encounter",
        status="finished",
        period={"start": TIME, "end": TIME},
        type=[{"coding": [{"system": ROLE_CODE, "code": "ICU"}]}],
        **{"class": {"code": "IMP"}},
    ),
    about_victim(
        "Condition", code=CODE, verificationStatus=CONFIRMED, recordedDate=TIME, onsetPeriod={"start": TIME}
    ),
    about_victim(
        "MedicationRequest",
        status="active",
        intent="order",
        authoredOn=TIME,
        contained=[{"resourceType": "Medication", "id": "m", "code": CODE}],
        medicationReference={"reference": "#m"},
    ),
    about_victim(
        "MedicationAdministration",
        status="completed",
        effectiveDateTime=TIME,
        medicationCodeableConcept=CODE,
        dosage={"dose": {"value": 1, "system": UCUM, "code": "mg"}},
    ),
    about_victim("Procedure", status="completed", code=CODE, performedPeriod={"start": TIME}),
    about_victim(
        "MedicationStatement",
        status="active",
        dateAsserted=TIME,
        effectivePeriod={"start": TIME},
        contained=[{"resourceType": "Medication", "id": "m", "code": CODE}],
        medicationReference={"reference": "#m"},
    ),
    patients_own("Immunization", status="completed", vaccineCode=CODE, occurrenceDateTime=TIME),
    patients_own("AllergyIntolerance", code=CODE, verificationStatus=CONFIRMED, recordedDate=TIME),
    patients_own(
        "FamilyMemberHistory",
        status="partial",
        date=TIME,
        relationship={"coding": [{"system": ROLE_CODE, "code": "FTH"}]},
        condition=[{"code": CODE}],
    ),
    about_victim(
        "CarePlan", status="active", intent="plan", category=[CODE], created=TIME, activity=[{"detail": {}}]
    ),
    about_victim(
        "DocumentReference",
        status="current",
        type=CODE,
        date=TIME,
        content=[{"attachment": {"contentType": "text/plain; charset=utf-8", "data": "Q2xlYXIu"}}],
    ),
    about_victim("DiagnosticReport", status="final", code=CODE, issued=TIME, conclusion="Clear."),
    about_victim(
        "ImagingStudy",
        status="available",
        started=TIME,
        identifier=[{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"}],
        series=[{"uid": "1.2.3.4", "modality": {"code": "DX"}, "bodySite": {"display": "CHEST"}}],
    ),
    {"resourceType": "Organization", "id": "o", "name": "Hospital"},
    {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"fullUrl": "urn:uuid:1", "resource": patient("b")}],
    },
]
JUNK: list[object] = [
    *(None, True, 0, -1, 1.5, 10**400, "", " ", "x", "\u0000", "9999-99-99", "#", "Patient/", [], {}),
    *([[]], [None], [{}], {"x": {}}, [{"coding": 1}], {"coding": [{"code": 1}]}, {"reference": 1}),
    *({"extension": [{"url": 1}]}, {"coding": [{"code": []}]}, [{"system": {}}]),
]


def _mutate(node: object, chance: random.Random) -> object:
    """The same JSON with one place changed, removed or replaced by junk."""
    if isinstance(node, dict) and node and chance.random() < 0.85:
        key = chance.choice(sorted(node))
        changed = dict(node)
        if chance.random() < 0.15:
            del changed[key]
        else:
            changed[key] = _mutate(node[key], chance)
        return changed
    if isinstance(node, list) and node and chance.random() < 0.85:
        place = chance.randrange(len(node))
        return [*node[:place], _mutate(node[place], chance), *node[place + 1 :]]
    return chance.choice(JUNK)


def damaged(seed: int) -> bytes:
    """A line that held a good resource before chance damaged it."""
    chance = random.Random(seed)  # noqa: S311
    resource: object = chance.choice(SEEDS)
    for _ in range(chance.choice([1, 1, 2, 3])):
        resource = _mutate(resource, chance)
    content = json.dumps(resource).replace('"id": "bad"', f'"id": "bad-{seed}"').encode()
    if chance.random() < 0.2:
        place = chance.randrange(len(content))
        content = content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :]
    return content.replace(b"\n", b" ").replace(b"\r", b" ")


@settings(max_examples=40)
@given(seed=st.integers(0, 10**9))
def test_a_damaged_resource_is_counted_exactly_once_and_raises_nothing(seed: int) -> None:
    lines = [damaged(seed + number) for number in range(25)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all.ndjson"
        path.write_bytes(b"\n".join([line(patient("whole")), line(patient()), *lines]))
        quarantine = Quarantine()
        records = list(FhirFolder(path.parent, "fhir-folder:test").records(quarantine))
    assert "whole" in [record.patient_id for record in records]
    received = 2 + sum(1 for content in lines if content.strip())
    bundles = sum(1 for content in lines if b'"Bundle"' in content)
    counted = sum(quarantine.accepted.values()) + len(quarantine)
    assert received - bundles <= counted <= received


@settings(max_examples=200)
@given(content=st.binary(max_size=200))
def test_bytes_that_are_no_json_are_set_aside(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "all.ndjson").write_bytes(content)
        with pytest.raises(SourceError, match="no Patient"):
            list(FhirFolder(Path(folder), "fhir-folder:test").records(Quarantine()))
