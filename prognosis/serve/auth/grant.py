"""What a client may ask for, as its token says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from prognosis.errors import AccessError

_SCOPE = re.compile(r"(patient|user|system)/(\*|[A-Z][A-Za-z]*)\.(read|\*|c?r?u?d?s?)\Z")
"""SMART App Launch 1.0 and 2.0; a scope with search parameters grants nothing here."""

EVERY_TYPE = "*"
ANSWERS = "RiskAssessment"
"""What an answer is in FHIR: who may read these of a patient may read the answer."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Who asks and what they may read.

    Attributes:
        client: The issuer.
        patient: The one patient whom the token is bound to; None where it is bound to none.
        scopes: (level, resource type) that may be read.
        services: Of CDS Hooks, by id; all where empty.
        fhir_servers: Whose patients may be asked about over CDS Hooks.
    """

    client: str
    patient: str | None = None
    scopes: frozenset[tuple[str, str]] = frozenset()
    services: tuple[str, ...] = ()
    fhir_servers: tuple[str, ...] = ()

    def require_patient(self, patient: str, site: str | None, resource: str) -> None:
        """Refuse unless this patient may be read; whether there is such a patient is not looked up.

        A `user/` scope says what a user may read and not of whom, so it counts only with a patient in the
        token; a token that names a patient is bound to that one, whatever its scopes.

        Args:
            patient: The id asked for.
            site: The site asked for; None for any.
            resource: The type of what is to be read; `EVERY_TYPE` for the whole record.

        Raises:
            AccessError: The token does not allow it.
        """
        levels = {level for level, of in self.scopes if of in (EVERY_TYPE, resource)}
        named = patient if site is None else f"{site}/{patient}"
        bound = self.patient is not None and self.patient == named
        if (bound and levels) or (self.patient is None and "system" in levels):
            return
        raise _denied()

    def require_population(self) -> None:
        """Refuse unless counts over all patients may be read.

        Raises:
            AccessError: The token is bound to a patient, or does not reach all of them.
        """
        if self.patient is None and any(
            level in ("system", "user") and of == EVERY_TYPE for level, of in self.scopes
        ):
            return
        raise _denied()

    def require_service(self, service: str) -> None:
        """Refuse a CDS Hooks service that the client was not given.

        Raises:
            AccessError: It is not among the client's.
        """
        if self.services and service not in self.services:
            raise _denied()


def _denied() -> AccessError:
    """One error for all: it must not tell whether what was asked for exists."""
    return AccessError("the token", "does not allow this", "ask with a token whose scopes and patient do")


def everything(client: str) -> Grant:
    """The grant of whoever sits at this machine, where nobody else can ask."""
    return Grant(client, scopes=frozenset({("system", EVERY_TYPE)}))


def readable(scopes: Iterable[str]) -> frozenset[tuple[str, str]]:
    """The (level, type) pairs that may be read under SMART scopes; others are passed over."""
    found = set()
    for scope in scopes:
        match = _SCOPE.match(scope)
        if match and (match[3] in ("read", "*") or "r" in match[3]):
            found.add((match[1], match[2]))
    return frozenset(found)
