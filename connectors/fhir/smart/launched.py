"""The code of a launch exchanged for a token, the user, and the patient whose chart is open."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from connectors.fhir.http.client import FhirClient
from connectors.fhir.http.limits import Limits
from connectors.fhir.http.retry import RetryPolicy
from connectors.fhir.mapping_fields import FHIR_ID, Json, string
from connectors.fhir.smart.backend import ANSWERS, ASSERTION_TYPE
from connectors.fhir.smart.configuration import JSON_ONLY, SmartConfiguration, configuration
from connectors.fhir.smart.granted import Granted, granted
from connectors.fhir.smart.launch import OPENID, PendingLaunch, Registration
from connectors.fhir.smart.user import Expected, User, verified
from prognosis.errors import MappingError, SourceError

ONCE = RetryPolicy(attempts=1)
"""A code is spent by its first use, and so is a refresh token that is replaced: a second attempt would have
the server revoke what the first gave."""


@dataclass(frozen=True, slots=True)
class Launched:
    """What a launch gives.

    Attributes:
        token: For the FHIR service; never shown.
        lifetime_s: Seconds for which it holds.
        scopes: What it allows.
        patient: Id of the Patient in context; None where the launch has none.
        encounter: Id of the Encounter in context; None where the launch has none.
        refresh_token: For a next token; None where there is none. Never shown.
        user: Who launched the app, verified; None where openid was not asked for or not granted.
    """

    token: str = field(repr=False)
    lifetime_s: float
    scopes: tuple[str, ...]
    patient: str | None
    encounter: str | None
    refresh_token: str | None = field(repr=False)
    user: User | None


async def launch_configuration(
    registration: Registration, iss: str, limits: Limits | None = None
) -> SmartConfiguration:
    """The configuration of a server that may launch the app.

    Raises:
        SourceError: It may not, or says nothing that can be used.
    """
    async with FhirClient(registration.origin_of(iss), limits=limits) as client:
        return await configuration(client)


async def launched(
    registration: Registration, pending: PendingLaunch, code: str, *, now: float, limits: Limits | None = None
) -> Launched:
    """Exchange a code (RFC 6749, section 4.1.3, with RFC 7636).

    Args:
        registration: Of the app.
        pending: The launch that the code came back to; forget it afterwards, whatever happens here.
        code: From `code_of`.
        now: Seconds since 1970, for a signed assertion and for the times of the id_token.
        limits: Bounds on size and silence.

    Raises:
        SourceError: The server gives no token, a context that is no id, or says that openid was granted and
            gives no id_token that holds.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": registration.redirect_uri,
        "code_verifier": pending.verifier,
    }
    given = await exchanged(registration, pending, form, registration.scopes, now, limits)
    reference = f"{registration.origin_of(pending.base).name} token endpoint"
    user = await _user(registration, pending, given, now, limits)
    try:
        return Launched(
            given.token,
            given.lifetime_s,
            given.scopes,
            context_id(given.stated, "patient", reference),
            context_id(given.stated, "encounter", reference),
            string(given.stated, "refresh_token", reference),
            user,
        )
    except MappingError as error:
        raise SourceError(error.reference, error.problem, error.remedy) from error


async def exchanged(
    registration: Registration,
    pending: PendingLaunch,
    form: Mapping[str, str],
    asked: tuple[str, ...],
    now: float,
    limits: Limits | None,
) -> Granted:
    """What the token endpoint of a launch gives for a form that is sent once.

    Args:
        registration: Of the app.
        pending: The launch.
        form: The grant, without what shows who the app is.
        asked: Scopes that hold where the answer names none.
        now: Seconds since 1970, for a signed assertion.
        limits: Bounds on size and silence.

    Raises:
        SourceError: It gives no token.
    """
    origin = registration.origin_of(pending.base)
    shown, headers = _shown(registration, pending.token_endpoint, now)
    async with FhirClient(origin, policy=ONCE, limits=limits) as client:
        answer = await client.answer(
            "POST",
            pending.token_endpoint,
            "token endpoint",
            headers={**JSON_ONLY, **headers},
            form=lambda: {**form, **shown},
            accepted=ANSWERS,
        )
    return granted(answer, asked, f"{origin.name} token endpoint")


async def _user(
    registration: Registration, pending: PendingLaunch, given: Granted, now: float, limits: Limits | None
) -> User | None:
    """Who the user is, where that was asked for and granted."""
    if pending.issuer is None or pending.jwks_uri is None or OPENID not in given.scopes:
        return None
    origin = registration.origin_of(pending.base)
    id_token = given.stated.get("id_token")
    if not isinstance(id_token, str):
        remedy = "have the server mended, or leave openid out of the scopes"
        raise SourceError(f"{origin.name} token endpoint", "grants openid and gives no id_token", remedy)
    expected = Expected(pending.issuer, registration.client_id, pending.nonce, given.token, str(origin.base))
    async with FhirClient(origin, limits=limits) as client:
        return await verified(client, id_token, pending.jwks_uri, expected, now)


def _shown(
    registration: Registration, token_endpoint: str, now: float
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """By what the app shows who it is: in the form, and in a header where it has a secret."""
    if registration.key is not None:
        jti = secrets.token_urlsafe(32)
        assertion = registration.key.assertion(registration.client_id, token_endpoint, now, jti)
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}, {}
    if registration.secret is not None:
        shown = f"{quote_plus(registration.client_id)}:{quote_plus(registration.secret)}"
        return {}, {"Authorization": f"Basic {base64.b64encode(shown.encode()).decode('ascii')}"}
    return {"client_id": registration.client_id}, {}


def context_id(stated: Json, key: str, reference: str) -> str | None:
    """An id of the launch's context; None where the answer names none.

    Raises:
        MappingError: What it names is no FHIR id.
    """
    value = string(stated, key, reference)
    if value is not None and not FHIR_ID.match(value):
        raise MappingError(reference, f"gives a {key} that is no FHIR id", "have the server mended")
    return value
