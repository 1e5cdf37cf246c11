"""Every fault at every kind of request: one is survived with nothing lost, a lasting one ends typed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from connectors.fhir import FhirServer
from prognosis.errors import SourceError
from prognosis.record import PatientRecord, Quarantine
from tests.connectors.fhir.ward import FACTS, PATIENTS, QUICK, Request, Ward, opened, pull, reply

WHOLE = [*PATIENTS, *FACTS]
PLACES = {"metadata": "metadata", "search": "Observation/_search", "page": "Observation"}
NOW, LATER = "Mon, 02 Mar 2020 07:00:00 GMT", "Mon, 02 Mar 2020 07:00:20 GMT"
PASSING = {
    "reset": lambda _: b"",
    "half of the answer": lambda good: good[: len(good) // 2],
    "a length too long": lambda good: good.replace(b"Content-Length: ", b"Content-Length: 9"),
    "no HTTP": lambda _: b"\x00\x01\x02\r\n\r\n",
    "500": lambda _: reply(b"", "500 Internal Server Error"),
    "502 in HTML": lambda _: reply(b"<html>anna</html>", "502 Bad Gateway"),
    "503 with seconds": lambda _: reply(b"", "503 Service Unavailable", Retry_After="1"),
    "429 with seconds": lambda _: reply(b"", "429 Too Many Requests", Retry_After="20"),
    "429 with a date": lambda _: reply(b"", "429 Too Many Requests", Retry_After=LATER, Date=NOW),
}


class Failing:
    """Answers one place with a fault, a number of times."""

    def __init__(self, place: str, fault: Callable[[bytes], bytes], times: int) -> None:
        self.place, self.fault, self.times = place, fault, times

    def __call__(self, request: Request, good: bytes) -> bytes:
        if request.place != self.place or self.times == 0:
            return good
        self.times -= 1
        return self.fault(good)


@cache
def without_faults() -> tuple[PatientRecord, ...]:
    return tuple(pull(Ward(WHOLE))[0])


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_a_passing_fault_loses_nothing(fault, place: str) -> None:
    failing = Failing(place, fault, times=2)
    records, quarantine = pull(Ward(WHOLE, failing), patients_at_once=3)
    assert failing.times == 0
    assert tuple(records) == without_faults()
    assert quarantine.accepted.total() + len(quarantine) == len(WHOLE)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_a_lasting_fault_ends_after_as_many_attempts_as_are_allowed(fault, place: str) -> None:
    failing = Failing(place, fault, times=1000)
    with pytest.raises(SourceError, match=r"in 3 attempts") as caught:
        pull(Ward(WHOLE, failing), patients_at_once=3)
    assert failing.times == 997
    assert "anna" not in str(caught.value)


@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "404 Not Found", "410 Gone"])
def test_what_is_refused_is_asked_once(status: str) -> None:
    outcome = b'{"resourceType":"OperationOutcome","issue":[{"code":"not-supported","diagnostics":"anna"}]}'
    failing = Failing("Observation/_search", lambda _: reply(outcome, status), times=1000)
    with pytest.raises(SourceError, match=f"status {status[:3]} .not-supported.;") as caught:
        pull(Ward(WHOLE, failing), patients_at_once=3)
    assert failing.times == 999
    assert "anna" not in str(caught.value)


def test_patients_before_a_failing_group_are_whole_and_none_of_the_group_is_given() -> None:
    def damage(request: Request, good: bytes) -> bytes:
        second = request.place == "Observation/_search" and request.form["patient"] == "zoe"
        return reply(b"", "500 Internal Server Error") if second else good

    given: list[PatientRecord] = []
    with opened(Ward(WHOLE, damage)) as ward:
        server = FhirServer(ward.address, "fhir-server:test", policy=QUICK, patients_at_once=2)
        records = server.records(Quarantine())
        given += [next(records), next(records)]
        with pytest.raises(SourceError, match="status 500"):
            next(records)
    assert tuple(given) == without_faults()[:2]
