"""Resources that tests build on, and two good patients that no bad neighbour may touch."""

import json
from pathlib import Path

from connectors.fhir import FhirFolder
from prognosis.record import PatientRecord, Quarantine

Resource = dict[str, object]

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
CRP = {"coding": [{"system": LOINC, "code": "1988-5", "display": "C reactive protein"}]}
MG_PER_L = {"unit": "mg/L", "system": UCUM, "code": "mg/L"}


def observation(identity: str = "bad", patient: str = "Patient/victim", **changes: object) -> Resource:
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


def patient(identity: str = "victim", **changes: object) -> Resource:
    return {"resourceType": "Patient", "id": identity, "birthDate": "1950-05-05", **changes}


def about_victim(kind: str, **content: object) -> Resource:
    return {"resourceType": kind, "id": "bad", "subject": {"reference": "Patient/victim"}, **content}


def patients_own(kind: str, **content: object) -> Resource:
    """A resource of a type that names its patient in `patient`."""
    return {"resourceType": kind, "id": "bad", "patient": {"reference": "Patient/victim"}, **content}


def line(resource: Resource) -> bytes:
    return json.dumps(resource).encode()


GOOD = [
    line(resource)
    for name in ("anna", "zoe")
    for resource in (patient(name), observation(f"crp-{name}", f"Patient/{name}"))
]


def read_folder(folder: Path) -> tuple[list[PatientRecord], Quarantine]:
    quarantine = Quarantine()
    return list(FhirFolder(folder, "fhir-folder:test").records(quarantine)), quarantine


def read_beside_good(
    folder: Path, bad: bytes, name: str = "bad.ndjson"
) -> tuple[list[PatientRecord], Quarantine]:
    """Read `bad` beside two good patients, whose records must come out whole."""
    (folder / "good.ndjson").write_bytes(b"\n".join(GOOD) + b"\n")
    (folder / name).write_bytes(bad)
    records, quarantine = read_folder(folder)
    good = [record for record in records if record.patient_id in ("anna", "zoe")]
    assert [(record.patient_id, len(record.events)) for record in good] == [("anna", 1), ("zoe", 1)]
    assert [record.patient_id for record in records] == sorted(record.patient_id for record in records)
    return records, quarantine
