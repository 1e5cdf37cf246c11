"""A thousand identifiers through every route: none in a log, an error, a metric or the name of a file."""

from __future__ import annotations

import http.client
import json
import logging
import socket
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from prognosis.errors import InputError, SourceError
from prognosis.serve.settings import ServiceSettings
from tests.connectors.dicom.films import write
from tests.connectors.dicom.web.double import archive
from tests.connectors.fhir.resources import observation
from tests.connectors.fhir.resources import patient as a_patient
from tests.connectors.fhir.ward import Request, Ward, opened, reply, searchset
from tests.serve.canaries import (
    CANARIES,
    EVERY,
    Heard,
    chunks,
    entries,
    every_logger,
    found_in,
    names_under,
    patients,
    study_uid,
)
from tests.serve.hospital import EHR, SECRET, VIEW, Hospital, cds_token, rest_token, running, settings_of
from tests.serve.test_every_route import Failing
from tests.simulated import Simulated

THERE = 12
FEEDBACK = f"/cds-services/{VIEW}/feedback"


@dataclass
class Told:
    """What clients were told, by whether it may hold what the record holds.

    Attributes:
        answers: Bodies of answers to those who may have them.
        refusals: Status line, headers and bodies of every other answer.
        statuses: How often each status was given.
    """

    answers: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)


@dataclass
class Asking:
    """A client that logs nothing, so that what is logged is the service's."""

    hospital: Hospital
    told: Told = field(default_factory=Told)

    def ask(self, path: str, headers: Mapping[str, str], body: Any = None, method: str = "") -> int:
        host = self.hospital.url.removeprefix("http://")
        line = http.client.HTTPConnection(host, timeout=60)
        content = None if body is None else json.dumps(body)
        given = {**headers, "Content-Type": "application/json"}
        line.request(method or ("GET" if body is None else "POST"), quote(path, "/?=&"), content, given)
        answer = line.getresponse()
        text = answer.read().decode()
        line.close()
        self.told.statuses[answer.status] = self.told.statuses.get(answer.status, 0) + 1
        if answer.status < 400 and path != "/metrics":
            self.told.answers.append(text)
        else:
            self.told.refusals.append(f"{answer.reason} {answer.getheaders()} {text}")
        return answer.status

    def call(self, patient: str, **more: Any) -> int:
        hook = {"hook": "patient-view", "hookInstance": str(uuid.uuid4())}
        context = {"userId": "Practitioner/1", "patientId": patient}
        return self.ask(f"/cds-services/{VIEW}", cds_token(), {**hook, "context": context, **more})


@dataclass(frozen=True, slots=True)
class Passed:
    """What was left behind when all canaries had gone through."""

    heard: Heard
    told: Told
    files: str
    audit: str


def those_who_are_there(asking: Asking) -> None:
    """Answers about patients with canaries everywhere in their charts."""
    for number in range(THERE):
        patient = CANARIES["pat"][number]
        assert asking.ask(f"/risk/{patient}", rest_token()) == 200
        assert asking.ask(f"/explain/{patient}", rest_token(patient=patient, scope="patient/*.read")) == 200
        assert asking.call(patient) == 200


def every_path(asking: Asking) -> None:
    """All canaries in each part of an address, and as who is meant by a token."""
    for some in chunks(EVERY, 8):
        named = ".".join(some)
        asking.ask(f"/risk/{named}", {})
        asking.ask(f"/risk/{named}", rest_token())
        asking.ask(f"/risk/x?site={named}", rest_token())
        asking.ask(f"/explain/{named}", rest_token(scope="system/RiskAssessment.read"))
        asking.ask(f"/cohorts?{named}={named}", rest_token(patient=named, iss=f"https://{named}.example"))
        asking.ask(f"/{named}", rest_token(patient=named), {"a": named})
        asking.ask(f"/health?x={named}", {"Cookie": named, "Referer": f"https://ehr/{named}"})
    for some in chunks(EVERY, 3):
        asking.call(".".join(some))
        asking.ask(f"/cds-services/{'.'.join(some)}", cds_token(f"/cds-services/{'.'.join(some)}"), {})


