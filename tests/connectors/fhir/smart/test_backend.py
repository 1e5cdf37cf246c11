"""A program logs in with its key: as SMART says, once for many requests, and never at a stranger's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest
from joserfc.jwk import ECKey, RSAKey

from connectors.fhir import FhirServer
from connectors.fhir.smart import BackendServices, SigningKey
from connectors.fhir.smart.configuration import WELL_KNOWN
from prognosis.errors import SourceError
from prognosis.record import PatientRecord, Quarantine
from tests.connectors.fhir.smart.authority import CLIENT, NOW, Authority, refusal
from tests.connectors.fhir.ward import FACTS, PATIENTS, QUICK, Request, opened, pull, reply
from tests.connectors.fhir.ward import Ward as WithoutLogin

RSA = RSAKey.generate_key(2048)
EC = ECKey.generate_key("P-384")
KEYS = {"RS384": SigningKey("RS384", "rsa-1", RSA), "ES384": SigningKey("ES384", "ec-1", EC)}
PUBLIC = {"rsa-1": RSA, "ec-1": EC}
WHOLE = [*PATIENTS, *FACTS]


class Clock:
    """Seconds since 1970, as a test sets them."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def login(authority: Authority, clock: Callable[[], float] = lambda: NOW, **more: object) -> BackendServices:
    key = more.pop("key", KEYS["ES384"])
    return BackendServices(authority.address, CLIENT, key, now=clock, policy=QUICK, **more)  # type: ignore[arg-type]


def pulled(authority: Authority, **more: object) -> tuple[list[PatientRecord], Quarantine]:
    quarantine = Quarantine()
    with opened(authority):
        server = FhirServer(
            authority.address,
            "fhir-server:test",
            login=login(authority, **more),
            policy=QUICK,
            patients_at_once=2,
        )
        return list(server.records(quarantine)), quarantine


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_program_shows_itself_by_an_assertion_and_pulls_all(algorithm: str) -> None:
    authority = Authority(WHOLE, keys=PUBLIC)
    records, _ = pulled(authority, key=KEYS[algorithm])
    assert records == pull(WithoutLogin(WHOLE))[0]
    (shown,) = authority.assertions
    assert shown["iss"] == shown["sub"] == CLIENT
    assert shown["aud"] == f"{authority.address}/token"
    assert 0 < shown["exp"] - NOW <= 300
    assert (shown["alg"], shown["kid"]) == (algorithm, KEYS[algorithm].kid)
    assert len(shown["jti"]) >= 32


def test_one_token_serves_a_whole_pull_and_goes_nowhere_else() -> None:
    authority = Authority(WHOLE, keys=PUBLIC)
    pulled(authority)
    assert authority.given == ["token-1"]
    for request in authority.requests:
        own = request.place not in ("token", ".well-known/smart-configuration")
        assert request.headers.get("authorization") == ("Bearer token-1" if own else None)


def test_a_token_is_renewed_shortly_before_it_expires_and_each_assertion_is_new() -> None:
    authority, clock = Authority(WHOLE, keys=PUBLIC, lifetime_s=300), Clock()

    async def asked() -> list[str]:
        services = login(authority, clock)
        tokens = []
        for seconds in (0, 200, 269, 271, 271):
            clock.now = NOW + seconds
            tokens.append(await services.token())
        return tokens

    with opened(authority):
        assert asyncio.run(asked()) == ["token-1"] * 3 + ["token-2"] * 2
    assert len({each["jti"] for each in authority.assertions}) == 2


def test_a_token_that_is_refused_before_its_time_is_renewed_once_and_nothing_is_lost() -> None:
    def damage(request: Request, good: bytes) -> bytes:
        if request.place == "Observation/_search" and not authority.revoked:
            authority.revoked.add("token-1")
            return reply(b"", "401 Unauthorized")
        return good

    authority = Authority(WHOLE, damage, keys=PUBLIC)
    records, _ = pulled(authority)
    assert records == pull(WithoutLogin(WHOLE))[0]
    assert authority.given == ["token-1", "token-2"]


def test_a_server_that_refuses_every_token_is_given_two_and_no_more() -> None:
    def damage(request: Request, good: bytes) -> bytes:
        return reply(b"", "401 Unauthorized") if request.place == "metadata" else good

    authority = Authority(WHOLE, damage, keys=PUBLIC)
    with pytest.raises(SourceError, match="status 401"):
        pulled(authority)
    assert authority.given == ["token-1", "token-2"]


def test_an_attempt_that_is_made_again_has_an_assertion_of_its_own() -> None:
    authority = Authority(WHOLE, keys=PUBLIC, spoilt=[lambda _: reply(b"", "503 Service Unavailable")])
    pulled(authority)
    assert len({each["jti"] for each in authority.assertions}) == 2


@pytest.mark.parametrize(
    ("capabilities", "asked"), [(["permission-v2"], "system/*.rs"), (["permission-v1"], "system/*.read")]
)
def test_scopes_are_asked_for_in_the_form_that_the_server_knows(capabilities: list[str], asked: str) -> None:
    authority = Authority(WHOLE, keys=PUBLIC, changed={"capabilities": capabilities})
    pulled(authority)
    (request,) = (each for each in authority.requests if each.place == "token")
    assert request.form["scope"] == asked


