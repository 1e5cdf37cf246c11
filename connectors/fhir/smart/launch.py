"""SMART launch of an app for a user: the address a browser is sent to, and what comes back to be checked."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx

from connectors.fhir.http.origin import Origin
from connectors.fhir.smart.configuration import SmartConfiguration
from connectors.fhir.smart.key import SigningKey
from prognosis.errors import SourceError

_AUTHORIZATION_ERRORS = frozenset(
    {
        "invalid_request",
        "unauthorized_client",
        "access_denied",
        "unsupported_response_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
    }
)
"""RFC 6749, section 4.1.2.1."""

OPENID = "openid"
"""The scope by which a launch asks who the user is."""


@dataclass(frozen=True, slots=True)
class Registration:
    """How an app is registered with the servers that may launch it.

    Attributes:
        client_id: As the servers know the app.
        redirect_uri: Where the browser comes back to, letter by letter as it was registered.
        scopes: To ask for: "launch", "openid", "fhirUser", "offline_access", "patient/Observation.rs".
        servers: Addresses of the FHIR services that may launch it (the allow-list of `iss`), each with the
            addresses beside it whose origins may hold its endpoints.
        secret: Of a confidential client that has one; None for a public one. Never shown.
        key: Of a confidential client that signs; None for another.
    """

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    servers: Mapping[str, tuple[str, ...]]
    secret: str | None = field(default=None, repr=False)
    key: SigningKey | None = None

    def origin_of(self, iss: str) -> Origin:
        """The server that a launch names, if it is one of those that may.

        It is compared as an address (RFC 3986, section 6.2.2), not as text, and then the address that was
        registered is used: nothing of what the launch brought is ever spoken to.

        Raises:
            SourceError: It is none of them.
        """
        for base, beside in self.servers.items():
            if _same_address(base, iss):
                return Origin(base, also=beside)
        remedy = "add the server's address to those that may launch the app, if it is to be trusted"
        raise SourceError("the launch", "names a server (iss) that may not launch this app", remedy)


@dataclass(frozen=True, slots=True)
class PendingLaunch:
    """A launch that waits for the browser to come back: to be kept on this side, under its state.

    Attributes:
        authorize_url: Where the browser is to be sent.
        state: Ties the answer to this launch; unguessable.
        verifier: PKCE's secret (RFC 7636); never shown.
        base: The FHIR service.
        token_endpoint: Where the code is exchanged.
        nonce: Ties the user's id_token to this launch; None where the user is not asked for. Never shown.
        issuer: Who will have to have signed the id_token; None where the user is not asked for.
        jwks_uri: Where the issuer's keys are; None where the user is not asked for.
    """

    authorize_url: str
    state: str
    verifier: str = field(repr=False)
    base: str
    token_endpoint: str
    nonce: str | None = field(default=None, repr=False)
    issuer: str | None = None
    jwks_uri: str | None = None


def begun(
    registration: Registration,
    iss: str,
    stated: SmartConfiguration,
    *,
    launch: str | None,
    draw: Callable[[], str] = lambda: secrets.token_urlsafe(32),
) -> PendingLaunch:
    """Begin a launch, from a chart or standalone (SMART App Launch 2.2, section 2.1).

    PKCE with S256 goes along always; a server that names ways of PKCE and not this one is refused. Where the
    user is asked for (scope openid) a nonce goes along too, and the server must say by which keys it signs.

    Args:
        registration: Of the app.
        iss: The server that launches, as the launch named it; checked against the registration.
        stated: Its configuration.
        launch: The opaque value of an EHR launch; None for a standalone launch.
        draw: Gives unguessable text of 43 to 128 unreserved characters; different each time.

    Raises:
        SourceError: The server may not launch the app, or its endpoints lie where they must not.
    """
    origin = registration.origin_of(iss)
    reference = f"{origin.name} smart-configuration"
    if stated.authorization_endpoint is None:
        raise SourceError(reference, "names no authorization_endpoint", "launch from a server that has one")
    if stated.challenges and "S256" not in stated.challenges:
        raise SourceError(reference, "offers no PKCE with S256", "have the server mended")
    authorize = origin.reached(stated.authorization_endpoint).url
    origin.reached(stated.token_endpoint)
    state, verifier = draw(), draw()
    asked = {
        "response_type": "code",
        "client_id": registration.client_id,
        "redirect_uri": registration.redirect_uri,
        "scope": " ".join(registration.scopes),
        "state": state,
        "aud": str(origin.base).rstrip("/"),
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
    }
    if launch is not None:
        asked["launch"] = launch
    nonce = None
    if OPENID in registration.scopes:
        _check_openid(origin, stated, reference)
        nonce = asked["nonce"] = draw()
    joint = "&" if authorize.query else "?"
    return PendingLaunch(
        f"{authorize}{joint}{urlencode(asked)}",
        state,
        verifier,
        str(origin.base),
        stated.token_endpoint,
        nonce,
        *((stated.issuer, stated.jwks_uri) if nonce is not None else ()),
    )


def _check_openid(origin: Origin, stated: SmartConfiguration, reference: str) -> None:
    """That the user's token can be verified later, before the user is sent anywhere."""
    if stated.issuer is None or stated.jwks_uri is None:
        remedy = "leave openid out of the scopes, or have the server state both"
        raise SourceError(
            reference, "states no issuer or no jwks_uri, so that no user can be verified", remedy
        )
    origin.reached(stated.jwks_uri)


def challenge(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636, section 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def code_of(pending: PendingLaunch, came_back: Mapping[str, str]) -> str:
    """The code that the browser brought back.

    Args:
        pending: The launch that the state was drawn for.
        came_back: The query of the address that it came back to.

    Raises:
        SourceError: The state is another, the server refused, or there is no code.
    """
    state = came_back.get("state", "")
    if not hmac.compare_digest(state.encode("utf-8", "surrogatepass"), pending.state.encode()):
        raise SourceError("the launch", "comes back with another state", "begin the launch again")
    if "error" in came_back:
        code = came_back["error"]
        why = f" ({code})" if code in _AUTHORIZATION_ERRORS else ""
        raise SourceError("the launch", f"was refused by the server{why}", "ask for what the user may read")
    code = came_back.get("code", "")
    if not code or not code.isprintable():
        raise SourceError("the launch", "comes back without a code", "begin the launch again")
    return code


def _same_address(one: str, other: str) -> bool:
    try:
        first, second = httpx.URL(one), httpx.URL(other)
    except httpx.InvalidURL:
        return False
    if second.userinfo or second.query or second.fragment:
        return False
    return (first.scheme, first.raw_host, first.port, first.path.rstrip("/")) == (
        *(second.scheme, second.raw_host, second.port),
        second.path.rstrip("/"),
    )
