"""`prognosis cohort describe --codes`: which codes and units of the sources are left aside."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.cli.program import Program
from tests.connectors.fhir.resources import Resource, line, observation, patient

ROOT = Path(__file__).parents[2]


def hospital(folder: Path) -> tuple[Path, str]:
    """A task with the repository's laboratory list, and three patients of an export."""
    task = folder / "task.yaml"
    stated = {
        "name": "ward",
        "question": "Who dies?",
        "code_lists": [str(ROOT / "configs" / "codes" / "laboratory.yaml")],
        "index": {"at": "event", "codes": ["http://loinc.org|1988-5"], "occurrence": "first"},
        "outcome": {
            "kind": "time_to_event",
            "causes": {"death": ["MEDS|MEDS_DEATH"]},
            "horizons_days": [30],
        },
    }
    task.write_text(yaml.safe_dump(stated), encoding="utf-8")
    (folder / "export").mkdir()
    resources: list[Resource] = []
    for place, name in enumerate(("ann", "ben", "cem")):
        death = {"deceasedDateTime": "2020-05-01"} if place else {}
        resources += [patient(name, **death), observation(f"crp-{name}", f"Patient/{name}")]
        resources.append(local(f"local-{name}", name, "2020-04-01T00:00:00Z"))
        wrong = {"value": 5.0, "system": "http://unitsofmeasure.org", "code": "[IU]/L"}
        if place == 2:
            late = {"issued": "2020-04-02T00:00:00Z"}
            resources.append(observation("wrong", f"Patient/{name}", valueQuantity=wrong, **late))
    (folder / "export" / "all.ndjson").write_bytes(b"\n".join(map(line, resources)))
    return task, f"fhir-folder:{folder / 'export'}"


def local(identity: str, name: str, issued: str) -> Resource:
    code = {"coding": [{"system": "urn:oid:1.2.3", "code": "X[1]", "display": "Local assay"}]}
    return observation(identity, f"Patient/{name}", code=code, issued=issued)


def test_codes_left_aside_are_listed_with_patients_and_facts(prognosis: Program, tmp_path: Path) -> None:
    task, source = hospital(tmp_path)
    ran = prognosis("cohort", "describe", task, "--source", source, "--codes", "--json")
    assert ran.status == 0
    assert ran.stated["codes"] == {
        "codes_in_all": 3,
        "gathered": 1,
        "unused": [{"code": "urn:oid:1.2.3|X[1]", "display": "Local assay", "patients": 3, "facts": 3}],
        "unconverted": [
            {
                "code": "http://loinc.org|1988-5",
                "concept": "c-reactive-protein",
                "unit": "[IU]/L",
                "wanted": "mg/L",
                "reason": "is of another kind than the unit that is wanted",
                "patients": 1,
                "facts": 1,
            }
        ],
    }
    assert prognosis("cohort", "describe", task, "--source", source, "--codes", "--json").out == ran.out


def test_they_are_tables_on_stdout_too_and_only_when_asked_for(prognosis: Program, tmp_path: Path) -> None:
    task, source = hospital(tmp_path)
    ran = prognosis("cohort", "describe", task, "--source", source, "--codes")
    assert "1 of 3 codes that no concept gathers" in ran.out
    assert "urn:oid:1.2.3|X[1]" in ran.out
    assert "[IU]/L" in ran.out
    assert "Local assay" not in prognosis("cohort", "describe", task, "--source", source).out
    counts = prognosis("cohort", "describe", task, "--source", source, "--json").stated
    assert "codes" not in counts