def every_body(asking: Asking) -> None:
    """All canaries at once in each body and header that is taken."""
    everything = {each: each for each in EVERY}
    asking.call("x", prefetch={**everything, "patient": EVERY[0]})
    asking.call("x", prefetch={"documentReference": {"resourceType": "Bundle", "entry": entries(EVERY)}})
    asking.call("x", fhirServer=f"https://{EVERY[0]}.example", fhirAuthorization=everything)
    asking.ask(f"/cds-services/{VIEW}", cds_token(), {**everything, "hook": EVERY})
    stated = {"outcome": "overridden", "outcomeTimestamp": "2026-03-02T12:05:31Z", "card": str(uuid.uuid4())}
    sent = {"feedback": [{**stated, "overrideReason": everything}]}
    assert asking.ask(FEEDBACK, cds_token(FEEDBACK), sent) == 200
    asking.ask(FEEDBACK, cds_token(FEEDBACK), {"feedback": EVERY})
    asking.ask("/notifications", {"Authorization": f"Bearer {EVERY[0]}"}, everything)
    assert asking.ask("/notifications", {"Authorization": f"Bearer {SECRET}"}, everything) == 202
    for some in chunks(EVERY, 100):
        asking.ask("/risk/x", {"Authorization": f"Bearer {'.'.join(some[:3])}", "X-Patient": " ".join(some)})


def failures(asking: Asking) -> None:
    """Errors whose own words are canaries, and requests that are no HTTP."""
    service = asking.hospital.service
    records = service.records
    errors = [SourceError, InputError, RuntimeError, KeyError]
    for number, some in enumerate(chunks(EVERY, 50)):
        kind: Any = errors[number % len(errors)]
        words = some if issubclass(kind, InputError) else (" ".join(some),)
        error = kind(" ".join(words), "", "") if issubclass(kind, InputError) else kind(*words)
        service.records = Failing(error)
        try:
            assert asking.ask(f"/risk/{some[0]}", rest_token()) >= 422
        finally:
            service.records = records
    host, port = asking.hospital.url.removeprefix("http://").split(":")
    for line in (f"GET /risk/{EVERY[0]} HTTP/9.9\r\n\r\n", f"{EVERY[1]}\r\n\r\n", f"GET /{EVERY[2]}"):
        with socket.create_connection((host, int(port)), 10) as raw:
            raw.sendall(line.encode())
            raw.shutdown(socket.SHUT_WR)
            asking.told.refusals.append(raw.recv(65_536).decode())


def an_ehrs_chart(asking: Asking, ward: Ward) -> None:
    """A chart that is read from the EHR's server, whose pages name the patient in their addresses."""
    token = {"access_token": CANARIES["mrn"][0], "token_type": "Bearer"}
    asked = {"fhirServer": ward.address, "fhirAuthorization": token}
    assert asking.call(CANARIES["pat"][THERE], **asked) == 200
    assert any(CANARIES["pat"][THERE] in each.target for each in ward.requests)
    ward.damage = lambda *_: reply({}, "500 Internal Server Error", Location=f"/{CANARIES['nam'][0]}")
    assert asking.call(CANARIES["pat"][THERE + 1], **asked) == 412


