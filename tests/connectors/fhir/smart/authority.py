"""A FHIR server in this process that gives tokens, and checks what it is shown as a server must."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from connectors.fhir.smart.launch import challenge
from tests.connectors.fhir.resources import Resource
from tests.connectors.fhir.ward import Request, Ward, reply

NOW = 1_700_000_000.0
CLIENT = "prognosis-of-north"


@dataclass
class Authority(Ward):
    """The server: the reads of a ward want a token that it gave and has not revoked.

    Attributes:
        keys: Public halves, by kid.
        changed: Put over the configuration; None takes a key away.
        granted: The scopes that it grants; None for those asked for.
        lifetime_s: Of its tokens; None to say nothing.
        given: Tokens, in order.
        revoked: Tokens that hold no longer.
        assertions: Claims that it was shown, in order.
        challenge: Of the launch that it has authorised.
        spoilt: Answers of the token endpoint in place of the good one, in order.
    """

    keys: dict[str, RSAKey | ECKey] = field(default_factory=dict)
    changed: dict[str, Any] = field(default_factory=dict)
    granted: str | None = None
    lifetime_s: object = 300
    given: list[str] = field(default_factory=list)
    revoked: set[str] = field(default_factory=set)
    assertions: list[dict[str, Any]] = field(default_factory=list)
    challenge: str = ""
    spoilt: list[Callable[[bytes], bytes]] = field(default_factory=list)
    context: Resource = field(default_factory=dict)

    def good(self, request: Request) -> bytes:
        if request.place == ".well-known/smart-configuration":
            return reply(self.configuration())
        if request.place == "token":
            answer = self.token(request)
            return self.spoilt.pop(0)(answer) if self.spoilt else answer
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.given or token in self.revoked:
            return reply(b"", "401 Unauthorized")
        return super().good(request)

    def configuration(self) -> Resource:
        stated: Resource = {
            "token_endpoint": f"{self.address}/token",
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
            "grant_types_supported": ["client_credentials", "authorization_code"],
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["permission-v2"],
        }
        return {key: value for key, value in {**stated, **self.changed}.items() if value is not None}

    def token(self, request: Request) -> bytes:
        form = request.form
        if form.get("grant_type") == "authorization_code":
            return self.exchanged(request)
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        if form.get("grant_type") != "client_credentials" or form.get("client_assertion_type") != kind:
            return refusal("invalid_request")
        if not self.shown(form["client_assertion"]):
            return refusal("invalid_client", "401 Unauthorized")
        return self.gave(self.granted if self.granted is not None else form["scope"])

    def shown(self, assertion: str) -> bool:
        """Whether an assertion holds, by the rules of SMART App Launch 2.2."""
        read = jwt.decode(
            assertion, lambda guest: self.keys[guest.headers()["kid"]], algorithms=["RS384", "ES384"]
        )
        claims = read.claims
        self.assertions.append({**claims, "alg": read.header["alg"], "kid": read.header["kid"]})
        used = [each["jti"] for each in self.assertions[:-1]]
        return (
            claims["iss"] == claims["sub"] == CLIENT
            and claims["aud"] == f"{self.address}/token"
            and NOW < claims["exp"] <= claims["iat"] + 300
            and claims["jti"] not in used
        )

    def exchanged(self, request: Request) -> bytes:
        form = request.form
        if form["code"] != "good code" or challenge(form["code_verifier"]) != self.challenge:
            return refusal("invalid_grant")
        return self.gave("launch patient/Observation.rs", **self.context)

    def gave(self, scope: str, **more: object) -> bytes:
        self.given.append(f"token-{len(self.given) + 1}")
        stated = {"access_token": self.given[-1], "token_type": "bearer", "scope": scope, **more}
        if self.lifetime_s is not None:
            stated["expires_in"] = self.lifetime_s
        return reply(stated)


def refusal(error: str, status: str = "400 Bad Request") -> bytes:
    content = {"error": error, "error_description": "anna is not known to prognosis-of-north"}
    return reply(json.dumps(content).encode(), status)


def basic(request: Request) -> tuple[str, str]:
    """The name and the secret of an Authorization header."""
    shown = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
    name, _, secret = shown.partition(":")
    return unquote_plus(name), unquote_plus(secret)
