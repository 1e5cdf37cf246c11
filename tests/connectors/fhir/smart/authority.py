"""A FHIR server in this process that gives tokens, and checks what it is shown as a server must."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from connectors.fhir.smart.launch import challenge
from tests.connectors.fhir.resources import Resource
from tests.connectors.fhir.ward import Request, Ward, reply

NOW = 1_700_000_000.0
CLIENT = "prognosis-of-north"
ISSUER = "https://login.example.org"


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
        context: What a launch is given beside its token.
        launch_scope: What a launch is granted.
        signs: By which key and algorithm it says who the user is; None for a server that does not.
        published: Its JWK Set; None for that of the key that signs.
        header: Put over the header of an id_token; None takes a name away.
        claims: Put over its claims; None takes one away.
        nonce: Of the launch that it has authorised.
        refresh_token: The one that holds; a renewal replaces it where it `rotates`.
        refreshed: Refresh tokens that it was shown, in order.
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
    launch_scope: str | None = "launch patient/Observation.rs"
    signs: tuple[str, RSAKey | ECKey | OctKey] | None = None
    published: object = None
    header: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    nonce: str = ""
    refresh_token: str | None = None
    rotates: bool = True
    refreshed: list[str] = field(default_factory=list)

    def good(self, request: Request) -> bytes:
        if request.place == ".well-known/smart-configuration":
            return reply(self.configuration())
        if request.place == "jwks":
            return reply(json.dumps(self.key_set()).encode())
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
        if self.signs is not None:
            stated |= {"issuer": ISSUER, "jwks_uri": f"{self.address}/jwks"}
        return {key: value for key, value in {**stated, **self.changed}.items() if value is not None}

    def key_set(self) -> object:
        if self.published is not None:
            return self.published
        assert self.signs is not None
        return {"keys": [{**self.signs[1].as_dict(private=False), "kid": "of-the-issuer", "use": "sig"}]}

    def id_token(self) -> str:
        """Who the user is, signed; `header` and `claims` make it another."""
        assert self.signs is not None
        algorithm, key = self.signs
        stated = {"iss": ISSUER, "aud": CLIENT, "sub": "user-9", "iat": int(NOW), "exp": int(NOW) + 600}
        stated |= {"nonce": self.nonce, "fhirUser": f"{self.address}/Practitioner/7"}
        claims = {name: each for name, each in {**stated, **self.claims}.items() if each is not None}
        header = {"alg": algorithm, "kid": "of-the-issuer", "typ": "JWT", **self.header}
        signed = {name: each for name, each in header.items() if each is not None}
        return jws.serialize_compact(signed, json.dumps(claims), key, algorithms=[algorithm])

    def token(self, request: Request) -> bytes:
        form = request.form
        if form.get("grant_type") == "authorization_code":
            return self.exchanged(request)
        if form.get("grant_type") == "refresh_token":
            return self.renewed(request)
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
        user = {} if self.signs is None else {"id_token": self.id_token()}
        return self.gave(self.launch_scope, **{**user, **self.kept(), **self.context})

    def renewed(self, request: Request) -> bytes:
        shown = request.form["refresh_token"]
        self.refreshed.append(shown)
        if shown != self.refresh_token:
            self.refresh_token = None  # a token that was used before is taken for stolen
            return refusal("invalid_grant")
        if self.rotates:
            self.refresh_token = f"refresh-{len(self.refreshed) + 1}"
        return self.gave(self.launch_scope, **{**self.kept(), **self.context})

    def kept(self) -> Resource:
        return {} if self.refresh_token is None else {"refresh_token": self.refresh_token}

    def gave(self, scope: str | None, **more: object) -> bytes:
        self.given.append(f"token-{len(self.given) + 1}")
        stated = {"access_token": self.given[-1], "token_type": "bearer", "scope": scope, **more}
        stated = {name: each for name, each in stated.items() if each is not None}
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
