"""A chart that was not sent is read from the EHR's FHIR server, with its token, and no other patient's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from prognosis.serve.settings import ServiceSettings
from tests.connectors.fhir.resources import patient as a_patient
from tests.connectors.fhir.ward import FACTS, PATIENTS, Request, Ward, opened, reply, searchset
from tests.serve.hospital import Hospital, running
from tests.simulated import Simulated

TOKEN = {"access_token": "of-this-call-only", "token_type": "Bearer"}


def linked(request: Request, good: bytes) -> bytes:
    """Nobody links to anybody."""
    return reply(searchset([], total=0)) if "link" in request.form else good


@pytest.fixture(scope="module")
def ward() -> Iterator[Ward]:
    with opened(Ward([*PATIENTS, *FACTS], damage=linked)) as found:
        yield found


@pytest.fixture(scope="module")
def beside(ward: Ward, small: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    settings = ServiceSettings.model_validate({"fhir_servers": [{"base": ward.address}]})
    with running(small, tmp_path_factory.mktemp("beside"), settings) as found:
        yield found


def test_the_chart_is_read_with_the_token_of_the_call(ward: Ward, beside: Hospital) -> None:
    ward.requests.clear()
    answer = beside.call({"patientId": "anna"}, fhirServer=f"{ward.address}/", fhirAuthorization=TOKEN)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["cards"]) == 1
    assert {each.headers["authorization"] for each in ward.requests} == {"Bearer of-this-call-only"}
    told = json.dumps([(each.target, each.form) for each in ward.requests])
    assert "anna" in told
    assert "ben" not in told
    for path in beside.folder.iterdir():
        assert b"of-this-call-only" not in path.read_bytes()


def test_without_a_token_nothing_is_asked(ward: Ward, beside: Hospital) -> None:
    ward.requests.clear()
    assert beside.call({"patientId": "ben"}, fhirServer=ward.address).status_code == 412
    assert not ward.requests


@pytest.mark.parametrize("damaged", ["nobody", "down", "everyone", "another"])
def test_a_chart_that_cannot_be_had_whole_is_a_precondition_that_failed(
    ward: Ward, beside: Hospital, damaged: str
) -> None:
    def damage(request: Request, good: bytes) -> bytes:
        if damaged == "down":
            return reply({}, "500 Internal Server Error")
        if damaged == "another" and "_id" in request.form and request.place.startswith("Patient"):
            return reply(searchset([a_patient("ben")], total=1))
        return good if damaged == "everyone" else linked(request, good)

    ward.damage = damage
    try:
        asked = "stranger" if damaged == "nobody" else "zoe"
        answer = beside.call({"patientId": asked}, fhirServer=ward.address, fhirAuthorization=TOKEN)
        assert answer.status_code == 412
        assert asked not in answer.text
    finally:
        ward.damage = linked


def test_a_server_that_is_not_in_the_settings_is_never_asked(
    ward: Ward, small: Simulated, tmp_path: Path
) -> None:
    ward.requests.clear()
    with running(small, tmp_path, ServiceSettings()) as own:
        told = own.call({"patientId": "anna"}, fhirServer=ward.address, fhirAuthorization=TOKEN)
        assert told.status_code == 403
    assert not ward.requests
