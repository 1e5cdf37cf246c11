"""A second server that no one here wrote, Medplum's, takes an answer once and under strict validation."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from connectors.fhir import FhirWriter
from prognosis.errors import WriteError
from prognosis.outputs.fhir import ANSWER, answer_resources, kinds_of, provenance
from tests.connectors.fhir.resources import Resource, observation, patient
from tests.live.strict import judge_folder
from tests.outputs.fhir.answers import TASK, WRITTEN, abstention, answer

PACKAGES = ("@medplum/core", "@medplum/fhir-router")


@pytest.fixture
def address() -> Iterator[str]:
    """The server on loopback, which holds a patient and what the answer cites; stopped afterwards."""
    folder = judge_folder()
    if not all((folder / "node_modules" / name).is_dir() for name in PACKAGES):
        pytest.skip("no second FHIR server: tests/live/install puts it beside the strict judge")
    program = ["node", str(Path(__file__).with_name("medplum_server.cjs"))]
    server = subprocess.Popen(program, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        base = f"http://127.0.0.1:{int(server.stdout.readline())}/fhir"
        for each in cited():
            name = f"{each['resourceType']}/{each['id']}"
            assert httpx.put(f"{base}/{name}", json=each, trust_env=False).status_code in (200, 201)
        yield base
    finally:
        server.kill()
        server.wait()
        if server.stdout is not None:
            server.stdout.close()


def cited() -> list[Resource]:
    about = {"subject": {"reference": "Patient/17"}}
    return [
        patient("17"),
        observation("crp-9", "Patient/17"),
        {"resourceType": "Condition", "id": "c1", **about},
        {"resourceType": "DocumentReference", "id": "n1", "status": "current", "content": [], **about},
        {"resourceType": "ImagingStudy", "id": "i1", "status": "available", **about},
    ]


def test_an_answer_is_taken_once_updated_and_withdrawn(address: str) -> None:
    writing = FhirWriter(address, "fhir-server:medplum")
    subject = writing.subject("17")
    given = answer(subject)
    writing.check_sources(given.cited, subject)
    first = writing.write(answer_resources(given))
    assert [each.done for each in first] == ["created"] * 5
    records = [provenance("CREATE", each.version, given.device, given.cited, WRITTEN) for each in first[1:]]
    assert [each.done for each in writing.record(records)] == ["created"] * 4
    assert [each.version for each in writing.write(answer_resources(given))] == [
        each.version for each in first
    ]
    assert [each.done for each in writing.record(records)] == ["unchanged"] * 4

    names = {f"{kind}/{given.key.fhir_id(what)}": given.key.value(what) for kind, what in kinds_of(TASK)}
    stated = answer_resources(replace(abstention(), subject=subject))
    kept = {f"{each['resourceType']}/{each['id']}" for each in stated}
    gone = {name: value for name, value in names.items() if name not in kept}
    assert [each.done for each in writing.write(stated, gone)] == ["unchanged", *["updated"] * 4]
    assert [each.status for each in writing.withdraw(names, ANSWER)] == ["entered-in-error"] * 4
    assert {each.done for each in writing.withdraw(names, ANSWER)} == {"unchanged"}


def test_what_it_finds_invalid_is_refused_and_nothing_is_written(address: str) -> None:
    writing = FhirWriter(address, "fhir-server:medplum")
    resources = [dict(each) for each in answer_resources(answer())]
    resources[1]["prediction"] = [{"probabilityDecimal": "much"}]
    with pytest.raises(WriteError, match=r"status 400.*nothing was written"):
        writing.write(resources)
    assert [each.done for each in writing.write(answer_resources(answer()))] == ["created"] * 5