@pytest.fixture(scope="module")
def passed(small: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Passed]:
    """Everything asked once of one service, whose access log is on."""
    folder, held = tmp_path_factory.mktemp("canaries"), tmp_path_factory.mktemp("held")
    fhir = patients(small, folder / "fhir", THERE)
    film = write(folder / "film.dcm", 1, CANARIES["pat"][0], edit=lambda each: _of_study(each, study_uid(0)))
    strangers = [CANARIES["pat"][THERE], CANARIES["pat"][THERE + 1]]
    facts = [observation(f"o{n}-{each}", f"Patient/{each}") for each in strangers for n in range(5)]

    def linked(request: Request, good: bytes) -> bytes:
        return reply(searchset([], total=0)) if "link" in request.form else good

    ward = Ward([*map(a_patient, strangers), *facts], damage=linked)
    with pytest.MonkeyPatch.context() as patch, opened(ward), archive({study_uid(0): [film]}) as pacs:
        patch.setattr("tempfile.tempdir", str(held))
        settings = _settings(folder, ward.address)
        uris = (f"fhir-folder:{fhir}", f"dicomweb:{pacs.address}")
        with running(small, folder, settings, uris, access_log=True) as hospital, every_logger() as heard:
            asking = Asking(hospital)
            those_who_are_there(asking)
            every_path(asking)
            every_body(asking)
            failures(asking)
            an_ehrs_chart(asking, ward)
            for path in ("/metrics", "/ready", "/metadata", "/openapi.json", "/cds-services"):
                asking.ask(path, {})
            files = names_under(folder / "state", held)
            audit = "".join(
                each.read_bytes().decode("latin-1") for each in (folder / "state").glob("[at][uo]*.sqlite*")
            )
            assert any(study_uid(0) in path for _, path, _, _ in pacs.asked)
        yield Passed(heard, asking.told, files, audit)


def _of_study(dataset: Any, uid: str) -> None:
    dataset.StudyInstanceUID = uid


def _settings(folder: Path, ward: str) -> ServiceSettings:
    """The settings of the tests, with the EHR's server after the service's own."""
    stated = settings_of(folder).model_dump()
    stated["fhir_servers"] = [*stated["fhir_servers"], {"base": ward}]
    for client in stated["clients"]:
        if client["issuer"] == EHR:
            client["fhir_servers"] = [*client["fhir_servers"], ward]
    return ServiceSettings.model_validate(stated)


def test_every_canary_went_through_and_every_kind_of_answer_came(passed: Passed) -> None:
    assert len(set(EVERY)) == 1000
    assert {200, 202, 401, 403, 404, 412, 422, 500, 502} <= passed.told.statuses.keys()
    assert {"prognosis.serve", "httpx", "httpcore.http11", "uvicorn.error"} <= passed.heard.names
    assert set(CANARIES["pat"][:THERE]) <= found_in("".join(passed.told.answers))  # to those who may know


@pytest.mark.parametrize("left", [
    "logs", "refusals, errors and metrics", "names of files", "audit and tokens"])  # fmt: skip
def test_no_canary_is_left(passed: Passed, left: str) -> None:
    assert found_in(_left(passed)[left]) == set()
    assert _left(passed)[left]


def _left(passed: Passed) -> dict[str, str]:
    return {
        "logs": "\n".join(passed.heard.lines),
        "refusals, errors and metrics": "\n".join(passed.told.refusals),
        "names of files": passed.files,
        "audit and tokens": passed.audit,
    }


def test_no_line_of_a_log_holds_an_address_that_was_asked_for(passed: Passed) -> None:
    assert not [line for line in passed.heard.lines if "/risk/" in line and "{patient}" not in line]
    assert "uvicorn.access" not in passed.heard.names


def _logged(logger: str) -> Callable[[Path], str]:
    def plant(_: Path) -> str:
        with every_logger() as heard:
            logging.getLogger(logger).debug("asked for %s", EVERY[7])
        return "\n".join(heard.lines)

    return plant


def _raised(_: Path) -> str:
    with every_logger() as heard:
        try:
            int(EVERY[7])
        except ValueError:
            logging.getLogger("prognosis.serve").exception("failed")
    return "\n".join(heard.lines)


def _named(folder: Path) -> str:
    (folder / f"part-{EVERY[7]}.tmp").touch()
    return names_under(folder)


PLANTS = {
    "in a line": _logged("prognosis.serve"),
    "in a library's line": _logged("asyncio"),
    "in a traceback": _raised,
    "in the name of a file": _named,
    "in an error": lambda _: json.dumps({"detail": f"no patient {EVERY[7].upper()}"}),
    "in an address": lambda _: f"GET /risk/{EVERY[7]}?site=x 404",
}


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_a_canary_that_is_left_would_be_found(plant: Callable[[Path], str], tmp_path: Path) -> None:
    assert found_in(plant(tmp_path)) == {EVERY[7]}
