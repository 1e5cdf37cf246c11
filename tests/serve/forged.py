"""Tokens that must be denied: what is wrong with each, and how it is made."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time

from tests.serve.hospital import (
    BASE,
    EC_256,
    EHR,
    LOGIN,
    RSA,
    STRANGER,
    VIEW,
    claims,
    signed,
    signed_short,
)

REST = ("/risk/{patient}", "/explain/{patient}", "/cohorts")
CDS = (f"/cds-services/{VIEW}", f"/cds-services/{VIEW}/feedback")


def good(route: str, **changes: object) -> dict[str, object]:
    """The claims that are right for a route."""
    if route in REST:
        return claims(BASE, LOGIN, **{"scope": "system/*.read", **changes})
    return claims(f"{BASE}{route}", EHR, **changes)


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def unsigned(stated: object, algorithm: str = "none") -> dict[str, str]:
    return {"Authorization": f"Bearer {encoded({'alg': algorithm, 'kid': 'ec384'})}.{encoded(stated)}."}


def keyed_with_the_public_key(stated: object) -> dict[str, str]:
    """HS256 with the RSA public key as the secret: what RS/HS confusion would take for genuine."""
    told = f"{encoded({'alg': 'HS256', 'kid': 'rsa'})}.{encoded(stated)}"
    mac = hmac.new(RSA.as_pem(private=False), told.encode(), hashlib.sha256).digest()
    return {"Authorization": f"Bearer {told}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"}


def critical(stated: object) -> dict[str, str]:
    """A header that must be understood, and is not."""
    head = encoded({"alg": "ES384", "kid": "ec384", "crit": ["exp"], "exp": 1})
    return {"Authorization": f"Bearer {head}.{encoded(stated)}.AAAA"}


def altered(header: dict[str, str]) -> dict[str, str]:
    """A genuine token whose claims were changed after it was signed."""
    head, body, signature = header["Authorization"].removeprefix("Bearer ").split(".")
    stated = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return {"Authorization": f"Bearer {head}.{encoded({**stated, 'sub': 'another'})}.{signature}"}


def twice(route: str) -> dict[str, str]:
    """Claims with a key twice: two readers might take two different ones."""
    stated = json.dumps(good(route))
    body = f'{stated[:-1]}, "iss": "{LOGIN}"}}'.encode()
    head = encoded({"alg": "ES384", "kid": "ec384"})
    return {"Authorization": f"Bearer {head}.{base64.urlsafe_b64encode(body).rstrip(b'=').decode()}.AAAA"}


def now() -> int:
    return time.time_ns() // 10**9


NOW = now()
WRONG = {
    "no token": lambda route: {},
    "no bearer": lambda route: {"Authorization": "Basic dXNlcjpwYXNz"},
    "two tokens": lambda route: {"Authorization": "Bearer a.b.c, Bearer d.e.f"},
    "no JWT": lambda route: {"Authorization": "Bearer not.a.token"},
    "an opaque token": lambda route: {"Authorization": "Bearer 3fa9c1d2"},
    "claims twice": twice,
    "expired": lambda route: signed(good(route, iat=NOW - 500, exp=NOW - 300)),
    "of the future": lambda route: signed(good(route, iat=now() + 400, exp=now() + 500)),
    "not yet": lambda route: signed(good(route, nbf=now() + 400)),
    "valid for too long": lambda route: signed(good(route, exp=now() + 86_400)),
    "without exp": lambda route: signed(good(route, exp=None)),
    "without iat": lambda route: signed(good(route, iat=None)),
    "with exp as text": lambda route: signed(good(route, exp="9999999999")),
    "without aud": lambda route: signed(good(route, aud=None)),
    "for another service": lambda route: signed(good(route, aud="https://other.example")),
    "for a longer address": lambda route: signed(good(route, aud=f"{BASE}{route}/")),
    "for two": lambda route: signed(good(route, aud=[BASE, f"{BASE}{route}", "https://other.example"])),
    "of an unknown issuer": lambda route: signed(good(route, iss="https://stranger.example")),
    "without issuer": lambda route: signed(good(route, iss=None)),
    "without jti": lambda route: signed(good(route, jti=None)),
    "alg none": lambda route: unsigned(good(route)),
    "alg None": lambda route: unsigned(good(route), "None"),
    "HS256 by the public key": lambda route: keyed_with_the_public_key(good(route)),
    "unknown kid": lambda route: signed(good(route), kid="unknown"),
    "without kid": lambda route: signed(good(route), kid=None),
    "a symmetric kid": lambda route: unsigned(good(route), "HS256") | {"X": "oct"},
    "another's key of this kid": lambda route: signed(good(route), STRANGER),
    "the kid of another key": lambda route: signed(good(route), EC_256, kid="ec384"),
    "an RSA key of 1024 bits": lambda route: signed_short(good(route)),
    "PS256": lambda route: signed(good(route), RSA, alg="PS256"),
    "RS512": lambda route: signed(good(route), RSA, alg="RS512"),
    "keys from elsewhere": lambda route: signed(good(route), jku="https://evil.example/keys.json"),
    "its own key": lambda route: signed(good(route), STRANGER, jwk=STRANGER.as_dict(private=False)),
    "critical headers": lambda route: critical(good(route)),
    "altered": lambda route: altered(signed(good(route))),
}
