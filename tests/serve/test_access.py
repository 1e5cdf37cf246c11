"""Who may ask, and what: every route against every way of not being allowed."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prognosis.errors import AccessError, ConfigError
from prognosis.serve.auth.grant import ANSWERS, EVERY_TYPE, Grant, readable
from prognosis.serve.settings import ServiceSettings
from tests.serve.forged import CDS, REST, WRONG, good
from tests.serve.hospital import (
    BASE,
    EC_256,
    EC_384,
    EHR,
    FHIR,
    LOGIN,
    OTHER_FHIR,
    RSA,
    Hospital,
    cds_token,
    claims,
    rest_token,
    signed,
)

CARD = "4e0a3a1e-3283-4575-ab82-028d55fe2719"


def asked(
    hospital: Hospital, route: str, patient: str, headers: dict[str, str], **more: object
) -> httpx.Response:
    """A request that is right but for its headers."""
    if route in REST:
        return hospital.http.get(route.format(patient=patient), headers=headers)
    if route.endswith("feedback"):
        one = {"card": CARD, "outcome": "accepted", "outcomeTimestamp": "2026-03-02T12:05:31Z"}
        return hospital.http.post(route, json={"feedback": [one]}, headers=headers)
    return hospital.call({"patientId": patient}, headers, **more)


@pytest.mark.parametrize("route", [*REST, *CDS])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_token_that_is_not_right_is_denied(
    hospital: Hospital, patient: str, route: str, wrong: str
) -> None:
    answer = asked(hospital, route, patient, WRONG[wrong](route))
    assert answer.status_code == 401, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert patient not in answer.text


@pytest.mark.parametrize("route", [*REST, *CDS])
@pytest.mark.parametrize("key", [EC_384, EC_256, RSA], ids=["ES384", "ES256", "RS384"])
def test_the_same_request_with_the_right_token_is_answered_once(
    hospital: Hospital, patient: str, route: str, key: object
) -> None:
    headers = signed(good(route), key)
    assert asked(hospital, route, patient, headers).status_code == 200
    replayed = asked(hospital, route, patient, headers)
    assert replayed.status_code == 401
    assert "was used before" in replayed.json()["title"]


@pytest.mark.parametrize("route", [*REST, *CDS])
def test_a_token_of_one_use_is_none_of_the_other(hospital: Hospital, patient: str, route: str) -> None:
    audience = BASE if route in REST else f"{BASE}{route}"
    other = EHR if route in REST else LOGIN
    answer = asked(hospital, route, patient, signed(claims(audience, other, scope="system/*.read")))
    assert answer.status_code == 401


SCOPES = {
    "none": "",
    "of something else": "system/Observation.read",
    "to write": "system/*.write",
    "of a user": "user/*.read",
    "narrowed by a search": "system/*.rs?category=vital-signs",
    "misspelt": "System/*.read",
    "of openid": "openid fhirUser launch/patient",
}


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("route", ["/risk/{patient}", "/explain/{patient}"])
def test_a_scope_that_does_not_reach_is_denied_alike_for_patients_who_exist_and_who_do_not(
    hospital: Hospital, patient: str, route: str, scope: str
) -> None:
    answers = [asked(hospital, route, each, rest_token(SCOPES[scope])) for each in (patient, "nobody")]
    assert [each.status_code for each in answers] == [403, 403]
    there, absent = ({k: v for k, v in each.json().items() if k != "instance"} for each in answers)
    assert there == absent


def test_a_token_bound_to_a_patient_reads_that_one_and_no_other(hospital: Hospital, patient: str) -> None:
    bound = {"scope": "patient/*.read", "patient": patient}
    assert asked(hospital, "/risk/{patient}", patient, rest_token(**bound)).status_code == 200
    for other in ("sim0-00009", "nobody", f"north/{patient}", patient.upper()):
        assert asked(hospital, "/risk/{patient}", other, rest_token(**bound)).status_code in (403, 404)
        assert asked(hospital, "/explain/{patient}", other, rest_token(**bound)).status_code in (403, 404)
    assert asked(hospital, "/cohorts", patient, rest_token(**bound)).status_code == 403
    widened = {"scope": "system/*.read", "patient": patient}
    assert asked(hospital, "/risk/{patient}", "sim0-00009", rest_token(**widened)).status_code == 403


def test_who_may_read_answers_may_not_read_what_they_cite(hospital: Hospital, patient: str) -> None:
    scope = "system/RiskAssessment.read"
    assert asked(hospital, "/risk/{patient}", patient, rest_token(scope)).status_code == 200
    assert asked(hospital, "/explain/{patient}", patient, rest_token(scope)).status_code == 403


def test_a_cds_client_asks_about_its_own_services_servers_and_patients_only(
    hospital: Hospital, patient: str
) -> None:
    other = "/cds-services/prognosis-order-select"
    body = {"hook": "order-select", "hookInstance": "1", "context": {"patientId": patient}}
    answer = hospital.http.post(other, json=body, headers=cds_token(other))
    assert answer.status_code == 403
    for server in (
        OTHER_FHIR,
        "https://evil.example/fhir",
        f"{FHIR}@evil.example",
        f"{FHIR}/../x",
        FHIR.upper(),
    ):
        assert hospital.call({"patientId": patient}, cds_token(), fhirServer=server).status_code == 403
    token = {"access_token": "x", "token_type": "Bearer", "patient": "another"}
    assert hospital.call({"patientId": patient}, cds_token(), fhirAuthorization=token).status_code == 403
    mixed = {"patient": {"resourceType": "Patient", "id": "another"}}
    assert hospital.call({"patientId": patient}, cds_token(), prefetch=mixed).status_code == 403
    of_another = {"resourceType": "Observation", "subject": {"reference": "Patient/another"}}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": of_another}]}
    answer = hospital.call({"patientId": patient}, cds_token(), prefetch={"observation": bundle})
    assert answer.status_code == 403


def test_nothing_is_read_for_a_client_that_may_not(hospital: Hospital, patient: str) -> None:
    before = hospital.service.scores.counts(hospital.service.model.model_id)
    read: list[str] = []
    found = hospital.service.records.find

    class Watched:
        def find(self, patient: str, site: str | None) -> object:
            read.append(patient)
            return found(patient, site)

    records, hospital.service.records = hospital.service.records, Watched()
    try:
        for headers in ({}, rest_token(""), rest_token("patient/*.read", patient="another")):
            assert asked(hospital, "/risk/{patient}", patient, headers).status_code in (401, 403)
        assert not read
        assert asked(hospital, "/risk/{patient}", patient, rest_token()).status_code == 200
        assert read == [patient]
    finally:
        hospital.service.records = records
    assert hospital.service.scores.counts(hospital.service.model.model_id)[0] >= before[0]


def test_open_routes_need_no_token_and_name_no_patient(hospital: Hospital) -> None:
    for route in ("/health", "/ready", "/metadata", "/metrics", "/openapi.json", "/cds-services"):
        answer = hospital.http.get(route)
        assert answer.status_code == 200, route
        assert "sim0-" not in answer.text.replace("sim0-00007", "")


def test_without_clients_only_this_machine_is_answered(desk: Hospital, patient: str) -> None:
    assert desk.http.get(f"/risk/{patient}").status_code == 200
    for headers in (
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Host": "127.0.0.1.evil.example"},
    ):
        assert desk.http.get(f"/risk/{patient}", headers=headers).status_code == 403
    with pytest.raises(ConfigError, match="without asking who they are"):
        ServiceSettings().check_binding("0.0.0.0")  # noqa: S104 - that is the point
    ServiceSettings().check_binding("127.0.0.1")


def test_a_notification_needs_its_secret_and_only_has_the_sources_read_again(hospital: Hospital) -> None:
    before = hospital.service.scores.notified()
    body = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "id": "x"}}]}
    for secret in ("x", "wrong-secret-of-some-length"):
        headers = {"Authorization": f"Bearer {secret}"}
        assert hospital.http.post("/notifications", json=body, headers=headers).status_code == 401
    assert hospital.service.scores.notified() == before
    headers = {"Authorization": "Bearer a-secret-of-this-test-only"}
    assert hospital.http.post("/notifications", content=b"\xff not JSON", headers=headers).status_code == 202
    assert hospital.service.scores.notified() == before + 1


@given(st.sampled_from(["patient", "user", "system"]), st.text(max_size=8), st.text(min_size=1, max_size=8))
def test_a_bound_grant_never_reaches_another_patient(level: str, bound: str, other: str) -> None:
    grant = Grant("c", patient=bound, scopes=frozenset({(level, EVERY_TYPE)}))
    if bound == other:
        grant.require_patient(other, None, ANSWERS)
        return
    with pytest.raises(AccessError):
        grant.require_patient(other, None, ANSWERS)


@given(st.text(max_size=30))
def test_no_other_text_than_a_smart_scope_grants_anything(text: str) -> None:
    found = readable(text.split())
    for level, kind in found:
        assert any(each.startswith(f"{level}/{kind}.") for each in text.split())
    if "/" not in text:
        assert not found


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/risk/anna", "GET /risk/{patient}"),
        ("GET", "/explain/anna", "GET /explain/{patient}"),
        ("POST", "/cds-services/anna/feedback", "POST /cds-services/{service_id}/feedback"),
        ("DELETE", "/risk/anna", "DELETE /risk/{patient}"),
        ("GET", "/anna", "GET no route"),
    ],
)
def test_who_is_refused_is_logged_and_audited_under_the_route_that_was_tried(
    hospital: Hospital, caplog: pytest.LogCaptureFixture, method: str, path: str, route: str
) -> None:
    with caplog.at_level("INFO", "prognosis.serve"):
        answer = hospital.http.request(method, path)
    assert answer.status_code == 401
    (told,) = (each for each in caplog.messages if answer.json()["instance"].rpartition(":")[2] in each)
    assert told.startswith(f"{route} 401 ")
    assert "anna" not in caplog.text
