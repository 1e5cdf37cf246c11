"""What a FHIR server gives becomes records whole, or a typed error; never a part without a word."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections import Counter
from pathlib import Path
from threading import Event

import pytest

from connectors.fhir.http.limits import Limits
from connectors.fhir.http.retry import RetryPolicy
from prognosis.errors import SourceError
from tests.connectors.fhir.resources import Resource, about_victim, line, observation, patient, read_folder
from tests.connectors.fhir.ward import (
    FACTS,
    PATIENTS,
    Request,
    Ward,
    capability,
    pull,
    reply,
    searchset,
)

WHOLE = [*PATIENTS, *FACTS]


def from_folder(folder: Path, resources: list[Resource]):
    (folder / "all.ndjson").write_bytes(b"\n".join(line(each) for each in resources))
    return read_folder(folder)


def test_a_server_gives_the_records_that_a_folder_of_the_same_resources_gives(tmp_path: Path) -> None:
    records, quarantine = pull(Ward(WHOLE))
    expected, set_aside = from_folder(tmp_path, WHOLE)
    assert records == expected
    assert quarantine.accepted == set_aside.accepted == Counter(Patient=3, Observation=9)
    assert not quarantine.rejections


def test_records_can_be_pulled_where_an_event_loop_runs_already_as_in_a_notebook() -> None:
    async def cell() -> int:
        return len(pull(Ward(WHOLE))[0])

    assert asyncio.run(cell()) == 3


def test_what_was_expected_was_received_or_set_aside(tmp_path: Path) -> None:
    resources = [*WHOLE, observation("no-time", "Patient/anna", effectiveDateTime=None, issued=None)]
    records, quarantine = pull(Ward(resources))
    assert records == from_folder(tmp_path, resources)[0]
    assert [each.reference for each in quarantine] == ["Observation/no-time"]
    assert quarantine.accepted.total() + len(quarantine) == len(resources)


def test_ids_of_patients_stay_out_of_addresses_that_the_client_makes() -> None:
    ward = Ward(WHOLE)
    pull(ward)
    searches = [each for each in ward.requests if each.place.endswith("/_search")]
    assert {each.method for each in searches} == {"POST"}
    assert all("?" not in each.target for each in searches)
    assert all(each.headers["prefer"] == "handling=strict" for each in searches)
    assert {each.form["patient"] for each in searches if each.place.startswith("Obs")} == {"anna,ben", "zoe"}


def test_nothing_that_names_a_patient_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        pull(Ward(WHOLE))
    logged = "\n".join(f"{each.getMessage()} {each.args}" for each in caplog.records)
    assert "127.0.0.1" in logged
    assert not [word for word in ("anna", "zoe", "crp-", "secret") if word in logged]


def test_a_replaced_patient_s_facts_are_asked_for_too(tmp_path: Path) -> None:
    link = [{"other": {"reference": "Patient/maiden"}, "type": "replaces"}]
    old = patient("maiden", link=[{"other": {"reference": "Patient/anna"}, "type": "replaced-by"}])
    resources = [patient("anna", link=link), old, observation("before", "Patient/maiden")]
    records, _ = pull(Ward(resources))
    assert records == from_folder(tmp_path, resources)[0]
    assert [(each.patient_id, len(each.events)) for each in records] == [("anna", 1)]


def test_a_drug_named_by_reference_is_fetched(tmp_path: Path) -> None:
    drug = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "161"}]}
    order = about_victim(
        "MedicationRequest",
        status="active",
        intent="order",
        authoredOn="2020-03-01T07:00:00Z",
        medicationReference={"reference": "Medication/m1"},
    )
    resources = [patient(), order, {"resourceType": "Medication", "id": "m1", "code": drug}]
    records, quarantine = pull(Ward(resources))
    assert records == from_folder(tmp_path, resources)[0]
    assert [event.code.value for event in records[0].events] == ["161"]
    assert quarantine.accepted == Counter(Patient=1, MedicationRequest=1, Medication=1)


def answered(place: str, answer: bytes | Resource):
    """Damage: one place always answers so."""
    content = answer if isinstance(answer, bytes) else reply(answer)
    return lambda request, good: content if request.place == place else good


OBSERVATIONS = "Observation/_search"
TWICE = observation("crp-0-anna", "Patient/anna")
REFUSED = {
    "pages in a circle": (answered("Observation", searchset([], "Observation?from=2")), "read before"),
    "another host": (answered(OBSERVATIONS, searchset([], "https://evil.example/fhir?a")), "another scheme"),
    "another port": (answered(OBSERVATIONS, searchset([], "http://127.0.0.1:1/fhir")), "another scheme"),
    "another scheme": (answered(OBSERVATIONS, searchset([], "file:///etc/hosts")), "another scheme"),
    "no scheme": (answered(OBSERVATIONS, searchset([], "//evil.example/fhir")), "another scheme"),
    "a host in the credentials": (
        answered(OBSERVATIONS, searchset([], "http://127.0.0.1@evil.example/")),
        "another scheme",
    ),
    "two next pages": (
        answered(
            OBSERVATIONS, searchset([]) | {"link": [{"relation": "next", "url": each} for each in ("a", "b")]}
        ),
        "not one URL",
    ),
    "a redirect": (
        answered(OBSERVATIONS, reply(b"", "307 Temporary Redirect", Location="https://evil.example/")),
        "status 307",
    ),
    "fewer than the total": (answered(OBSERVATIONS, searchset([], total=4)), "said 4 resources and gave 0"),
    "a total that is no count": (answered(OBSERVATIONS, searchset([]) | {"total": "4"}), "no count"),
    "a resource twice and no total": (answered(OBSERVATIONS, searchset([TWICE, TWICE])), "twice and no"),
    "other patients": (
        answered(OBSERVATIONS, searchset([observation(f"x{n}", "Patient/eve") for n in range(20)])),
        "not asked for",
    ),
    "a failure among the entries": (
        answered(
            OBSERVATIONS,
            searchset(
                [],
                entries=[
                    {
                        "resource": {
                            "resourceType": "OperationOutcome",
                            "issue": [{"severity": "error", "code": "incomplete", "diagnostics": "anna"}],
                        }
                    }
                ],
            ),
        ),
        "failed (incomplete)",
    ),
    "an outcome for a page": (answered(OBSERVATIONS, {"resourceType": "OperationOutcome"}), "no searchset"),
    "half of the JSON": (answered(OBSERVATIONS, reply(b'{"resourceType":"Bund')), "is not JSON"),
    "a length too short": (answered(OBSERVATIONS, reply(searchset([TWICE]), length=40)), "is not JSON"),
    "a body that is no gzip": (
        answered(OBSERVATIONS, reply(b"{}", Content_Encoding="gzip")),
        "cannot be read",
    ),
    "a huge page": (answered(OBSERVATIONS, reply(b" " * 300_000)), "more than 0.25 MiB"),
    "a page that inflates": (
        answered(OBSERVATIONS, reply(gzip.compress(b" " * 10_000_000), Content_Encoding="gzip")),
        "more than 0.25 MiB",
    ),
    "another version": (answered("metadata", capability("Patient", version="5.0.0")), "not state FHIR R4"),
    "no search for patients": (answered("metadata", capability("Observation")), "no search for Patient"),
    "no patient": (answered("Patient/_search", searchset([], total=0)), "holds no Patient"),
}


@pytest.mark.parametrize(("damage", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_whole_is_a_typed_error_that_names_no_patient(damage, why: str) -> None:
    with pytest.raises(SourceError, match=r"127\.0\.0\.1|fhir-server") as caught:
        pull(Ward(WHOLE, damage), limits=Limits(answer_bytes=2**18))
    assert why in str(caught.value)
    assert not [word for word in ("anna", "patient=", "secret", "?") if word in str(caught.value)]


def test_pages_that_never_end_and_bring_nothing_new_are_refused() -> None:
    numbers = iter(range(1000))

    def damage(request: Request, good: bytes) -> bytes:
        endless = request.place.startswith("Observation")
        return reply(searchset([TWICE], f"Observation?page={next(numbers)}", 9)) if endless else good

    with pytest.raises(SourceError, match="nothing new"):
        pull(Ward(WHOLE, damage))


def test_a_resource_on_two_pages_is_used_once_where_the_total_shows_that_none_is_missing() -> None:
    twice = searchset([*FACTS[:6], FACTS[0]], total=6)
    first = [observation(f"crp-{n}-zoe", "Patient/zoe") for n in range(3)]

    def damage(request: Request, good: bytes) -> bytes:
        if request.place != OBSERVATIONS:
            return good
        return reply(searchset(first, total=3) if request.form["patient"] == "zoe" else twice)

    records, quarantine = pull(Ward(WHOLE, damage))
    assert [len(each.events) for each in records] == [3, 3, 3]
    assert any("more than once with the same content" in each for each in quarantine.notices)


def test_warnings_and_what_was_not_searched_for_are_counted_and_not_used() -> None:
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "warning", "code": "suppressed", "diagnostics": "anna"}],
    }
    extra = [
        {"resource": outcome, "search": {"mode": "outcome"}},
        {"resource": patient("eve"), "search": {"mode": "include"}},
        {"resource": observation("late", "Patient/eve")},
        {"fullUrl": "http://x/1"},
    ]
    ward = Ward(PATIENTS[:1], answered(OBSERVATIONS, searchset([FACTS[0]], entries=extra, total=3)))
    records, quarantine = pull(ward)
    assert [(each.patient_id, len(each.events)) for each in records] == [("anna", 1)]
    assert quarantine.notices["Observation: the server adds to its answer: warning (suppressed)"] == 1
    assert quarantine.notices["Observation: resources that were not searched for: not used"] == 1
    assert [each.problem for each in quarantine] == [
        "holds no resource",
        "is about a patient that was not asked for",
    ]
    assert "anna" not in json.dumps(list(quarantine.notices))


def test_a_type_that_the_server_cannot_search_is_noticed() -> None:
    _, quarantine = pull(Ward(WHOLE))
    assert quarantine.notices["ImagingStudy: the server offers no search for it: none was read"] == 1


def test_a_server_that_stops_speaking_is_left_at_the_deadline() -> None:
    release = Event()

    def damage(request: Request, good: bytes) -> bytes:
        if request.place == OBSERVATIONS:
            release.wait(30)
        return good

    try:
        with pytest.raises(SourceError, match="no whole answer within"):
            pull(Ward(WHOLE, damage), RetryPolicy(deadline_s=0.5))
    finally:
        release.set()
