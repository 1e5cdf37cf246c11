"""Who the user of a launch is: OpenID Connect's id_token, believed only after its signature was checked."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from connectors.fhir.http.client import FhirClient
from connectors.fhir.mapping_fields import Json, string
from connectors.fhir.parse import parse_resource
from connectors.fhir.smart.configuration import JSON_ONLY
from connectors.fhir.smart.published import KINDS, key_for
from prognosis.errors import MappingError, SourceError

LONGEST_TOKEN = 16_384
SKEW_S = 30.0
"""How far the server's clock may run ahead of this one; an expired token is expired without grace."""

_KNOWN_HEADERS = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})
_PERSON = re.compile(
    r"(https://[A-Za-z0-9.:\[\]/_~%\-]+/)?"
    r"(Patient|Practitioner|PractitionerRole|RelatedPerson|Person)/[A-Za-z0-9\-.]{1,64}\Z"
)
_MENDED = "have the server send it as OpenID Connect has it"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must be about.

    Attributes:
        issuer: Of the server's own configuration, compared letter by letter.
        client_id: As the server knows the app.
        nonce: That was sent with the launch; None where none was. Never shown.
        access_token: That came with it. Never shown.
        base: Address of the FHIR service.
    """

    issuer: str
    client_id: str
    nonce: str | None = field(repr=False)
    access_token: str = field(repr=False)
    base: str


@dataclass(frozen=True, slots=True)
class User:
    """Who launched the app.

    Attributes:
        issuer: Who says so.
        subject: The user, by the issuer's own name; never shown.
        fhir_user: The user's resource, "Practitioner/7", or its address where it is on another server, which
            is never asked; None where the token names none. Never shown.
    """

    issuer: str
    subject: str = field(repr=False)
    fhir_user: str | None = field(repr=False)


async def verified(client: FhirClient, id_token: str, jwks_uri: str, expected: Expected, now: float) -> User:
    """The user that an id_token names (SMART App Launch 2.2, section 5.1; OpenID Connect Core 1.0, 3.1.3.7).

    The keys are fetched from where the server's configuration says, which must be its own origin or one that
    was registered beside it; nothing in the token chooses them.

    Args:
        client: Of the server.
        id_token: As the token endpoint gave it.
        jwks_uri: Of the server's configuration.
        expected: What it must be about.
        now: Seconds since 1970.

    Raises:
        SourceError: The keys cannot be had, or the token is not genuine, not for this app, not of now, or of
            another launch.
    """
    reference = f"{client.origin.name} id_token"
    try:
        header = _part(id_token, 0, reference)
        algorithm = _algorithm(header, reference)
        answer = await client.answer("GET", jwks_uri, "jwks", headers=JSON_ONLY, bearer=False)
        where = f"{client.origin.name} jwks"
        key = key_for(parse_resource(answer.content, where), algorithm, header.get("kid"), where)
        try:
            jws.deserialize_compact(id_token, key, algorithms=[algorithm])
        except (JoseError, ValueError, TypeError):
            raise MappingError(reference, "is not signed by the server's key", _MENDED) from None
        return _user(_part(id_token, 1, reference), expected, algorithm, now, reference)
    except MappingError as error:
        raise SourceError(error.reference, error.problem, error.remedy) from error


def _algorithm(header: Mapping[str, Any], reference: str) -> str:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in KINDS:
        raise MappingError(reference, "has an alg that is not taken", f"sign with one of {', '.join(KINDS)}")
    if header.keys() - _KNOWN_HEADERS:
        raise MappingError(reference, "has a header that is not taken", "send alg, kid and typ only")
    return algorithm


def _user(claims: Json, expected: Expected, algorithm: str, now: float, reference: str) -> User:
    """The user of claims whose signature was found good."""
    if claims.get("iss") != expected.issuer:
        raise MappingError(reference, "is of another issuer than the server's configuration names", _MENDED)
    _check_audience(claims, expected.client_id, reference)
    if _seconds(claims, "exp", reference) <= now:
        raise MappingError(reference, "has expired", "check this clock, and begin the launch again")
    if _seconds(claims, "iat", reference) > now + SKEW_S:
        raise MappingError(reference, "is not valid yet", "check this clock and the server's")
    if expected.nonce is not None and not _same(claims.get("nonce"), expected.nonce):
        raise MappingError(reference, "is of another launch (nonce)", "begin the launch again")
    if "at_hash" in claims and not _same(claims["at_hash"], _half_hash(expected.access_token, algorithm)):
        raise MappingError(reference, "belongs to another access token (at_hash)", _MENDED)
    subject = string(claims, "sub", reference)
    if subject is None:
        raise MappingError(reference, "names no user (sub)", _MENDED)
    return User(expected.issuer, subject, _fhir_user(claims, expected.base, reference))


def _check_audience(claims: Json, client_id: str, reference: str) -> None:
    audience = claims.get("aud")
    several = audience if isinstance(audience, list) else [audience]
    authorised = claims.get("azp", None if len(several) > 1 else client_id)
    if client_id not in several or authorised != client_id:
        raise MappingError(reference, "is for another app (aud, azp)", "check the client id")


def _seconds(claims: Json, name: str, reference: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e11:
        raise MappingError(reference, f"has no {name} in seconds since 1970", _MENDED)
    return float(value)


def _fhir_user(claims: Json, base: str, reference: str) -> str | None:
    stated = string(claims, "fhirUser", reference)
    if stated is None:
        return None
    own = stated.removeprefix(base.rstrip("/") + "/")
    if not _PERSON.match(own):
        raise MappingError(reference, "names a fhirUser that is no resource of a person", _MENDED)
    return own


def _half_hash(access_token: str, algorithm: str) -> str:
    """The left half of an access token's hash (OpenID Connect Core 1.0, section 3.1.3.6)."""
    digest = hashlib.new(f"sha{algorithm[2:]}", access_token.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode("ascii")


def _same(stated: object, ours: str) -> bool:
    return isinstance(stated, str) and hmac.compare_digest(
        stated.encode("utf-8", "surrogatepass"), ours.encode()
    )


def _part(token: str, place: int, reference: str) -> dict[str, Any]:
    """Header or claims, not yet believed."""
    parts = token.split(".")
    if len(token) > LONGEST_TOKEN or len(parts) != 3 or not token.isascii():
        raise MappingError(reference, "is no signed token", _MENDED)
    text = parts[place]
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise MappingError(reference, "is no signed token", _MENDED) from None
    return parse_resource(content, reference)
