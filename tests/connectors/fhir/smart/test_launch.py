"""A launch is begun for servers that may launch, bound to one browser's answer, and gives one patient."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from connectors.fhir.smart import Launched, Registration, SigningKey, begun, code_of, launched
from connectors.fhir.smart.launch import PendingLaunch, challenge
from connectors.fhir.smart.launched import launch_configuration
from prognosis.errors import SourceError
from tests.connectors.fhir.smart.authority import CLIENT, NOW, Authority, basic, refusal
from tests.connectors.fhir.ward import Request, opened, reply

EC = ECKey.generate_key("P-384")
BACK = "https://prognosis.example.org/smart/callback"
SHOWN = "a:b c%"
SCOPES = ("launch", "patient/Observation.rs")


def registered(authority: Authority, **more: object) -> Registration:
    return replace(Registration(CLIENT, BACK, SCOPES, {authority.address: ()}), **more)  # type: ignore[arg-type]


def pending_at(authority: Authority, registration: Registration, launch: str | None = "xyz") -> PendingLaunch:
    stated = asyncio.run(launch_configuration(registration, authority.address))
    return begun(registration, authority.address, stated, launch=launch)


def through(authority: Authority, registration: Registration, launch: str | None = "xyz") -> Launched:
    """A whole launch, with a browser that does as it is told and a user who agrees."""
    pending = pending_at(authority, registration, launch)
    asked = parse_qs(urlsplit(pending.authorize_url).query, strict_parsing=True)
    (authority.challenge,) = asked["code_challenge"]
    came_back = {"code": "good code", "state": asked["state"][0]}
    return asyncio.run(launched(registration, pending, code_of(pending, came_back), now=NOW))


def exchange_of(authority: Authority) -> Request:
    (request,) = (each for each in authority.requests if each.place == "token")
    return request


@pytest.mark.parametrize("launch", ["xyz 1&2", None], ids=["from a chart", "standalone"])
def test_the_browser_is_sent_with_all_that_smart_asks_for(launch: str | None) -> None:
    with opened(Authority([])) as authority:
        pending = pending_at(authority, registered(authority), launch)
    address, _, query = pending.authorize_url.partition("?")
    asked = {name: values[0] for name, values in parse_qs(query, strict_parsing=True).items()}
    assert address == f"{authority.address}/authorize"
    assert asked.pop("launch", None) == launch
    assert asked == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": BACK,
        "scope": "launch patient/Observation.rs",
        "state": pending.state,
        "aud": authority.address,
        "code_challenge": challenge(pending.verifier),
        "code_challenge_method": "S256",
    }
    assert re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", pending.verifier)
    assert pending.verifier not in pending.authorize_url
    assert pending.verifier not in repr(pending)


def test_the_challenge_is_that_of_the_example_in_rfc_7636() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@given(st.text("ABCabc019-._~", min_size=43, max_size=128))
def test_the_challenge_is_the_verifier_s_hash_without_padding(verifier: str) -> None:
    padded = challenge(verifier) + "="
    assert base64.urlsafe_b64decode(padded) == hashlib.sha256(verifier.encode()).digest()


def test_a_public_app_shows_the_verifier_alone_and_gets_the_patient() -> None:
    with opened(Authority([], context={"patient": "anna", "encounter": "e-1"})) as authority:
        given = through(authority, registered(authority))
    assert (given.token, given.lifetime_s, given.patient, given.encounter) == ("token-1", 300, "anna", "e-1")
    assert given.scopes == ("launch", "patient/Observation.rs")
    request = exchange_of(authority)
    assert "authorization" not in request.headers
    assert request.form["client_id"] == CLIENT
    assert request.form["redirect_uri"] == BACK
    assert "token-1" not in repr(given)


def test_an_app_with_a_secret_shows_it_in_the_header_and_not_in_the_form() -> None:
    with opened(Authority([])) as authority:
        given = through(authority, registered(authority, secret=SHOWN))
    request = exchange_of(authority)
    assert basic(request) == (CLIENT, SHOWN)
    assert not {"client_id", "client_secret"} & request.form.keys()
    assert given.patient is None
    assert SHOWN not in repr(registered(authority, secret=SHOWN))


def test_an_app_with_a_key_signs_for_the_token_endpoint() -> None:
    with opened(Authority([], keys={"k": EC})) as authority:
        through(authority, registered(authority, key=SigningKey("ES384", "k", EC)), None)
        assert authority.shown(exchange_of(authority).form["client_assertion"])


def test_every_launch_has_a_state_and_a_verifier_of_its_own() -> None:
    with opened(Authority([])) as authority:
        pending = [pending_at(authority, registered(authority)) for _ in range(5)]
    assert len({each.state for each in pending} | {each.verifier for each in pending}) == 10


@pytest.mark.parametrize(
    "iss",
    [
        "https://evil.example/fhir",
        "{base}/../evil",
        "{base}/other",
        "{base}?x=1",
        "{base}#x",
        "http://name@{host}/fhir",
        "http://{host}.evil.example/fhir",
        "//{host}/fhir",
        "",
        "http://[",
    ],
)
def test_a_server_that_is_not_on_the_list_launches_nothing_and_is_asked_nothing(iss: str) -> None:
    with opened(Authority([])) as authority:
        stated = iss.format(base=authority.address, host=urlsplit(authority.address).netloc)
        with pytest.raises(SourceError, match="may not launch this app") as caught:
            asyncio.run(launch_configuration(registered(authority), stated))
    assert not authority.requests
    assert "evil" not in str(caught.value)


def test_a_slash_at_the_end_does_not_make_another_server() -> None:
    with opened(Authority([])) as authority:
        assert registered(authority).origin_of(f"{authority.address}/").name


STATED = {
    "endpoints elsewhere": (
        {"authorization_endpoint": "https://evil.example/a"},
        "another scheme, host or port",
    ),
    "a token endpoint elsewhere": (
        {"token_endpoint": "https://evil.example/t"},
        "another scheme, host or port",
    ),
    "no place for the user": ({"authorization_endpoint": None}, "names no authorization_endpoint"),
    "plain PKCE only": ({"code_challenge_methods_supported": ["plain"]}, "no PKCE with S256"),
}


@pytest.mark.parametrize(("changed", "why"), STATED.values(), ids=STATED.keys())
def test_a_launch_at_endpoints_that_cannot_be_trusted_is_refused(
    changed: dict[str, object], why: str
) -> None:
    with opened(Authority([], changed=changed)) as authority, pytest.raises(SourceError, match=why) as caught:
        pending_at(authority, registered(authority))
    assert "evil" not in str(caught.value)


def test_endpoints_beside_the_server_are_used_where_they_were_registered() -> None:
    with opened(Authority([], context={"patient": "anna"})) as elsewhere:
        ends = {
            "authorization_endpoint": f"{elsewhere.address}/authorize",
            "token_endpoint": f"{elsewhere.address}/token",
        }
        with opened(Authority([], changed=ends)) as authority:
            registration = registered(authority, servers={authority.address: (elsewhere.address,)})
            pending = pending_at(authority, registration)
            elsewhere.challenge = challenge(pending.verifier)
            given = asyncio.run(launched(registration, pending, "good code", now=NOW))
    assert (given.patient, pending.authorize_url.startswith(f"{elsewhere.address}/authorize?")) == (
        "anna",
        True,
    )


PENDING = PendingLaunch(
    "https://x.example/", "the state", "v" * 43, "https://x.example/", "https://x.example/t"
)
CAME_BACK = {
    "another state": ({"code": "c", "state": "the statE"}, "another state"),
    "no state": ({"code": "c"}, "another state"),
    "a state of other letters": ({"code": "c", "state": "\u017fthe state"}, "another state"),
    "a state that is no text": ({"code": "c", "state": "\udc80"}, "another state"),
    "a refusal": (
        {"state": "the state", "error": "access_denied"},
        r"refused by the server \(access_denied\)",
    ),
    "a refusal in words": ({"state": "the state", "error": "anna", "code": "c"}, "refused by the server;"),
    "no code": ({"state": "the state"}, "without a code"),
    "a code that breaks lines": ({"state": "the state", "code": "a\r\nb"}, "without a code"),
}


@pytest.mark.parametrize(("came_back", "why"), CAME_BACK.values(), ids=CAME_BACK.keys())
def test_what_a_browser_brings_back_is_checked_before_it_is_used(came_back: dict[str, str], why: str) -> None:
    with pytest.raises(SourceError, match=why) as caught:
        code_of(PENDING, came_back)
    assert "anna" not in str(caught.value)


def test_a_code_without_the_verifier_of_its_launch_gives_nothing() -> None:
    with opened(Authority([])) as authority:
        registration = registered(authority)
        stolen, own = pending_at(authority, registration), pending_at(authority, registration)
        authority.challenge = challenge(stolen.verifier)
        with pytest.raises(SourceError, match="invalid_grant"):
            asyncio.run(launched(registration, own, "good code", now=NOW))
    assert not authority.given


@pytest.mark.parametrize("failure", [lambda _: reply(b"", "503 Service Unavailable"), lambda _: b""])
def test_a_code_is_sent_once_whatever_is_answered(failure) -> None:
    with opened(Authority([], spoilt=[failure])) as authority, pytest.raises(SourceError):
        through(authority, registered(authority))
    exchange_of(authority)


@pytest.mark.parametrize("patient", ["../Observation", "anna/../zoe", 7, "a" * 65])
def test_a_patient_that_is_no_id_is_refused(patient: object) -> None:
    wrong = Authority([], context={"patient": patient})
    with opened(wrong) as authority, pytest.raises(SourceError, match="patient"):
        through(authority, registered(authority))


def test_a_refused_app_is_told_the_code_of_the_standard_and_nothing_else() -> None:
    spoilt = [lambda _: refusal("invalid_client", "401 Unauthorized")]
    with opened(Authority([], spoilt=spoilt)) as authority, pytest.raises(SourceError) as caught:
        through(authority, registered(authority))
    assert "(invalid_client)" in str(caught.value)
    assert "anna" not in str(caught.value)
