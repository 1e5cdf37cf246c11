"""CDS Hooks 2.0: discovery, cards, what is missing, and feedback."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from prognosis.serve.cds.told import in_words
from prognosis.serve.scores import Whose
from tests.serve.charts import whole_chart
from tests.serve.hospital import FHIR, OTHER_FHIR, VIEW, Hospital, cds_token, running, settings_of
from tests.simulated import Simulated


@pytest.fixture
def prefetch(hospital: Hospital, small: Simulated, patient: str) -> dict[str, Any]:
    """A whole one: types of which the export has none are empty Bundles."""
    keys = hospital.http.get("/cds-services").json()["services"][0]["prefetch"]
    return whole_chart(small, patient, keys)


def card_of(answer: Any) -> Mapping[str, Any]:
    assert answer.status_code == 200, answer.text
    (card,) = answer.json()["cards"]
    return card


def test_discovery_names_both_services_and_what_they_want(hospital: Hospital) -> None:
    services = {each["hook"]: each for each in hospital.http.get("/cds-services").json()["services"]}
    assert set(services) == {"patient-view", "order-select"}
    for each in services.values():
        assert each["prefetch"]["patient"] == "Patient/{{context.patientId}}"
        assert "Observation?patient={{context.patientId}}" in each["prefetch"]["observation"]


def test_a_card_has_the_number_that_the_rest_route_gives(desk: Hospital, patient: str) -> None:
    risk = desk.http.get(f"/risk/{patient}").json()
    card = card_of(desk.call({"patientId": patient}))
    last = max(each["days"] for each in risk["risks"])
    lead = next(each for each in risk["risks"] if each["days"] == last)
    assert f"{lead['cause']} {100 * lead['probability']:.0f}%" in card["summary"]
    assert len(card["summary"]) < 140
    assert card["indicator"] == "info"
    assert "must not guide care" in card["detail"]


def test_order_select_does_not_read_the_orders_and_says_so(desk: Hospital, patient: str) -> None:
    body = {
        "hook": "order-select",
        "hookInstance": str(uuid.uuid4()),
        "context": {"patientId": patient, "selections": ["x"], "draftOrders": {"resourceType": "Bundle"}},
    }
    card = card_of(desk.http.post("/cds-services/prognosis-order-select", json=body))
    assert "Draft orders were not read" in card["detail"]
    wrong = desk.http.post(f"/cds-services/{VIEW}", json=body)
    assert wrong.status_code == 422


def test_a_patient_of_another_ehr_is_scored_from_a_whole_prefetch_and_never_from_a_stored_score(
    small: Simulated, tmp_path: Path, prefetch: dict[str, Any], patient: str
) -> None:
    settings = settings_of(tmp_path, clients=[], fhir_servers=[{"base": OTHER_FHIR}])
    with running(small, tmp_path, settings) as own:
        stored = own.http.get(f"/risk/{patient}").json()
        card = card_of(own.call({"patientId": patient}, fhirServer=OTHER_FHIR, prefetch=prefetch))
        assert "missing: imaging" in card["detail"]  # references to a study are no pixels
        assert stored["modalities_missing"] == {}
        for lacking in (
            {**prefetch, "observation": None},
            {**prefetch, "condition": {"resourceType": "OperationOutcome", "issue": []}},
            {key: value for key, value in prefetch.items() if key != "encounter"},
            {
                **prefetch,
                "observation": {**prefetch["observation"], "link": [{"relation": "next", "url": "x"}]},
            },
            None,
        ):
            answer = own.call({"patientId": patient}, fhirServer=OTHER_FHIR, prefetch=lacking)
            assert answer.status_code == 412, answer.text
        broken = json.loads(json.dumps(prefetch))
        del broken["observation"]["entry"][0]["resource"]["code"]
        card = card_of(own.call({"patientId": patient}, fhirServer=OTHER_FHIR, prefetch=broken))
        assert "1 of the chart's resources could not be read" in card["detail"]


def test_a_result_of_another_server_s_patient_of_the_same_id_is_refused(
    small: Simulated, tmp_path: Path, prefetch: dict[str, Any], patient: str
) -> None:
    settings = settings_of(tmp_path, clients=[], fhir_servers=[{"base": OTHER_FHIR}])
    with running(small, tmp_path, settings) as own:
        for base, status in ((OTHER_FHIR, 200), (FHIR, 403), (f"{OTHER_FHIR}/{FHIR}", 403)):
            sent = json.loads(json.dumps(prefetch))
            subject = sent["observation"]["entry"][0]["resource"]["subject"]
            subject["reference"] = f"{base}/Patient/{patient}"
            answer = own.call({"patientId": patient}, fhirServer=OTHER_FHIR, prefetch=sent)
            assert answer.status_code == status, answer.text


def test_a_chart_with_another_birth_date_than_the_record_scored_gets_no_number(
    hospital: Hospital, small: Simulated, patient: str, prefetch: dict[str, Any]
) -> None:
    assert "%" in card_of(hospital.call({"patientId": patient}, cds_token(), prefetch=prefetch))["summary"]
    other = {"patient": {**prefetch["patient"], "birthDate": "1901-01-01"}}
    card = card_of(hospital.call({"patientId": patient}, cds_token(), prefetch=other))
    assert "birth date is not that of the record" in card["summary"]
    assert "%" not in card["summary"] + card["detail"]


def test_a_score_whose_record_was_not_read_for_long_says_that_it_is_old(
    hospital: Hospital, small: Simulated, patient: str
) -> None:
    store, key = hospital.service.scores, hospital.service.key
    hospital.call({"patientId": patient}, cds_token())
    kept = store.latest_anywhere(key.anywhere("", patient), small.model.model_id)[0]
    old = Whose("old", key.anywhere("", "long-ago"))
    store.keep(kept.score, old, hospital.service.now() - timedelta(days=12))
    card = card_of(hospital.call({"patientId": "long-ago"}, cds_token()))
    assert card["summary"].startswith("OLD: ")
    assert "12 days ago" in card["summary"]
    store.looked(["old"], small.model.model_id, hospital.service.now() - timedelta(hours=3))
    card = card_of(hospital.call({"patientId": "long-ago"}, cds_token()))
    assert "read 3 hours ago" in card["summary"]
    store.keep(kept.score, Whose("elsewhere", key.anywhere("", "long-ago")), hospital.service.now())
    assert hospital.call({"patientId": "long-ago"}, cds_token()).status_code == 412  # two sites have the id


def test_a_site_decides_what_is_a_warning_and_an_abstention_is_none(
    small: Simulated, tmp_path: Path, patient: str
) -> None:
    settings = settings_of(tmp_path, clients=[], warn_above={"progression": 0.001})
    with running(small, tmp_path, settings) as own:
        assert card_of(own.call({"patientId": patient}, fhirServer=FHIR))["indicator"] == "warning"


def test_feedback_is_kept_and_malformed_feedback_is_refused(hospital: Hospital, patient: str) -> None:
    card = card_of(hospital.call({"patientId": patient}, cds_token()))
    route = f"/cds-services/{VIEW}/feedback"
    reason = {"reason": {"code": "x", "system": "y"}, "userComment": "not this patient"}
    one = {
        "card": card["uuid"],
        "outcome": "overridden",
        "overrideReason": reason,
        "outcomeTimestamp": "2026-03-02T12:05:31Z",
    }
    answer = hospital.http.post(route, json={"feedback": [one, one]}, headers=cds_token(route))
    assert (answer.status_code, answer.json()) == (200, {"kept": 2})
    service, kept, stated = hospital.service.scores.feedback()[-1]
    assert (service, kept) == (VIEW, card["uuid"])
    assert json.loads(stated)["overrideReason"] == reason
    for wrong in ({}, {"feedback": []}, {"feedback": [{**one, "outcome": "ignored"}]}, {"feedback": [{}]}):
        refused = hospital.http.post(route, json=wrong, headers=cds_token(route))
        assert refused.status_code == 422
        assert "not this patient" not in refused.text


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"hook": "patient-view"}',
        b'{"hook": "patient-view", "hookInstance": "1", "context": {"patientId": "../x"}}',
        b'{"hook": "patient-view", "hookInstance": "1", "context": {"patientId": "x"},'
        b' "prefetch": {"patient": 7}}',
        b"\xff\xfe",
    ],
)
def test_a_call_that_cannot_be_read_is_refused_in_words(desk: Hospital, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = desk.http.post(f"/cds-services/{VIEW}", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_age_is_told_in_whole_units_rounded_down() -> None:
    told = [in_words(timedelta(minutes=each)) for each in (0, 1, 59, 60, 119, 1440, 3000)]
    assert told == ["less than a minute", "1 minute", "59 minutes", "1 hour", "1 hour", "1 day", "2 days"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"context": {"userId": "anna-of-north"}}, "context.patientId: missing"),
        ({"hookInstance": 7}, "hookInstance: "),
        ({"fhirAuthorization": {"access_token": 7}}, "fhirAuthorization.access_token: "),
        ({"prefetch": ["anna-of-north"]}, "prefetch: "),
    ],
)
def test_a_call_that_cannot_be_read_is_told_where_by_the_names_that_the_api_states_itself(
    desk: Hospital, change: dict[str, Any], place: str
) -> None:
    body = {"hook": "patient-view", "hookInstance": "x", "context": {"patientId": "anna-of-north"}, **change}
    answer = desk.http.post(f"/cds-services/{VIEW}", json=body)
    assert answer.status_code == 422
    assert f"the body has a part that is wrong ({place}" in answer.json()["detail"]
    assert "anna" not in answer.text
