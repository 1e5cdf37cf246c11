"""Bulk NDJSON in the style of a real export: what a general hospital's server sends, by weight of bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

LINES_A_FILE = 250_000
_LABS = [
    *(("2345-7", "Glucose [Mass/volume] in Serum or Plasma", "mg/dL", 105.0, 30.0),),
    *(("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", 1.1, 0.4),),
    *(("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 13.2, 1.8),),
    *(("1988-5", "C reactive protein [Mass/volume] in Serum or Plasma", "mg/L", 20.0, 15.0),),
    *(("2951-2", "Sodium [Moles/volume] in Serum or Plasma", "mmol/L", 139.0, 4.0),),
    *(("6690-2", "Leukocytes [#/volume] in Blood", "10*3/uL", 8.1, 3.0),),
]
_LOINC, _UCUM = "http://loinc.org", "http://unitsofmeasure.org"
_SNOMED = "http://snomed.info/sct"
_TERMS = "http://terminology.hl7.org/CodeSystem"


def write_export(folder: Path, size: int, seed: int = 0) -> int:
    """Write about `size` bytes of Patient, Encounter, Condition and Observation files; how many bytes.

    Nine tenths are Observations: laboratory values under a local code beside LOINC's, and blood pressures as
    panels.
    """
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    patients = max(size // 60_000, 5)
    written = _write(folder / "Patient.000.ndjson", (_patient(n, rng) for n in range(patients)))
    written += _write(
        folder / "Encounter.000.ndjson", (_encounter(n, n % patients, rng) for n in range(3 * patients))
    )
    written += _write(
        folder / "Condition.000.ndjson", (_condition(n, n % patients, rng) for n in range(5 * patients))
    )
    number = file = 0
    while written < size:
        lines = min(LINES_A_FILE, max((size - written) // 900, 1))
        each = (_observation(number + n, int(rng.integers(patients)), rng) for n in range(lines))
        written += _write(folder / f"Observation.{file:03d}.ndjson", each)
        number, file = number + lines, file + 1
    return written


def _write(path: Path, resources: Iterator[dict[str, Any]]) -> int:
    with path.open("w", encoding="utf-8") as stream:
        for resource in resources:
            stream.write(json.dumps(resource, separators=(",", ":"), ensure_ascii=False) + "\n")
    return path.stat().st_size


def _meta(kind: str) -> dict[str, Any]:
    profile = f"http://hl7.org/fhir/us/core/StructureDefinition/us-core-{kind}"
    return {"versionId": "1", "lastUpdated": "2023-04-05T06:07:08.900+00:00", "profile": [profile]}


def _time(rng: np.random.Generator) -> str:
    day, second = int(rng.integers(3000)), int(rng.integers(86_400))
    moment = np.datetime64("2014-01-01T00:00:00") + np.timedelta64(day, "D") + np.timedelta64(second, "s")
    return f"{moment}+00:00"


def _patient(number: int, rng: np.random.Generator) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": f"p-{number:08d}",
        "meta": _meta("patient"),
        "identifier": [{"system": "urn:hospital:mrn", "value": f"{number:09d}"}],
        "name": [{"use": "official", "family": f"Family{number}", "given": ["Given"]}],
        "gender": "female" if rng.random() < 0.5 else "male",
        "birthDate": str(np.datetime64("1930-01-01") + int(rng.integers(25_000))),
        "managingOrganization": {"reference": "Organization/north", "display": "North"},
    }


def _encounter(number: int, patient: int, rng: np.random.Generator) -> dict[str, Any]:
    start = _time(rng)
    return {
        "resourceType": "Encounter",
        "id": f"e-{number:08d}",
        "meta": _meta("encounter"),
        "status": "finished",
        "class": {"system": f"{_TERMS}/v3-ActCode", "code": "IMP", "display": "inpatient encounter"},
        "type": [{"coding": [{"system": _SNOMED, "code": "32485007", "display": "Hospital admission"}]}],
        "subject": {"reference": f"Patient/p-{patient:08d}"},
        "period": {"start": start, "end": f"{np.datetime64(start[:19]) + np.timedelta64(4, 'D')}+00:00"},
    }


def _condition(number: int, patient: int, rng: np.random.Generator) -> dict[str, Any]:
    time = _time(rng)
    return {
        "resourceType": "Condition",
        "id": f"c-{number:08d}",
        "meta": _meta("condition"),
        "clinicalStatus": {"coding": [{"system": f"{_TERMS}/condition-clinical", "code": "active"}]},
        "verificationStatus": {"coding": [{"system": f"{_TERMS}/condition-ver-status", "code": "confirmed"}]},
        "code": {"coding": [{"system": _SNOMED, "code": "233604007", "display": "Pneumonia"}]},
        "subject": {"reference": f"Patient/p-{patient:08d}"},
        "onsetDateTime": time,
        "recordedDate": time,
    }


def _quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": round(value, 2), "unit": unit, "system": _UCUM, "code": unit}


def _observation(number: int, patient: int, rng: np.random.Generator) -> dict[str, Any]:
    time = _time(rng)
    kind = "vital-signs" if number % 10 == 0 else "laboratory"
    category = {"system": f"{_TERMS}/observation-category", "code": kind, "display": kind}
    code, name, unit, mean, spread = _LABS[number % len(_LABS)]
    local = {"system": "urn:hospital:lab", "code": f"L{code}", "display": name.upper()}
    stated: dict[str, Any] = {
        "code": {"coding": [{"system": _LOINC, "code": code, "display": name}, local], "text": name},
        "valueQuantity": _quantity(abs(rng.normal(mean, spread)), unit),
    }
    if number % 10 == 0:
        parts = (("8480-6", "Systolic blood pressure", 128.0), ("8462-4", "Diastolic blood pressure", 76.0))
        panel = {"coding": [{"system": _LOINC, "code": "85354-9", "display": "Blood pressure panel"}]}
        stated = {"code": panel, "component": [_component(*part, rng) for part in parts]}
    return {
        "resourceType": "Observation",
        "id": f"o-{number:09d}",
        "meta": _meta("observation-lab"),
        "status": "final",
        "category": [{"coding": [category], "text": kind}],
        **stated,
        "subject": {"reference": f"Patient/p-{patient:08d}"},
        "encounter": {"reference": f"Encounter/e-{patient:08d}"},
        "effectiveDateTime": time,
        "issued": time,
        "performer": [{"reference": "Organization/north", "display": "North"}],
    }


def _component(code: str, name: str, mean: float, rng: np.random.Generator) -> dict[str, Any]:
    coded = {"coding": [{"system": _LOINC, "code": code, "display": name}]}
    return {"code": coded, "valueQuantity": _quantity(float(rng.normal(mean, 12.0)), "mm[Hg]")}
