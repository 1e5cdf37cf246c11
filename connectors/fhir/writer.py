"""A FHIR R4 server as a place to write answers to, and to withdraw them from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from connectors.fhir.mapping_fields import Json
from prognosis.errors import WriteError

if TYPE_CHECKING:
    from connectors.fhir.http.client import FhirClient
    from connectors.fhir.http.limits import Limits
    from connectors.fhir.http.login import Login
    from connectors.fhir.http.retry import RetryPolicy
    from connectors.fhir.http.transaction import Written

Given = TypeVar("Given")

UNREVIEWED = frozenset({"preliminary", "cancelled", "active"})
"""Statuses under which a resource of ours may be written again: nobody has taken it over yet."""

WITHDRAWN = "entered-in-error"


class FhirWriter:
    """Writes under names that follow from the content, so that writing twice writes once.

    A resource is kept under an id of our choosing (PUT), in one transaction with the others: R4 can search
    RiskAssessment by identifier, but not every server does, and Provenance and AuditEvent have no identifier
    to be conditional on. An update names the version that it replaces. See docs/write-back.md.

    Args:
        base: The address of the FHIR service.
        uri: How the user named it.
        token: Gives a bearer token, sent to the server's own origin only; None where none is asked for.
        login: Gets such a token and renews it, instead.
        policy: How often, and after how long, an unclear write is looked at and made again.
        limits: Bounds on the size of answers, on silence and on requests at once.

    Raises:
        SourceError: The address is no https address, or plain http to another machine, or carries more than
            scheme, host, port and path.
    """

    def __init__(
        self,
        base: str,
        uri: str,
        *,
        token: Callable[[], str] | None = None,
        login: Login | None = None,
        policy: RetryPolicy | None = None,
        limits: Limits | None = None,
    ) -> None:
        from connectors.fhir.http.origin import Origin

        self.origin = Origin(base)
        self.uri = uri
        self.token = token
        self.login = login
        self.policy = policy
        self.limits = limits

    def takes(self, kinds: Sequence[str]) -> dict[str, bool | None]:
        """Whether the server says that clients may write some types under ids of their own; None: not said.

        Raises:
            WriteError: The server offers no transactions.
        """
        from connectors.fhir.target import takes

        return self._asked(lambda client: takes(client, kinds))

    def subject(self, patient_id: str, birth_date: date | None = None, sex: str | None = None) -> str:
        """The patient as the server names it, "Patient/x"; see `connectors.fhir.target.subject_of`.

        Raises:
            WriteError: There is none, there are several, another has replaced it, or it is somebody else.
        """
        from connectors.fhir.target import subject_of

        return self._asked(lambda client: subject_of(client, patient_id, birth_date, sex))

    def check_sources(self, cited: Sequence[str], subject: str) -> None:
        """Refuse what cites resources that the server does not hold about this patient.

        Raises:
            WriteError: A cited resource is not there, or is about somebody else.
        """
        from connectors.fhir.target import check_sources

        return self._asked(lambda client: check_sources(client, cited, subject))

    def write(
        self, resources: Sequence[Json], unwanted: Mapping[str, str] | None = None
    ) -> tuple[Written, ...]:
        """Have the server hold these resources, all of them or none.

        Args:
            resources: Each with an id and an identifier of ours.
            unwanted: Names of what may be there from an earlier answer under the same key, each with the
                value of its identifier; it is marked as entered in error in the same transaction.

        Raises:
            WriteError: The server refuses them, holds something else afterwards or under their names, or a
                person has taken one over or withdrawn it.
        """
        from connectors.fhir.http.transaction import named, settle

        wanted = {name: _replacing(name, resource) for name, resource in named(resources).items()}
        systems = {each["system"] for resource in resources for each in resource["identifier"]}
        for name, value in (unwanted or {}).items():
            wanted[name] = _giving_way({(system, value) for system in systems}, name)
        return self._asked(lambda client: settle(client, wanted))

    def record(self, resources: Sequence[Json]) -> tuple[Written, ...]:
        """Have the server hold these records of acts, which are never changed once they are there.

        Raises:
            WriteError: The server refuses them, or holds something else afterwards.
        """
        from connectors.fhir.http.transaction import named, settle

        wanted = {name: _once(resource) for name, resource in named(resources).items()}
        return self._asked(lambda client: settle(client, wanted))

    def withdraw(self, names: Mapping[str, str], system: str) -> tuple[Written, ...]:
        """Mark what is there of these resources as entered in error.

        Args:
            names: Each name with the value of its identifier; one that the server holds without this
                identifier is not ours, and stays as it is.
            system: Of the identifiers.

        Raises:
            WriteError: The server refuses it, or holds something else afterwards.
        """
        from connectors.fhir.http.transaction import settle

        wanted = {name: _withdrawing({(system, value)}) for name, value in names.items()}
        return self._asked(lambda client: settle(client, wanted))

    def about(self, subject: str, kinds: Sequence[str]) -> tuple[Json, ...]:
        """The resources of some types about a patient that carry an answer's identifier.

        Types that the server cannot search by patient give none: see `searched_by_patient`.

        Raises:
            SourceError: The server gives less than it says there is.
        """
        from connectors.fhir.target import answers_about

        return self._asked(lambda client: answers_about(client, subject, kinds))

    def searched_by_patient(self, kinds: Sequence[str]) -> tuple[str, ...]:
        """Those of some types that the server says it can search by patient."""
        from connectors.fhir.target import searched_by_patient

        return self._asked(lambda client: searched_by_patient(client, kinds))

    def _asked(self, what: Callable[[FhirClient], Awaitable[Given]]) -> Given:
        """What a conversation with the server gives, in a thread of its own as in `FhirServer.records`."""
        from anyio.from_thread import start_blocking_portal

        from connectors.fhir.http.client import FhirClient

        async def conversation() -> Given:
            async with FhirClient(
                self.origin, token=self.token, login=self.login, policy=self.policy, limits=self.limits
            ) as client:
                return await what(client)

        with start_blocking_portal() as portal:
            return portal.call(conversation)


def _replacing(name: str, resource: Json) -> Callable[[Json | None], Json | None]:
    """What is there becomes `resource`, unless it says so already or is no longer ours to change."""
    from connectors.fhir.http.difference import difference

    def change(held: Json | None) -> Json | None:
        if held is None:
            return resource
        if not _identifiers(resource) <= _identifiers(held):
            problem = "is the name of another resource on the server, which was not written by prognosis"
            raise WriteError(name, problem, "move that resource")
        status = held.get("status")
        if status == WITHDRAWN:
            raise WriteError(name, "was retracted, and is not written again", "ask at another index time")
        taken_over = status not in UNREVIEWED
        if difference({**resource, "status": status} if taken_over else resource, held) is None:
            return None
        if taken_over:
            problem = "was taken out of the status preliminary by somebody, and says something else now"
            raise WriteError(name, problem, "leave it, or retract it")
        return resource

    return change


def _once(resource: Json) -> Callable[[Json | None], Json | None]:
    return lambda held: resource if held is None else None


def _withdrawing(identifiers: set[tuple[str, str]]) -> Callable[[Json | None], Json | None]:
    def change(held: Json | None) -> Json | None:
        if held is None or held.get("status") == WITHDRAWN or not identifiers & _identifiers(held):
            return None
        return {**held, "status": WITHDRAWN}

    return change


def _giving_way(identifiers: set[tuple[str, str]], name: str) -> Callable[[Json | None], Json | None]:
    """What is there of ours is withdrawn, unless a person has taken it over."""
    withdraw = _withdrawing(identifiers)

    def change(held: Json | None) -> Json | None:
        withdrawn = withdraw(held)
        if withdrawn is not None and held is not None and held.get("status") not in UNREVIEWED:
            problem = "was taken out of the status preliminary by somebody, and is no part of the answer now"
            raise WriteError(name, problem, "leave it, or retract it")
        return withdrawn

    return change


def _identifiers(resource: Json) -> set[tuple[str, str]]:
    stated = resource.get("identifier")
    listed = stated if isinstance(stated, list) else []
    return {(str(each.get("system")), str(each.get("value"))) for each in listed if isinstance(each, dict)}
