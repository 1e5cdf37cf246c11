"""The user of a launch is whom the server signed for: for this app, now, in this launch, and nobody else."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from connectors.fhir.smart import Launched, Registration, begun, code_of, launched
from connectors.fhir.smart.launched import launch_configuration
from prognosis.errors import SourceError
from tests.connectors.fhir.smart.authority import CLIENT, ISSUER, NOW, Authority
from tests.connectors.fhir.ward import opened, reply

RSA, EC, EC_256 = RSAKey.generate_key(2048), ECKey.generate_key("P-384"), ECKey.generate_key("P-256")
SIGNS = {"RS256": RSA, "RS384": RSA, "ES256": EC_256, "ES384": EC}
SCOPES = ("launch", "openid", "fhirUser", "patient/Observation.rs")
GRANTED = " ".join(SCOPES)
RENEWS = "refresh-1"


def issuing(**more: object) -> Authority:
    return Authority([], **{"signs": ("ES384", EC), "launch_scope": GRANTED, **more})  # type: ignore[arg-type]


def registered(authority: Authority, **more: object) -> Registration:
    known = Registration(CLIENT, "https://app.example.org/back", SCOPES, {authority.address: ()})
    return replace(known, **more)  # type: ignore[arg-type]


def through(authority: Authority, *, now: float = NOW, **more: object) -> Launched:
    """A whole launch at a server that says who the user is."""
    registration = registered(authority, **more)
    stated = asyncio.run(launch_configuration(registration, authority.address))
    pending = begun(registration, authority.address, stated, launch="xyz")
    asked = {name: each[0] for name, each in parse_qs(urlsplit(pending.authorize_url).query).items()}
    authority.challenge, authority.nonce = asked["code_challenge"], asked.get("nonce", "")
    code = code_of(pending, {"code": "good code", "state": asked["state"]})
    return asyncio.run(launched(registration, pending, code, now=now))


def tried(authority: Authority, **more: object) -> str:
    """What is told of a launch that is refused."""
    with opened(authority), pytest.raises(SourceError) as caught:
        through(authority, **more)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize("algorithm", SIGNS)
def test_a_user_whose_token_holds_is_told_with_issuer_and_resource(algorithm: str) -> None:
    with opened(issuing(signs=(algorithm, SIGNS[algorithm]))) as authority:
        user = through(authority).user
    assert user is not None
    assert (user.issuer, user.subject, user.fhir_user) == (ISSUER, "user-9", "Practitioner/7")
    assert "user-9" not in repr(user)
    assert "Practitioner" not in repr(user)


def test_the_keys_are_fetched_without_the_token_of_the_launch() -> None:
    with opened(issuing()) as authority:
        through(authority)
    (asked,) = (each for each in authority.requests if each.place == "jwks")
    assert "authorization" not in asked.headers


def test_every_launch_that_asks_for_the_user_has_a_nonce_of_its_own() -> None:
    with opened(issuing()) as authority:
        through(authority)
        first = authority.nonce
        through(authority)
    assert len(first) >= 32
    assert authority.nonce != first


def unsigned(header: dict[str, object], claims: dict[str, object]) -> str:
    parts = (
        base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in (header, claims)
    )
    return ".".join([*parts, ""])


OF_NOBODY = unsigned({"alg": "none"}, {"iss": ISSUER, "aud": CLIENT, "sub": "x", "iat": NOW, "exp": NOW + 9})


def publishing(*keys: RSAKey | ECKey, **more: str) -> dict[str, object]:
    """A server whose JWK Set has these keys under the name that it signs with."""
    return {
        "published": {
            "keys": [{**each.as_dict(private=False), "kid": "of-the-issuer", **more} for each in keys]
        }
    }


FORGED = {
    "another issuer": ({"claims": {"iss": "https://evil.example"}}, "another issuer"),
    "an issuer but for a slash": ({"claims": {"iss": f"{ISSUER}/"}}, "another issuer"),
    "no issuer": ({"claims": {"iss": None}}, "another issuer"),
    "another app": ({"claims": {"aud": "another-app"}}, "another app"),
    "no audience": ({"claims": {"aud": None}}, "another app"),
    "several apps, given to none": ({"claims": {"aud": [CLIENT, "another"]}}, "another app"),
    "several apps, given to another": (
        {"claims": {"aud": [CLIENT, "another"], "azp": "another"}},
        "another app",
    ),
    "one app, given to another": ({"claims": {"azp": "another"}}, "another app"),
    "expired": ({"claims": {"exp": int(NOW)}}, "has expired"),
    "no end": ({"claims": {"exp": None}}, "no exp"),
    "an end in words": ({"claims": {"exp": "2030-01-01"}}, "no exp"),
    "an end that is true": ({"claims": {"exp": True}}, "no exp"),
    "of tomorrow": ({"claims": {"iat": int(NOW) + 86400, "exp": int(NOW) + 86500}}, "not valid yet"),
    "no beginning": ({"claims": {"iat": None}}, "no iat"),
    "another launch": ({"claims": {"nonce": "of another"}}, "another launch"),
    "no launch": ({"claims": {"nonce": None}}, "another launch"),
    "a launch that is a number": ({"claims": {"nonce": 7}}, "another launch"),
    "another access token": ({"claims": {"at_hash": "LDktKdoQak3Pk0cnXxCltA"}}, "another access token"),
    "no user": ({"claims": {"sub": None}}, "names no user"),
    "a user who is no person": ({"claims": {"fhirUser": "Observation/7"}}, "no resource of a person"),
    "a user who climbs": ({"claims": {"fhirUser": "Patient/../Observation"}}, "no resource of a person"),
    "a user of plain http": ({"claims": {"fhirUser": "http://x.org/Patient/7"}}, "no resource of a person"),
    "a shared secret": ({"signs": ("HS256", OctKey.import_key("s" * 48))}, "alg that is not taken"),
    "no signature": ({"context": {"id_token": OF_NOBODY}}, "alg that is not taken"),
    "a header that embeds its key": ({"header": {"jku": "https://evil.example"}}, "header that is not taken"),
    "a header that must be understood": (
        {"context": {"id_token": unsigned({"alg": "ES384", "crit": ["exp"], "exp": 1}, {})}},
        "header that is not taken",
    ),
    "words": ({"context": {"id_token": "anna"}}, "no signed token"),
    "no ASCII": ({"context": {"id_token": "ä.ö.ü"}}, "no signed token"),
    "no base64": ({"context": {"id_token": "a.b.c"}}, "no signed token"),
    "without end": ({"context": {"id_token": "a." * 9000}}, "no signed token"),
    "nothing": ({"context": {"id_token": None}}, "gives no id_token"),
    "a number": ({"context": {"id_token": 7}}, "gives no id_token"),
    "a key of another curve": (publishing(EC_256), "has 0 keys"),
    "another's key": (publishing(ECKey.generate_key("P-384")), "not signed by the server's key"),
    "a key for encryption": (publishing(EC, use="enc"), "has 0 keys"),
    "a key for another alg": (publishing(EC, alg="ES512"), "has 0 keys"),
    "two keys of one name": (publishing(EC, EC), "has 2 keys"),
    "a name of no key": ({"header": {"kid": "anna"}}, "has 0 keys"),
    "a key that is broken": (
        {"published": {"keys": [{"kty": "EC", "crv": "P-384", "kid": "of-the-issuer", "x": "anna"}]}},
        "cannot be read",
    ),
    "no keys": ({"published": {}}, "is no JWK Set"),
    "keys in words": ({"published": {"keys": ["anna"]}}, "not an array of objects"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "why"), FORGED.values(), ids=FORGED.keys())
def test_a_token_that_does_not_hold_gives_no_launch_and_none_of_its_words(
    changes: dict[str, object], why: str
) -> None:
    told = tried(issuing(**changes))
    assert why in told
    assert not [word for word in ("anna", "evil", "user-9", "another-app") if word in told]


@pytest.mark.parametrize("times", [1, 2], ids=["one key", "two keys"])
def test_a_token_that_names_no_key_is_checked_where_one_alone_fits(times: int) -> None:
    keys = [EC, ECKey.generate_key("P-384")][:times]
    published = {"keys": [each.as_dict(private=False) for each in (*keys, RSA, EC_256)]}
    authority = issuing(header={"kid": None}, published=published)
    if times == 2:
        assert "has 2 keys" in tried(authority)
        return
    with opened(authority):
        assert through(authority).user is not None


def test_a_key_that_is_shorter_than_2048_bits_signs_for_nobody() -> None:
    short = RSAKey.import_key(RSA.as_dict(private=True)).as_dict(private=False)
    assert isinstance(short["n"], str)
    keys = {"keys": [{**short, "n": short["n"][:171], "kid": "of-the-issuer"}]}
    assert "has 0 keys" in tried(issuing(signs=("RS256", RSA), published=keys))


def test_the_half_hash_of_the_access_token_is_that_of_the_standard() -> None:
    # Of the example in OpenID Connect Core 1.0, appendix A.3.
    from connectors.fhir.smart.user import _half_hash

    token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"  # noqa: S105 - the standard's own
    assert _half_hash(token, "RS256") == "77QmUPtjPfzWtF2AnpK9RQ"


def test_a_user_on_another_server_is_told_by_the_address_and_not_asked() -> None:
    elsewhere = "https://people.example.org/fhir/Practitioner/7"
    with opened(issuing(claims={"fhirUser": elsewhere})) as authority:
        user = through(authority).user
    assert user is not None
    assert user.fhir_user == elsewhere


@pytest.mark.parametrize(
    ("asked", "given"), [(("launch",), GRANTED), (SCOPES, "launch patient/Observation.rs")]
)
def test_nobody_is_named_where_openid_was_not_asked_for_or_not_granted(
    asked: tuple[str, ...], given: str
) -> None:
    with opened(issuing(launch_scope=given, claims={"iss": "https://evil.example"})) as authority:
        launch = through(authority, scopes=asked)
    assert launch.user is None
    assert "jwks" not in [each.place for each in authority.requests]


def test_scopes_that_are_not_stated_are_those_asked_for_and_the_user_is_verified() -> None:
    assert "another issuer" in tried(issuing(launch_scope=None, claims={"iss": "x"}))


STATED = {
    "no issuer": ({"issuer": None}, "no issuer or no jwks_uri"),
    "no keys": ({"jwks_uri": None}, "no issuer or no jwks_uri"),
    "keys elsewhere": ({"jwks_uri": "https://evil.example/jwks"}, "another scheme, host or port"),
}


@pytest.mark.parametrize(("changed", "why"), STATED.values(), ids=STATED.keys())
def test_a_server_whose_users_cannot_be_verified_is_refused_before_the_user_is_sent_there(
    changed: dict[str, object], why: str
) -> None:
    authority = issuing(changed=changed)
    assert why in tried(authority)
    assert [each.place for each in authority.requests] == [".well-known/smart-configuration"]


@pytest.mark.parametrize("status", ["404 Not Found", "302 Found"])
def test_keys_that_cannot_be_had_give_no_launch(status: str) -> None:
    authority = issuing()
    authority.damage = lambda request, good: reply(b"", status) if request.place == "jwks" else good
    assert f"status {status[:3]}" in tried(authority)


def test_neither_tokens_nor_users_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), opened(issuing(refresh_token=RENEWS)) as authority:
        launch = through(authority)
    logged = "\n".join(f"{each.getMessage()} {each.args}" for each in caplog.records)
    assert "127.0.0.1" in logged
    assert launch.refresh_token == RENEWS
    hidden = ("token-1", RENEWS, "user-9", "Practitioner", authority.nonce, authority.id_token()[:40])
    assert not [word for word in hidden if word in logged or word in repr(launch)]
