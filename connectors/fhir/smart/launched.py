"""The code of a launch exchanged for a token and the patient whose chart is open."""

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
from connectors.fhir.smart.granted import granted
from connectors.fhir.smart.launch import PendingLaunch, Registration
from prognosis.errors import MappingError, SourceError

ONCE = RetryPolicy(attempts=1)
"""A code is spent by its first use: a second attempt would have the server revoke what the first gave."""


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
        id_token: Who the user is, not yet verified; None where there is none. Never shown.
    """

    token: str = field(repr=False)
    lifetime_s: float
    scopes: tuple[str, ...]
    patient: str | None
    encounter: str | None
    refresh_token: str | None = field(repr=False)
    id_token: str | None = field(repr=False)


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
        now: Seconds since 1970, for a signed assertion.
        limits: Bounds on size and silence.

    Raises:
        SourceError: The server gives no token, or a context that is no id.
    """
    origin = registration.origin_of(pending.base)
    form, headers = _form(registration, pending, code, now)
    async with FhirClient(origin, policy=ONCE, limits=limits) as client:
        answer = await client.answer(
            "POST",
            pending.token_endpoint,
            "token endpoint",
            headers={**JSON_ONLY, **headers},
            form=lambda: form,
            accepted=ANSWERS,
        )
    reference = f"{origin.name} token endpoint"
    given = granted(answer, registration.scopes, reference)
    try:
        return Launched(
            given.token,
            given.lifetime_s,
            given.scopes,
            _id(given.stated, "patient", reference),
            _id(given.stated, "encounter", reference),
            string(given.stated, "refresh_token", reference),
            string(given.stated, "id_token", reference),
        )
    except MappingError as error:
        raise SourceError(error.reference, error.problem, error.remedy) from error


def _form(
    registration: Registration, pending: PendingLaunch, code: str, now: float
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """What is sent, and the header by which a client with a secret shows itself."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": registration.redirect_uri,
        "code_verifier": pending.verifier,
    }
    if registration.key is not None:
        jti = secrets.token_urlsafe(32)
        assertion = registration.key.assertion(registration.client_id, pending.token_endpoint, now, jti)
        return {**form, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}, {}
    if registration.secret is not None:
        shown = f"{quote_plus(registration.client_id)}:{quote_plus(registration.secret)}"
        return form, {"Authorization": f"Basic {base64.b64encode(shown.encode()).decode('ascii')}"}
    return {**form, "client_id": registration.client_id}, {}


def _id(stated: Json, key: str, reference: str) -> str | None:
    value = string(stated, key, reference)
    if value is not None and not FHIR_ID.match(value):
        raise MappingError(reference, f"gives a {key} that is no FHIR id", "have the server mended")
    return value