@pytest.mark.parametrize(
    "granted",
    [
        "system/Patient.rs",
        "system/*.cud",
        "user/*.rs",
        "system/*.r",
        "openid",
        "system/*.rs?status=final",
        "*",
    ],
)
def test_less_than_was_asked_for_is_refused_before_a_patient_is_read(granted: str) -> None:
    authority = Authority(WHOLE, keys=PUBLIC, granted=granted)
    with pytest.raises(SourceError, match=r"grants no reading of .*Observation"):
        pulled(authority)
    assert not [each for each in authority.requests if each.place == "metadata"]


def test_types_that_were_not_asked_for_are_left_out_and_noticed() -> None:
    authority = Authority(WHOLE, keys=PUBLIC)
    records, quarantine = pulled(
        authority, scopes=("system/Patient.rs", "system/Observation.rs?status=final")
    )
    assert sum(len(each.events) for each in records) == 9
    assert (
        quarantine.notices["MedicationRequest: not among the scopes that were asked for: none was read"] == 1
    )
    with pytest.raises(SourceError, match="no Patients"):
        login(authority, scopes=("system/Observation.rs",))


def test_a_token_endpoint_elsewhere_is_used_only_where_it_was_named() -> None:
    elsewhere = Authority(WHOLE, keys=PUBLIC)
    with opened(elsewhere):
        stated = {"token_endpoint": f"{elsewhere.address}/token"}
        authority = Authority(WHOLE, keys=PUBLIC, changed=stated)
        with pytest.raises(SourceError, match="PROGNOSIS_FHIR_TOKEN_URL"):
            pulled(authority)
        assert not elsewhere.requests
        named = Authority(WHOLE, keys=PUBLIC, given=["token-1"])
        records, _ = pulled(named, token_url=f"{elsewhere.address}/token")
    assert len(records) == 3
    assert [each.place for each in elsewhere.requests] == ["token"]
    assert elsewhere.assertions[0]["aud"] == f"{elsewhere.address}/token"


def at(place: str, answer: bytes) -> Callable[[Request, bytes], bytes]:
    return lambda request, good: answer if request.place == place else good


REFUSED = {
    "no configuration": ({"damage": at(WELL_KNOWN, reply(b"", "404 Not Found"))}, "status 404"),
    "no token endpoint": ({"changed": {"token_endpoint": None}}, "names no token_endpoint"),
    "a metadata address": (
        {"changed": {"token_endpoint": "http://169.254.169.254/token"}},
        "another origin than the server's",
    ),
    "another algorithm": (
        {"changed": {"token_endpoint_auth_signing_alg_values_supported": ["RS384"]}},
        "does not offer ES384",
    ),
    "no key login": (
        {"changed": {"token_endpoint_auth_methods_supported": ["client_secret_basic"]}},
        "does not offer private_key_jwt",
    ),
    "an unknown client": ({"spoilt": [lambda _: refusal("invalid_client")]}, "400 (invalid_client)"),
    "an error of its own": ({"spoilt": [lambda _: refusal("anna")]}, "status 400;"),
    "no JSON": ({"spoilt": [lambda _: reply(b"<html>anna")]}, "is not JSON"),
    "a redirect": ({"spoilt": [lambda _: reply(b"", "302 Found", Location="https://evil.example")]},
                   "status 302"),
    "no token": ({"spoilt": [lambda _: reply({"token_type": "bearer"})]}, "no bearer token"),
    "another kind": (
        {"spoilt": [lambda _: reply({"token_type": "mac", "access_token": "hidden"})]},
        "no bearer token",
    ),
    "a token that breaks the header": (
        {"spoilt": [lambda _: reply({"token_type": "bearer", "access_token": "hidden\r\nHost: x"})]},
        "no bearer token",
    ),
    "no lifetime": ({"lifetime_s": "soon"}, "without a lifetime"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_a_login_that_cannot_be_trusted_is_a_typed_error_without_the_server_s_words(
    changes: dict[str, object], why: str
) -> None:
    authority = Authority(WHOLE, **{"keys": PUBLIC, **changes})  # type: ignore[arg-type]
    with pytest.raises(SourceError) as caught:
        pulled(authority)
    assert why in str(caught.value)
    assert not [word for word in ("anna", "hidden", "evil", "169.254") if word in str(caught.value)]


def test_neither_keys_nor_assertions_nor_tokens_are_logged_or_shown(caplog: pytest.LogCaptureFixture) -> None:
    authority = Authority(WHOLE, keys=PUBLIC)
    with caplog.at_level(logging.DEBUG):
        pulled(authority)
    assertion = next(each.form["client_assertion"] for each in authority.requests if each.place == "token")
    private = KEYS["ES384"].key.as_dict(private=True)["d"]
    logged = "\n".join(f"{each.getMessage()} {each.args}" for each in caplog.records)
    assert "127.0.0.1" in logged
    assert not [word for word in (assertion, "token-1", private) if word in logged]
    assert private not in repr(KEYS["ES384"])
    assert "PRIVATE" not in repr(KEYS["RS384"])
