"""What is written is there once, whole and as it was given, or it is said that it is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connectors.fhir import FhirWriter
from connectors.fhir.mapping import ANSWER
from prognosis.errors import SourceError, WriteError
from tests.connectors.fhir.ledger import Ledger, ledger, writer
from tests.connectors.fhir.resources import Resource
from tests.connectors.fhir.ward import Request, reply

Faulty = Callable[[bytes], bytes]
UNCLEAR: dict[str, Faulty] = {
    "reset": lambda _: b"",
    "half of the answer": lambda good: good[: len(good) // 2],
    "500": lambda _: reply(b"", "500 Internal Server Error"),
    "503 with seconds": lambda _: reply(b"", "503 Service Unavailable", Retry_After="1"),
    "429": lambda _: reply(b"", "429 Too Many Requests"),
    "409": lambda _: reply(b"", "409 Conflict"),
}


def resource(kind: str = "RiskAssessment", value: str = "a", **more: object) -> Resource:
    identifier = [{"system": ANSWER, "value": value}]
    start = {
        "resourceType": kind,
        "id": f"prognosis-{value}",
        "identifier": identifier,
        "status": "preliminary",
    }
    return {
        **start,
        "subject": {"reference": "Patient/anna"},
        "prediction": [{"probabilityDecimal": 7.1}],
        **more,
    }


ANSWERS = [resource(), resource("Observation", "b"), resource("DiagnosticReport", "c")]


class Failing:
    """Answers so many transactions with a fault."""

    def __init__(self, fault: Faulty, times: int) -> None:
        self.fault, self.times = fault, times

    def __call__(self, request: Request, good: bytes) -> bytes:
        if request.method != "POST" or request.form or self.times == 0:
            return good
        self.times -= 1
        return self.fault(good)

    def before(self, request: Request) -> bytes | None:
        given = self(request, reply(b"{}"))
        return None if given == reply(b"{}") else given


def done(writing: FhirWriter, *resources: Resource) -> list[str]:
    return [each.done for each in writing.write(resources)]


def test_what_is_written_twice_is_written_once() -> None:
    server = ledger()
    with writer(server) as writing:
        assert done(writing, *ANSWERS) == ["created"] * 3
        assert done(writing, *ANSWERS) == ["unchanged"] * 3
        assert done(writing, ANSWERS[0], resource("Observation", "b", note=[{"text": "more"}])) == [
            *("unchanged", "updated")
        ]
    assert server.transactions == 2
    assert [server.version_of(each) for each in ANSWERS] == ["1", "2", "1"]
    assert all(request.headers["authorization"] == "Bearer secret" for request in server.requests)


@pytest.mark.parametrize("effect", ["before it took effect", "after it took effect"])
@pytest.mark.parametrize("fault", UNCLEAR.values(), ids=UNCLEAR.keys())
def test_a_passing_fault_neither_loses_nor_repeats_a_write(fault: Faulty, effect: str) -> None:
    failing = Failing(fault, times=2)
    early = effect.startswith("before")
    server = ledger(before=failing.before) if early else ledger(damage=failing)
    with writer(server) as writing:
        assert done(writing, *ANSWERS) == ["created"] * 3
    assert [server.version_of(each) for each in ANSWERS] == ["1"] * 3
    assert server.transactions == (3 if early else 1)


@pytest.mark.parametrize("fault", UNCLEAR.values(), ids=UNCLEAR.keys())
def test_a_lasting_fault_ends_with_nothing_written_and_says_so(fault: Faulty) -> None:
    server = ledger(before=Failing(fault, times=100).before)
    with writer(server) as writing, pytest.raises(WriteError, match="in 3 attempts; nothing was written"):
        writing.write(ANSWERS)
    assert server.held == {}
    assert server.transactions == 3


def test_a_write_of_which_no_answer_ever_comes_is_found_to_be_there() -> None:
    server = ledger(damage=Failing(lambda _: b"", times=100))
    with writer(server) as writing:
        assert done(writing, *ANSWERS) == ["created"] * 3
    assert server.transactions == 1


@pytest.mark.parametrize(
    "status",
    ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "307 Temporary Redirect", "422 Unprocessable"],
)
def test_what_is_refused_is_sent_once_and_nothing_is_written(status: str) -> None:
    outcome = b'{"resourceType":"OperationOutcome","issue":[{"code":"invariant","diagnostics":"anna"}]}'
    server = ledger(before=lambda _: reply(outcome, status, Location="https://elsewhere.example.org/"))
    with writer(server) as writing, pytest.raises(WriteError, match="nothing was written") as caught:
        writing.write(ANSWERS)
    assert f"status {status[:3]} (invariant)" in str(caught.value)
    assert "anna" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert server.transactions == 1


def test_a_success_that_stored_nothing_is_found_out() -> None:
    with writer(ledger(keep=lambda _: None)) as writing, pytest.raises(WriteError, match="does not hold it"):
        writing.write(ANSWERS)


def test_a_server_that_keeps_something_else_is_found_out() -> None:
    server = ledger(keep=lambda given: {**given, "prediction": [{"probabilityDecimal": 0.071}]})
    with (
        writer(server) as writing,
        pytest.raises(WriteError, match=r"another prediction\.0\.probabilityDecimal than was written"),
    ):
        writing.write(ANSWERS)


def test_a_label_that_a_server_drops_is_missed() -> None:
    labelled = resource(meta={"security": [{"system": "s", "code": "AIAST"}]})
    server = ledger(keep=lambda given: {k: v for k, v in given.items() if k != "meta"})
    with writer(server) as writing, pytest.raises(WriteError, match=r"another meta\.security"):
        writing.write([labelled])


def test_a_number_in_other_last_digits_and_a_narrative_are_no_difference() -> None:
    def keep(given: Resource) -> Resource:
        return {
            **given,
            "prediction": [{"probabilityDecimal": 7.1000000000000001}],
            "text": {"status": "generated"},
        }

    with writer(ledger(keep=keep)) as writing:
        assert done(writing, *ANSWERS) == ["created"] * 3
        assert done(writing, *ANSWERS) == ["unchanged"] * 3


def test_a_transaction_of_which_a_part_was_kept_is_told() -> None:
    server = ledger()

    def half(_: Request) -> bytes:
        server.put(ANSWERS[0])
        return reply(b"", "400 Bad Request")

    server.before = half
    with writer(server) as writing, pytest.raises(WriteError, match="1 of 3 resources changed all the same"):
        writing.write(ANSWERS)


def test_what_another_wrote_in_between_is_not_lost() -> None:
    server = ledger()
    changed = resource(note=[{"text": "ours, newer"}])

    def meddling(status: str) -> Callable[[Request], None]:
        def meddle(_: Request) -> None:
            server.before = lambda _: None
            server.put(resource(status=status, note=[{"text": "theirs"}]))

        return meddle

    with writer(server) as writing:
        writing.write([resource()])
        server.before = meddling("preliminary")
        assert done(writing, changed) == ["updated"]
        assert server.version_of(changed) == "3"
        server.before = meddling("final")
        with pytest.raises(WriteError, match="out of the status preliminary"):
            writing.write([resource(note=[{"text": "ours, newest"}])])
    assert server.held["RiskAssessment/prognosis-a"]["note"] == [{"text": "theirs"}]


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (resource(identifier=[{"system": "urn:theirs", "value": "a"}]), "not written by prognosis"),
        (resource(status="final", note=[{"text": "theirs"}]), "out of the status preliminary"),
        (resource(status="entered-in-error"), "was retracted, and is not written again"),
    ],
)
def test_what_is_not_ours_to_change_stays_and_nothing_else_is_written(held: Resource, why: str) -> None:
    server = ledger()
    server.put(held)
    with writer(server) as writing, pytest.raises(WriteError, match=why):
        writing.write(ANSWERS)
    assert server.transactions == 0
    assert list(server.held) == ["RiskAssessment/prognosis-a"]


def test_an_answer_that_a_person_made_final_is_there_and_stays_final() -> None:
    server = ledger()
    with writer(server) as writing:
        writing.write(ANSWERS)
        server.put(resource(status="final"))
        told = writing.write(ANSWERS)
    assert (told[0].done, told[0].status) == ("unchanged", "final")
    assert server.transactions == 1


def test_a_server_without_versions_is_not_updated() -> None:
    server = ledger(versions=False)
    server.put(resource())
    with writer(server) as writing, pytest.raises(WriteError, match="without a version"):
        writing.write([resource(note=[{"text": "new"}])])


def test_a_version_that_is_no_text_is_no_version() -> None:
    server = ledger()
    server.held["RiskAssessment/prognosis-a"] = {**resource(), "meta": {"versionId": 1}}
    with writer(server) as writing, pytest.raises(WriteError, match="without a version"):
        writing.write([resource(note=[{"text": "new"}])])


def test_two_resources_of_one_name_are_a_fault_of_the_program() -> None:
    with writer(ledger()) as writing, pytest.raises(ValueError, match="one name"):
        writing.write([resource(), resource()])


def names_of(*resources: Resource) -> dict[str, str]:
    return {f"{each['resourceType']}/{each['id']}": each["identifier"][0]["value"] for each in resources}


def test_a_retraction_marks_what_is_ours_and_a_second_does_nothing_more() -> None:
    server = ledger()
    theirs = resource("Observation", "b", identifier=[{"system": "urn:theirs", "value": "b"}])
    for each in (ANSWERS[0], theirs):
        server.put(each)
    server.put(resource(value="other"))
    with writer(server) as writing:
        told = writing.withdraw(names_of(*ANSWERS), ANSWER)
        assert [(each.done, bool(each.version)) for each in told] == [
            *[("updated", True), ("unchanged", True), ("unchanged", False)]
        ]
        assert {each.done for each in writing.withdraw(names_of(*ANSWERS), ANSWER)} == {"unchanged"}
    assert server.transactions == 1
    assert [each["status"] for each in server.held.values()] == [
        *("entered-in-error", "preliminary", "preliminary")
    ]
    assert server.held["RiskAssessment/prognosis-a"]["prediction"] == ANSWERS[0]["prediction"]


def test_an_answer_that_is_no_more_is_withdrawn_with_the_one_that_takes_its_place() -> None:
    server = ledger()
    with writer(server) as writing:
        writing.write(ANSWERS)
        told = writing.write([resource(status="cancelled")], names_of(*ANSWERS[1:]))
    assert [each.done for each in told] == ["updated"] * 3
    assert [each["status"] for each in server.held.values()] == [
        *("cancelled", "entered-in-error", "entered-in-error")
    ]


def test_a_record_of_an_act_is_never_changed() -> None:
    server = ledger()
    first = {"resourceType": "Provenance", "id": "p", "recorded": "2020-03-02T09:30:00Z"}
    with writer(server) as writing:
        assert [each.done for each in writing.record([first])] == ["created"]
        assert [each.done for each in writing.record([{**first, "recorded": "2021-01-01T00:00:00Z"}])] == [
            "unchanged"
        ]
    assert server.held["Provenance/p"]["recorded"] == "2020-03-02T09:30:00Z"


def test_a_server_that_cannot_be_read_is_not_written_to() -> None:
    server = ledger(damage=lambda request, good: good if request.method == "POST" else reply(b"{", "200 OK"))
    with writer(server) as writing, pytest.raises(SourceError, match="is not JSON"):
        writing.write(ANSWERS)
    assert server.transactions == 0


def test_the_server_of_these_tests_is_atomic_by_itself() -> None:
    server: Ledger = ledger()
    server.put(ANSWERS[0])
    late = {"method": "PUT", "url": "RiskAssessment/prognosis-a", "ifMatch": 'W/"9"'}
    early = {"method": "PUT", "url": "Observation/prognosis-b"}
    entries = [{"resource": ANSWERS[1], "request": early}, {"resource": ANSWERS[0], "request": late}]
    assert b"412" in server.transaction({"entry": entries})
    assert list(server.held) == ["RiskAssessment/prognosis-a"]
