"""The login of a launch kept while its user works: a new token before the old one ends (refresh tokens)."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from connectors.fhir.http.limits import Limits
from connectors.fhir.mapping_fields import string
from connectors.fhir.smart.backend import RENEWED_BEFORE_S
from connectors.fhir.smart.granted import Granted
from connectors.fhir.smart.launch import PendingLaunch, Registration
from connectors.fhir.smart.launched import Launched, context_id, exchanged
from connectors.fhir.smart.scopes import reads
from prognosis.errors import MappingError, SourceError


class LaunchLogin:
    """Tokens for the FHIR server of one launch, for as long as the server renews them.

    A refresh token is the longest-lived secret that a launch gives. It is kept in this object alone, never
    written, logged or shown, and replaced by what comes with each renewal: servers that rotate refresh
    tokens take one that was used before for stolen (RFC 6749, section 10.4), so each is sent once.

    A renewal that fails costs nothing while the token still holds. A renewal for another patient than the
    launch's is refused: an app that went on would show one patient's risk in another's chart.

    Args:
        registration: Of the app.
        pending: The launch.
        launch: What it gave, just now: its token's life is counted from here.
        now: Gives seconds since 1970.
        limits: Bounds on size and silence.
    """

    def __init__(
        self,
        registration: Registration,
        pending: PendingLaunch,
        launch: Launched,
        *,
        now: Callable[[], float],
        limits: Limits | None = None,
    ) -> None:
        self._registration = registration
        self._pending = pending
        self._now = now
        self._limits = limits
        self._patient = launch.patient
        self._refresh_token = launch.refresh_token
        self._token: str | None = launch.token
        self._scopes = launch.scopes
        self._turn = anyio.Lock()
        self._count_from(now(), launch.lifetime_s)

    async def token(self) -> str:
        """The token of the moment, a new one where the last is about to end.

        Raises:
            SourceError: It has ended, and there is no other.
        """
        async with self._turn:
            if self._token is None or self._now() >= self._renew_at:
                await self._renewed()
            if self._token is None:
                raise self._ended()
            return self._token

    async def renew(self, refused: str) -> bool:
        """Whether another token may be had than one that the server refused before its time."""
        async with self._turn:
            if self._token == refused:
                self._token = None
            return self._token is not None or self._refresh_token is not None

    def covers(self, kind: str) -> bool:
        """Whether all of a type may be read within the launch's patient, or as its user may."""
        return any(reads(scope, kind, context) for scope in self._scopes for context in ("patient", "user"))

    async def _renewed(self) -> None:
        """Have a new token, or leave one that still holds."""
        began, held = self._now(), self._token
        if began >= self._ends_at:
            held = self._token = None
        if self._refresh_token is None:
            return
        try:
            given = await self._exchanged(self._refresh_token, began)
        except SourceError:
            if held is None:
                raise
            self._renew_at = self._ends_at  # not at every request until then
            return
        self._token, self._scopes = given.token, given.scopes
        self._count_from(began, given.lifetime_s)

    async def _exchanged(self, refresh_token: str, began: float) -> Granted:
        """What a refresh token gives (RFC 6749, section 6), the next refresh token taken over."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        given = await exchanged(self._registration, self._pending, form, self._scopes, began, self._limits)
        reference = f"{self._registration.origin_of(self._pending.base).name} token endpoint"
        try:
            patient = context_id(given.stated, "patient", reference)
            self._refresh_token = string(given.stated, "refresh_token", reference) or refresh_token
        except MappingError as error:
            raise SourceError(error.reference, error.problem, error.remedy) from error
        if patient is not None and patient != self._patient:
            self._token = self._refresh_token = None
            problem = "renews the login for another patient than the launch's"
            raise SourceError(reference, problem, "begin the launch again from the chart that is open")
        return given

    def _count_from(self, began: float, lifetime_s: float) -> None:
        self._ends_at = began + lifetime_s
        self._renew_at = self._ends_at - min(RENEWED_BEFORE_S, lifetime_s / 4)

    def _ended(self) -> SourceError:
        remedy = "begin the launch again; the scope online_access or offline_access lets a login be renewed"
        name = self._registration.origin_of(self._pending.base).name
        return SourceError(name, "the login of this launch has ended and cannot be renewed", remedy)
