"""Whether a token is genuine, for this service, of now, and new (RFC 7519, RFC 8725, CDS Hooks 2.0)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from prognosis.errors import IdentityError
from prognosis.serve.auth.grant import Grant, readable
from prognosis.serve.auth.keys import SHAPES, Keys
from prognosis.serve.auth.seen import SeenTokens
from prognosis.serve.settings import Client, ServiceSettings

LONGEST_TOKEN = 16_384
LONGEST_ID = 256
SKEW_S = 30.0
"""How far a client's clock may run ahead of ours; an expired token is expired without grace."""

Use = Literal["cds", "rest"]


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """The check of bearer tokens.

    Attributes:
        settings: Who may ask.
        keys: Their keys.
        seen: Which tokens have been used.
    """

    settings: ServiceSettings
    keys: Keys
    seen: SeenTokens

    def grant(self, header: str | None, audience: str, use: Use, now: float) -> Grant:
        """What the bearer of a token may ask for.

        Signature before claims, and the mark of use last: a token that is refused for another reason must
        not use up that of the client whose name it bears.

        Args:
            header: The Authorization header.
            audience: The exact address that the token must be for.
            use: What it is used for.
            now: POSIX seconds.

        Raises:
            IdentityError: It is absent, not genuine, not for this address, not of now, or was used before.
        """
        token = _bearer(header)
        stated = _part(token, 0)
        claims = _part(token, 1)
        client = self._client(claims, use)
        self._check_signature(token, stated, client)
        expires = _check_times(claims, client, now)
        if claims.get("aud") not in (audience, [audience]):
            raise _refused("is for another address", "name the address called, exactly, as aud")
        jti = claims.get("jti")
        once = use == "cds" or client.tokens == "once"
        if once and (not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_ID):
            raise _refused("has no jti", "give each token a jti of its own")
        grant = _granted(client, claims, use)
        if once and isinstance(jti, str):
            self.seen.use(client.issuer, jti, expires, now)
        return grant

    def _client(self, claims: Mapping[str, Any], use: Use) -> Client:
        for client in self.settings.clients:
            if client.issuer == claims.get("iss") and use in client.may:
                return client
        raise _refused("is of an issuer that is not known here", "have the operator name it under clients")

    def _check_signature(self, token: str, header: Mapping[str, Any], client: Client) -> None:
        from joserfc import jws
        from joserfc.errors import JoseError

        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in SHAPES:
            raise _refused("has an alg that is not taken", f"sign with one of {', '.join(SHAPES)}")
        if "crit" in header or "b64" in header or "jwk" in header or "x5u" in header:
            raise _refused("has a header that is not taken", "send alg, kid, typ and jku only")
        if not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_ID:
            raise _refused("names no key", "give the kid of a published key")
        if "jku" in header and header["jku"] != client.jku:
            raise _refused("names another place for its keys", "have the operator name it as jku")
        key = self.keys.find(client, kid, algorithm)
        try:
            jws.deserialize_compact(token, key, algorithms=[algorithm])
        except (JoseError, ValueError, TypeError) as error:
            raise _refused("is not signed by its key", "sign it with the private key") from error


def _bearer(header: str | None) -> str:
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token or len(token) > LONGEST_TOKEN or token.count(".") != 2:
        raise _refused("is absent or no signed token", "send Authorization: Bearer and a signed JWT")
    return token


def _part(token: str, place: int) -> dict[str, Any]:
    """Header or claims, not yet believed."""
    text = token.split(".")[place]
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), object_pairs_hook=_once)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _refused("cannot be read", "send a compact JWS (RFC 7515)") from error
    if not isinstance(found, dict):
        raise _refused("cannot be read", "send a compact JWS (RFC 7515)")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object without a key twice: two readers could take two different ones."""
    found = dict(pairs)
    if len(found) != len(pairs):
        message = "a key twice"
        raise ValueError(message)
    return found


def _check_times(claims: Mapping[str, Any], client: Client, now: float) -> float:
    """When it expires, after all its times were found right."""
    expires, issued = _seconds(claims, "exp"), _seconds(claims, "iat")
    begins = _seconds(claims, "nbf") if "nbf" in claims else issued
    if expires <= now:
        raise _refused("has expired", "send a new one")
    if issued > now + SKEW_S or begins > now + SKEW_S:
        raise _refused("is not valid yet", "set the client's clock")
    if not 0 < expires - issued <= client.longest_seconds:
        raise _refused("is valid for too long", f"let it expire within {client.longest_seconds} s")
    return expires


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e11:
        raise _refused(f"has no {name}", "give iat and exp as seconds since 1970")
    return float(value)


def _granted(client: Client, claims: Mapping[str, Any], use: Use) -> Grant:
    if use == "cds":
        return Grant(client.issuer, services=client.services, fhir_servers=client.fhir_servers)
    scope, patient = claims.get("scope", ""), claims.get("patient")
    if not isinstance(scope, str) or not (patient is None or (isinstance(patient, str) and patient)):
        raise _refused("has a scope or a patient that is no text", "give both as text")
    return Grant(client.issuer, patient=patient, scopes=readable(scope.split()))


def _refused(problem: str, remedy: str) -> IdentityError:
    return IdentityError("the token", problem, remedy)
