"""What a token endpoint answers, read without repeating any of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.fhir.http.answer import Answer
from connectors.fhir.http.client import BEARER
from connectors.fhir.mapping_fields import Json, string
from connectors.fhir.parse import parse_resource
from prognosis.errors import MappingError, SourceError

UNSTATED_LIFETIME_S = 300.0
"""Where expires_in is missing: the longest life that SMART recommends for a program's token."""

_OAUTH_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    }
)
"""RFC 6749, section 5.2."""


@dataclass(frozen=True, slots=True)
class Granted:
    """An access token and what came with it.

    Attributes:
        token: Never shown.
        lifetime_s: Seconds for which it holds.
        scopes: What it allows; as asked where the server does not say otherwise (RFC 6749, section 5.1).
        stated: The whole answer, for what a launch adds; never shown.
    """

    token: str = field(repr=False)
    lifetime_s: float
    scopes: tuple[str, ...]
    stated: Json = field(repr=False)


def granted(answer: Answer, asked: tuple[str, ...], reference: str) -> Granted:
    """Read the answer of a token endpoint.

    Args:
        answer: With status 200, or with 400 or 401 and an error.
        asked: The scopes asked for.
        reference: The endpoint, for errors.

    Raises:
        SourceError: It gives no bearer token.
    """
    try:
        stated = parse_resource(answer.content, reference)
        if answer.status != 200:
            raise _refused(stated, answer.status, reference)
        token = string(stated, "access_token", reference)
        kind = string(stated, "token_type", reference)
        scope = string(stated, "scope", reference)
    except MappingError as error:
        problem = f"answers with status {answer.status}, and its answer {error.problem}"
        raise SourceError(reference, problem, "check the address, or have the server mended") from error
    if token is None or not BEARER.match(token) or kind is None or kind.lower() != "bearer":
        raise SourceError(reference, "gives no bearer token", "have the server mended")
    lifetime = stated.get("expires_in", UNSTATED_LIFETIME_S)
    if isinstance(lifetime, bool) or not isinstance(lifetime, int | float) or lifetime <= 0:
        raise SourceError(reference, "gives a token without a lifetime in seconds", "have the server mended")
    return Granted(token, float(lifetime), tuple(scope.split()) if scope is not None else asked, stated)


def _refused(stated: Json, status: int, reference: str) -> SourceError:
    code = stated.get("error")
    known = isinstance(code, str) and code in _OAUTH_ERRORS
    problem = f"refuses the login with status {status}" + (f" ({code})" if known else "")
    remedy = {
        "invalid_client": "check the client id, that the public key is registered there, and this clock",
        "invalid_scope": "ask for scopes that the client is registered for",
        "invalid_grant": "begin the launch again: a code holds once and shortly, and the user may have left",
    }.get(str(code), "check the client id and what it is registered for")
    return SourceError(reference, problem, remedy)
