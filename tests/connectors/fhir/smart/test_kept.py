"""A launch goes on while its server renews it: in time, with each refresh token once, for one patient."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from connectors.fhir import FhirServer
from connectors.fhir.smart import Launched, LaunchLogin, Registration, SigningKey, begun, launched
from connectors.fhir.smart.launch import PendingLaunch, challenge
from connectors.fhir.smart.launched import launch_configuration
from prognosis.errors import SourceError
from prognosis.record import Quarantine
from tests.connectors.fhir.smart.authority import CLIENT, NOW, Authority, basic, refusal
from tests.connectors.fhir.smart.test_backend import EC, Clock
from tests.connectors.fhir.ward import FACTS, PATIENTS, QUICK, Request, Ward, opened, pull, reply

SCOPES = ("launch", "online_access", "patient/*.rs")
WHOLE = [*PATIENTS, *FACTS]
SHOWN = "a secret"


def renewing(**more: object) -> Authority:
    stated = {"launch_scope": " ".join(SCOPES), "refresh_token": "refresh-1", **more}
    return Authority(WHOLE, **stated)  # type: ignore[arg-type]


def begun_at(authority: Authority, **more: object) -> tuple[Registration, PendingLaunch, Launched]:
    known = Registration(CLIENT, "https://app.example.org/back", SCOPES, {authority.address: ()})
    registration = replace(known, **more)  # type: ignore[arg-type]
    stated = asyncio.run(launch_configuration(registration, authority.address))
    pending = begun(registration, authority.address, stated, launch="xyz")
    authority.challenge = challenge(pending.verifier)
    return registration, pending, asyncio.run(launched(registration, pending, "good code", now=NOW))


def asked_at(authority: Authority, seconds: list[float], **more: object) -> list[str]:
    """The tokens of a launch, so long after it."""
    clock = Clock()

    async def asked(login: LaunchLogin) -> list[str]:
        tokens = []
        for each in seconds:
            clock.now = NOW + each
            tokens.append(await login.token())
        return tokens

    with opened(authority):
        login = LaunchLogin(*begun_at(authority, **more), now=clock)
        return asyncio.run(asked(login))


def test_a_token_is_renewed_shortly_before_it_ends_and_each_refresh_token_is_sent_once() -> None:
    authority = renewing()
    assert asked_at(authority, [0, 269, 271, 300, 541, 542]) == [
        *("token-1", "token-1", "token-2", "token-2"),
        *("token-3", "token-3"),
    ]
    assert authority.refreshed == ["refresh-1", "refresh-2"]


def test_a_refresh_token_that_the_server_keeps_serves_again() -> None:
    authority = renewing(rotates=False)
    assert asked_at(authority, [271, 542]) == ["token-2", "token-3"]
    assert authority.refreshed == ["refresh-1", "refresh-1"]


@pytest.mark.parametrize("kind", ["public", "secret", "key"])
def test_an_app_shows_who_it_is_at_a_renewal_as_at_the_launch(kind: str) -> None:
    shown = {"public": {}, "secret": {"secret": SHOWN}, "key": {"key": SigningKey("ES384", "k", EC)}}[kind]
    authority = renewing(keys={"k": EC})
    asked_at(authority, [271], **shown)
    at_launch, at_renewal = (each for each in authority.requests if each.place == "token")
    assert at_renewal.form["grant_type"] == "refresh_token"
    if kind == "public":
        assert at_renewal.form["client_id"] == CLIENT
    elif kind == "secret":
        assert basic(at_renewal) == (CLIENT, SHOWN)
    else:
        assert all(authority.shown(each.form["client_assertion"]) for each in (at_launch, at_renewal))


def test_without_a_refresh_token_the_login_ends_with_its_token() -> None:
    authority = renewing(refresh_token=None)
    assert asked_at(authority, [271, 299]) == ["token-1", "token-1"]
    with pytest.raises(SourceError, match="has ended and cannot be renewed"):
        asked_at(renewing(refresh_token=None), [300])


def test_a_renewal_that_fails_costs_nothing_while_the_token_holds_and_is_tried_again_after() -> None:
    once = [lambda good: good, lambda _: reply(b"", "503 Service Unavailable")]
    authority = renewing(rotates=False, spoilt=once)
    assert asked_at(authority, [271, 272, 299, 301]) == ["token-1"] * 3 + ["token-3"]
    assert authority.refreshed == ["refresh-1"] * 2


def test_a_renewal_that_fails_when_the_token_has_ended_is_an_error() -> None:
    authority = renewing(spoilt=[lambda good: good, lambda _: reply(b"", "503 Service Unavailable")])
    with pytest.raises(SourceError, match="status 503"):
        asked_at(authority, [301])


def test_a_server_that_knows_the_refresh_token_no_more_is_told_as_such() -> None:
    authority = renewing(spoilt=[lambda good: good, lambda _: refusal("invalid_grant")])
    with pytest.raises(SourceError, match=r"\(invalid_grant\); begin the launch again") as caught:
        asked_at(authority, [301])
    assert "anna" not in str(caught.value)


@pytest.mark.parametrize("patient", ["ben", "../Observation", 7])
def test_a_renewal_for_another_patient_ends_the_login(patient: object) -> None:
    authority = renewing(context={"patient": "anna"})

    def swapped(request: Request, good: bytes) -> bytes:
        if request.form.get("grant_type") == "refresh_token":
            authority.context = {"patient": patient}
            return authority.gave(" ".join(SCOPES), patient=patient)
        return good

    authority.damage = swapped
    with pytest.raises(SourceError, match="patient") as caught:
        asked_at(authority, [301])
    assert not [word for word in ("anna", "ben", "..") if word in str(caught.value)]


def test_a_pull_that_outlasts_its_token_loses_nothing() -> None:
    """The server revokes the first token in the middle; the second is had and no request is lost."""

    def damage(request: Request, good: bytes) -> bytes:
        if request.place == "Observation/_search" and not authority.revoked:
            authority.revoked.add("token-1")
            return reply(b"", "401 Unauthorized")
        return good

    authority = renewing(damage=damage)
    with opened(authority):
        login = LaunchLogin(*begun_at(authority), now=lambda: NOW)
        server = FhirServer(authority.address, "fhir-server:x", login=login, policy=QUICK, patients_at_once=2)
        records = list(server.records(Quarantine()))
    assert records == pull(Ward(WHOLE))[0]
    assert authority.given == ["token-1", "token-2"]


def test_a_type_is_covered_as_the_launch_s_scopes_have_it() -> None:
    with opened(renewing(launch_scope="launch patient/Observation.rs user/Patient.read")) as authority:
        login = LaunchLogin(*begun_at(authority), now=lambda: NOW)
    assert [kind for kind in ("Observation", "Patient", "Condition") if login.covers(kind)] == [
        "Observation",
        "Patient",
    ]


def test_neither_tokens_nor_refresh_tokens_are_logged_or_shown(caplog: pytest.LogCaptureFixture) -> None:
    authority = renewing()
    with caplog.at_level(logging.DEBUG), opened(authority):
        login = LaunchLogin(*begun_at(authority), now=lambda: NOW + 0.0)
        asyncio.run(login.token())
        asyncio.run(login.renew("token-1"))
        asyncio.run(login.token())
    logged = "\n".join(f"{each.getMessage()} {each.args}" for each in caplog.records) + repr(login)
    assert authority.refreshed == ["refresh-1"]
    assert not [word for word in ("token-1", "token-2", "refresh-1", "refresh-2") if word in logged]
