"""Answers on a real FHIR server: written, read again, validated, written again without a trace, withdrawn."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fhirkit
import pytest

from prognosis.cohort import Case
from prognosis.prediction import predict_cases
from tests.cli.program import Program, Ran
from tests.live.sekmet import BEARER, asked, load, running
from tests.live.strict import FOLDER, judge_folder, judged
from tests.simulated import Simulated

PATIENTS = 8
KINDS = ("Device", "RiskAssessment", "Observation", "DiagnosticReport", "Provenance", "AuditEvent")


@pytest.fixture(scope="module")
def address(small: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A FHIR server on loopback that holds some patients of the cohort that the model was trained on."""
    folder = tmp_path_factory.mktemp("server")
    with running(folder) as base:
        load(base, some_patients(small.folder / "fhir", folder, small.complete[:PATIENTS]))
        yield base


def some_patients(export: Path, folder: Path, cases: list[Case]) -> Path:
    """The part of an export that is about some patients."""
    part = folder / "part"
    part.mkdir()
    wanted = {case.record.patient_id for case in cases}
    for path in export.glob("*.ndjson"):
        resources = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        kept = [
            each
            for each in resources
            if each.get("subject", {}).get("reference", "Patient/").removeprefix("Patient/")
            in (wanted | {""} if path.stem != "Patient" else set())
            or each["id"] in wanted
        ]
        (part / path.name).write_text("\n".join(map(json.dumps, kept)), encoding="utf-8")
    return part


@pytest.fixture
def prognosis(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Program:
    """The command line, with the server's token."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("PROGNOSIS_FHIR_TOKEN", BEARER)
    return Program(capsys, monkeypatch)


@pytest.fixture
def case(small: Simulated) -> Case:
    return small.complete[0]


@pytest.fixture
def answered(prognosis: Program, small: Simulated, address: str, case: Case) -> Any:
    """`prognosis risk` on the server's records and the folder's films, written back."""

    def run(*more: object) -> Ran:
        sources = ("--source", f"fhir-server:{address}", "--source", f"dicom-folder:{small.folder}")
        patient, model = case.record.patient_id, ("--model", small.model_folder)
        to = ("--write-back", f"fhir-server:{address}")
        ran = prognosis("risk", patient, *model, *sources, *to, "--json", *more)
        assert ran.status == 0, ran.err
        return ran

    return run


def held(address: str) -> dict[str, int]:
    """How many resources of each type the server holds."""
    return {kind: asked(address, f"{kind}?_summary=count")["total"] for kind in KINDS}


def written(address: str, ran: Ran) -> dict[str, dict[str, Any]]:
    """What the run names, as the server holds it, by name."""
    names = [each["version"].partition("/_history/")[0] for each in ran.stated["written"]["resources"]]
    return {name: asked(address, name) for name in names}


def test_an_answer_is_written_once_read_again_and_withdrawn(
    answered, prognosis: Program, small: Simulated, address: str, case: Case
) -> None:
    before = held(address)
    first = answered()
    there = written(address, first)
    assert {name.partition("/")[0] for name in there} == set(KINDS)
    assert {each["done"] for each in first.stated["written"]["resources"]} == {"created"}
    for name, resource in there.items():
        errors = [i for i in fhirkit.validate(json.dumps(resource)) if i.severity in ("error", "fatal")]
        assert not errors, (name, errors)
    if os.environ.get(FOLDER):
        assert not any(judged(there.values(), judge_folder()).problems)
    after = held(address)
    assert sum(after.values()) - sum(before.values()) == len(there)

    (assessment,) = (each for each in there.values() if each["resourceType"] == "RiskAssessment")
    expected = predict_cases(small.model, [case])[0].risks()
    assert [each["probabilityDecimal"] for each in assessment["prediction"]] == pytest.approx(
        [100 * risk.probability for risk in expected], abs=1e-4
    )
    for resource in there.values():
        if resource["resourceType"] == "Provenance":
            (target,) = resource["target"]
            assert asked(address, target["reference"])["meta"]["versionId"] == "1"

    second = answered("--top", 3, "--scale", "probability")
    assert {each["done"] for each in second.stated["written"]["resources"]} == {"unchanged"}
    assert held(address) == after
    assert [each["probability"] for each in second.stated["risks"]] == [
        each["probability"] for each in first.stated["risks"]
    ]

    taken = prognosis("retract", case.record.patient_id, "--model", small.model_folder, "--from",
                      f"fhir-server:{address}", "--json")  # fmt: skip
    assert taken.status == 0, taken.err
    for name, resource in written(address, first).items():
        stated = ("RiskAssessment", "Observation", "DiagnosticReport")
        if name.startswith(stated):
            assert resource["status"] == "entered-in-error"
    if os.environ.get(FOLDER):
        names = [each["version"].partition("/_history/")[0] for each in taken.stated["resources"]]
        assert not any(judged([asked(address, name) for name in names], judge_folder()).problems)
    withdrawn = held(address)
    again = prognosis("retract", case.record.patient_id, "--model", small.model_folder, "--from",
                      f"fhir-server:{address}", "--json")  # fmt: skip
    assert again.status == 0
    assert {each["done"] for each in again.stated["resources"]} == {"unchanged"}
    assert held(address) == withdrawn
