"""How the command line logs in to a FHIR server: with a token, or with a client id and a key."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from prognosis.errors import SourceError

if TYPE_CHECKING:
    from connectors.fhir.http.login import Login

BEARER_VARIABLE = "PROGNOSIS_FHIR_TOKEN"
"""Holds the bearer token for the one FHIR server that is named."""

CLIENT_VARIABLE = "PROGNOSIS_FHIR_CLIENT_ID"
"""Holds the id under which the server knows this program."""

KEY_VARIABLE = "PROGNOSIS_FHIR_KEY"
"""Names the file that holds the private key of this program."""

TOKEN_URL_VARIABLE = "PROGNOSIS_FHIR_TOKEN_URL"  # noqa: S105 - the variable's name
"""Holds the address of the token endpoint, where the server does not state it or states another host."""

SCOPES_VARIABLE = "PROGNOSIS_FHIR_SCOPES"
"""Holds the scopes to ask for, between spaces; read access to everything without it."""

CREDENTIALS = (BEARER_VARIABLE, CLIENT_VARIABLE, KEY_VARIABLE)


def fhir_login(base: str) -> Login | None:
    """What the environment gives for one server; None where it gives nothing.

    Args:
        base: The address of the FHIR service.

    Raises:
        SourceError: A token and a key are both given, or half of what a login needs; the key cannot be used.
    """
    from connectors.fhir.http.login import GivenToken

    token, client_id, key = (os.environ.get(name) for name in CREDENTIALS)
    if token is not None and (client_id or key):
        problem = f"{BEARER_VARIABLE} and {KEY_VARIABLE} or {CLIENT_VARIABLE} are both set"
        raise SourceError("the environment", problem, "keep the token, or the client id and its key")
    if bool(client_id) != bool(key):
        problem = f"one of {CLIENT_VARIABLE} and {KEY_VARIABLE} is set without the other"
        raise SourceError("the environment", problem, "set both, or neither")
    if not client_id or not key:
        stray = [name for name in (TOKEN_URL_VARIABLE, SCOPES_VARIABLE) if os.environ.get(name)]
        if stray:
            problem = f"{stray[0]} is set, and {CLIENT_VARIABLE} is not"
            raise SourceError("the environment", problem, "set the client id and its key too, or neither")
        return None if token is None else GivenToken(lambda: token)
    from connectors.fhir.smart import BackendServices, SigningKey

    scopes = os.environ.get(SCOPES_VARIABLE)
    return BackendServices(
        base,
        client_id,
        SigningKey.load(Path(key)),
        now=time.time,
        token_url=os.environ.get(TOKEN_URL_VARIABLE) or None,
        scopes=tuple(scopes.split()) if scopes else None,
    )
