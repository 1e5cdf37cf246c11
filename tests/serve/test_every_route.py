"""What holds for every route: no identifier outside answers, a queue that ends, nothing mixed up."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from prognosis.errors import BusyError, InputError, SourceError
from prognosis.serve.settings import ServiceSettings
from prognosis.serve.turns import Turns
from tests.serve.hospital import FHIR, VIEW, Hospital, cds_token, rest_token, running
from tests.simulated import Simulated

CANARY = "canary-7f3a91"


def test_no_identifier_reaches_logs_metrics_or_errors(
    hospital: Hospital, caplog: pytest.LogCaptureFixture, patient: str
) -> None:
    caplog.set_level(logging.INFO, "httpcore")  # the client of this test, which is not the service
    caplog.set_level(logging.WARNING, "httpx")
    with caplog.at_level(logging.DEBUG):
        answers = [
            hospital.http.get(f"/risk/{CANARY}", headers=rest_token()),
            hospital.http.get(f"/risk/{CANARY}?site={CANARY}", headers=rest_token()),
            hospital.http.get(f"/explain/{CANARY}", headers=rest_token("")),
            hospital.http.get(f"/{CANARY}", headers=rest_token()),
            hospital.http.request(CANARY, "/risk/x", headers=rest_token()),
            hospital.http.get(f"/risk/{CANARY}", headers={"Authorization": f"Bearer {CANARY}.x.y"}),
            hospital.http.get("/risk/x", headers=rest_token(patient=CANARY)),
            hospital.call({"patientId": CANARY}, cds_token()),
            hospital.call({"patientId": f"{CANARY}!"}, cds_token()),
            hospital.call({"patientId": "x"}, cds_token(), fhirServer=f"https://{CANARY}.example"),
            hospital.call({"patientId": "x"}, cds_token(), prefetch={CANARY: CANARY, "patient": CANARY}),
            hospital.call({"patientId": "x"}, cds_token(), **{CANARY: 1, "hook": CANARY}),
            hospital.http.post(
                f"/cds-services/{CANARY}", json={}, headers=cds_token(f"/cds-services/{CANARY}")
            ),
        ]
        answers.append(hospital.http.get("/metrics"))
        hospital.http.get(f"/risk/{patient}", headers=rest_token())
    for answer in answers:
        assert CANARY not in answer.text
    assert len(caplog.records) >= len(answers)
    assert CANARY not in caplog.text
    assert patient not in caplog.text
    for path in hospital.folder.iterdir():
        assert CANARY.encode() not in path.read_bytes(), path.name
        assert CANARY not in path.name


class Failing:
    """Sources of which something goes wrong, and the message says about whom."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def find(self, patient: str, site: str | None) -> object:
        raise self.error


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SourceError(CANARY, CANARY, CANARY), 502),
        (InputError(CANARY, CANARY, CANARY), 422),
        (RuntimeError(CANARY), 500),
        (KeyError(CANARY), 500),
    ],
)
def test_an_error_is_told_by_kind_and_never_in_its_own_words(
    desk: Hospital, caplog: pytest.LogCaptureFixture, error: Exception, status: int
) -> None:
    records, desk.service.records = desk.service.records, Failing(error)
    try:
        with caplog.at_level(logging.DEBUG, "prognosis.serve"):
            answer = desk.http.get("/risk/x")
    finally:
        desk.service.records = records
    assert answer.status_code == status
    assert CANARY not in answer.text + caplog.text
    assert type(error).__name__ in caplog.text
    assert answer.json()["instance"].removeprefix("urn:uuid:") in caplog.text


def test_a_body_that_is_too_large_is_refused(desk: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prognosis.serve.front.LARGEST_BODY", 1000)
    assert desk.http.post(f"/cds-services/{VIEW}", content=b"x" * 2000).status_code == 413


def test_beyond_the_queue_a_call_is_told_to_come_again_and_the_rest_is_answered() -> None:
    turns, release = Turns("test", 1, 2), threading.Event()

    async def crowd() -> list[object]:
        calls = [asyncio.create_task(turns.run(lambda: release.wait(10))) for _ in range(5)]
        await asyncio.sleep(0.05)
        release.set()
        return await asyncio.gather(*calls, return_exceptions=True)

    found = asyncio.run(crowd())
    assert [isinstance(each, BusyError) for each in found] == [False] * 3 + [True] * 2
    assert not turns.taken
    turns.close()


def test_a_call_whose_client_has_gone_keeps_its_place_until_it_ends() -> None:
    turns, release = Turns("test", 1, 0), threading.Event()

    async def leave() -> None:
        call = asyncio.create_task(turns.run(lambda: release.wait(10)))
        await asyncio.sleep(0.05)
        call.cancel()
        await asyncio.sleep(0)
        assert turns.taken == 1
        with pytest.raises(BusyError):
            await turns.run(lambda: None)
        release.set()

    asyncio.run(leave())
    turns.close()
    assert not turns.taken


def test_a_busy_service_says_when_to_come_again(small: Simulated, tmp_path: Path) -> None:
    patients = [case.record.patient_id for case in small.complete]
    with running(small, tmp_path, ServiceSettings(waiting=1)) as own, ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda each: own.http.get(f"/risk/{each}"), patients[:12]))
        statuses = {answer.status_code for answer in answers}
        assert statuses == {200, 503}
        assert all(answer.headers["retry-after"] == "2" for answer in answers if answer.status_code == 503)


def test_a_service_that_is_told_to_end_finishes_what_it_was_asked(
    small: Simulated, tmp_path: Path, patient: str
) -> None:
    answers: list[int] = []
    with running(small, tmp_path, ServiceSettings.model_validate({"fhir_servers": [{"base": FHIR}]})) as own:
        find = own.service.records.find

        class Slow:
            def find(self, patient: str, site: str | None) -> object:
                time.sleep(0.5)
                return find(patient, site)

        own.service.records = Slow()
        asking = threading.Thread(
            target=lambda: answers.append(httpx.get(f"{own.url}/risk/{patient}", trust_env=False).status_code)
        )
        asking.start()
        time.sleep(0.2)
    asking.join()
    assert answers == [200]


def test_requests_side_by_side_are_each_answered_about_their_own_patient(
    desk: Hospital, small: Simulated
) -> None:
    patients = [case.record.patient_id for case in small.complete[:8]] * 30
    with ThreadPoolExecutor(16) as pool:
        told = list(pool.map(lambda each: desk.http.get(f"/risk/{each}").json()["patient"], patients))
    assert told == patients
