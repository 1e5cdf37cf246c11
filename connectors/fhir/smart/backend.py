"""SMART backend services: a program without a user logs in with its key."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import anyio

from connectors.fhir.http.client import FhirClient
from connectors.fhir.http.limits import Limits
from connectors.fhir.http.origin import Origin
from connectors.fhir.http.retry import RetryPolicy
from connectors.fhir.mapping import PATIENT_FACTS
from connectors.fhir.smart.configuration import JSON_ONLY, configuration
from connectors.fhir.smart.granted import Granted, granted
from connectors.fhir.smart.key import SigningKey
from connectors.fhir.smart.scopes import EVERYTHING, names, not_readable
from prognosis.errors import SourceError

NEEDED = ("Patient", "Organization", "Medication", *PATIENT_FACTS)
"""The types that records are made of."""

RENEWED_BEFORE_S = 30.0
"""A token is renewed so long before it expires, or after three quarters of its life if that is shorter."""

ANSWERS = frozenset({200, 400, 401})
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class _Endpoint:
    address: str
    scopes: tuple[str, ...]


class BackendServices:
    """Tokens for one FHIR server, had by a signed assertion (SMART App Launch 2.2, section 5).

    A token is kept until shortly before it expires, and thrown away when the server refuses it. The address
    of the token endpoint is the server's own statement, and is used where it has the server's origin; one
    elsewhere must be named by the user, so that whoever can change the statement gets nothing signed.

    Args:
        base: The address of the FHIR service.
        client_id: As the server knows this program.
        key: Whose public half the server knows.
        now: Gives seconds since 1970.
        token_url: The token endpoint; None to ask the server for it.
        scopes: To ask for; None for read access to everything.
        policy: When a request is made again.
        limits: Bounds on size and silence.

    Raises:
        SourceError: An address cannot be used, or Patients are not among the scopes.
    """

    def __init__(
        self,
        base: str,
        client_id: str,
        key: SigningKey,
        *,
        now: Callable[[], float],
        token_url: str | None = None,
        scopes: tuple[str, ...] | None = None,
        policy: RetryPolicy | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.origin = Origin(base, also=() if token_url is None else (token_url,))
        self._client_id = client_id
        self._key = key
        self._now = now
        self._policy = policy
        self._limits = limits
        self._scopes = scopes
        self._endpoint = None if token_url is None else _Endpoint(token_url, scopes or (EVERYTHING[False],))
        self._held: Granted | None = None
        self._renew_at = 0.0
        self._turn = anyio.Lock()
        if not self.covers("Patient"):
            remedy = "ask for system/Patient.rs too"
            raise SourceError(self.origin.name, "no Patients are among the scopes to ask for", remedy)

    async def token(self) -> str:
        """The token of the moment, a new one where the last is about to expire.

        Raises:
            SourceError: The server gives none, or one that does not allow what was asked for.
        """
        async with self._turn:
            if self._held is None or self._now() >= self._renew_at:
                self._held = await self._new()
                spare = min(RENEWED_BEFORE_S, self._held.lifetime_s / 4)
                self._renew_at = self._now() + self._held.lifetime_s - spare
            return self._held.token

    async def renew(self, refused: str) -> bool:
        """True: a token that was refused before its time is thrown away, and the next one is new."""
        async with self._turn:
            if self._held is not None and self._held.token == refused:
                self._held = None
        return True

    def covers(self, kind: str) -> bool:
        """Whether a type is among the scopes that are asked for."""
        return self._scopes is None or any(names(scope, kind) for scope in self._scopes)

    async def _new(self) -> Granted:
        async with FhirClient(self.origin, policy=self._policy, limits=self._limits) as client:
            if self._endpoint is None:
                self._endpoint = await self._found(client)
            endpoint = self._endpoint

            def form() -> Mapping[str, str]:
                jti = secrets.token_urlsafe(32)
                return {
                    "grant_type": "client_credentials",
                    "scope": " ".join(endpoint.scopes),
                    "client_assertion_type": ASSERTION_TYPE,
                    "client_assertion": self._key.assertion(
                        self._client_id, endpoint.address, self._now(), jti
                    ),
                }

            answer = await client.answer(
                "POST", endpoint.address, "token endpoint", headers=JSON_ONLY, form=form, accepted=ANSWERS
            )
        reference = f"{self.origin.name} token endpoint"
        given = granted(answer, endpoint.scopes, reference)
        needed = tuple(kind for kind in NEEDED if self.covers(kind))
        lacking = not_readable(needed, endpoint.scopes, given.scopes, "system")
        if lacking:
            problem = f"grants no reading of {', '.join(lacking)}"
            remedy = "have these scopes granted, or ask only for those of the types that are to be read"
            raise SourceError(reference, problem, remedy)
        return given

    async def _found(self, client: FhirClient) -> _Endpoint:
        stated = await configuration(client)
        reference = f"{self.origin.name} smart-configuration"
        for offered, ours in (
            (stated.algorithms, self._key.algorithm),
            (stated.methods, "private_key_jwt"),
            (stated.grants, "client_credentials"),
        ):
            if offered and ours not in offered:
                remedy = "give a key of the other kind, or ask the server's owner"
                raise SourceError(reference, f"does not offer {ours}", remedy)
        try:
            self.origin.reached(stated.token_endpoint)
        except SourceError as error:
            problem = "names a token endpoint at another origin than the server's"
            remedy = "name its address yourself (PROGNOSIS_FHIR_TOKEN_URL) if it is to be trusted"
            raise SourceError(reference, problem, remedy) from error
        # As the server wrote it: the assertion's audience is compared letter by letter.
        return _Endpoint(stated.token_endpoint, self._scopes or (EVERYTHING[stated.second_form],))
