"""Where a FHIR server says that one logs in: .well-known/smart-configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.fhir.http.client import FhirClient
from connectors.fhir.mapping_fields import Json, string
from connectors.fhir.parse import parse_resource
from prognosis.errors import MappingError, SourceError

WELL_KNOWN = ".well-known/smart-configuration"
JSON_ONLY: Mapping[str, str] = {"Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class SmartConfiguration:
    """What is used of a server's configuration (SMART App Launch 2.2, section 8).

    Attributes:
        token_endpoint: Where tokens are given.
        authorization_endpoint: Where a user's browser is sent; None where the server has none.
        algorithms: That assertions may be signed with; empty where that is not stated.
        methods: By which a client may show itself; empty where that is not stated.
        grants: Kinds of login; empty where that is not stated.
        challenges: Ways of PKCE; empty where that is not stated.
        second_form: Whether scopes of SMART 2 are understood ("system/*.rs").
        issuer: By whom users are named (OpenID Connect); None where the server names no users.
        jwks_uri: Where the keys are by which it signs; None where it does not say.
    """

    token_endpoint: str
    authorization_endpoint: str | None
    algorithms: frozenset[str]
    methods: frozenset[str]
    grants: frozenset[str]
    challenges: frozenset[str]
    second_form: bool
    issuer: str | None = None
    jwks_uri: str | None = None


async def configuration(client: FhirClient) -> SmartConfiguration:
    """Ask a server where one logs in; no token goes along.

    Raises:
        SourceError: It does not say, or names an endpoint at an origin that was not named.
    """
    what = "smart-configuration"
    answer = await client.answer("GET", WELL_KNOWN, what, headers=JSON_ONLY, bearer=False)
    reference = f"{client.origin.name} {what}"
    try:
        return configuration_of(parse_resource(answer.content, reference), reference)
    except MappingError as error:
        remedy = "name the token address yourself, or have the server mended"
        raise SourceError(reference, error.problem, remedy) from error


def configuration_of(stated: Json, reference: str) -> SmartConfiguration:
    """Read a configuration.

    Raises:
        MappingError: It names no token endpoint, or is malformed.
    """
    token_endpoint = string(stated, "token_endpoint", reference)
    if token_endpoint is None:
        raise MappingError(reference, "names no token_endpoint", "name one")
    return SmartConfiguration(
        token_endpoint,
        string(stated, "authorization_endpoint", reference),
        _words(stated, "token_endpoint_auth_signing_alg_values_supported", reference),
        _words(stated, "token_endpoint_auth_methods_supported", reference),
        _words(stated, "grant_types_supported", reference),
        _words(stated, "code_challenge_methods_supported", reference),
        "permission-v2" in _words(stated, "capabilities", reference),
        string(stated, "issuer", reference),
        string(stated, "jwks_uri", reference),
    )


def _words(stated: Json, key: str, reference: str) -> frozenset[str]:
    value = stated.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise MappingError(reference, f"its {key} is no list of words", "send it as SMART defines it")
    return frozenset(value)
