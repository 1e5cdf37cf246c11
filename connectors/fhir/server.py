"""A FHIR R4 server as a source of patient records, pulled over REST."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from connectors.fhir.join import records_of
from connectors.fhir.links import settled_persons
from prognosis.errors import SourceError
from prognosis.record import PatientRecord, Quarantine

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

    from connectors.fhir.http.client import FhirClient
    from connectors.fhir.http.limits import Limits
    from connectors.fhir.http.login import Login
    from connectors.fhir.http.retry import RetryPolicy


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed on a server.

    Attributes:
        patient_ids: Of every patient whose record is to be exchanged, those that were replaced among them.
        records: Their records as they are now.
    """

    patient_ids: frozenset[str]
    records: tuple[PatientRecord, ...]


PATIENTS_AT_ONCE = 20
"""Patients whose facts are in memory at one time, and whose ids go into one search."""


class FhirServer:
    """All patients of a FHIR R4 server, with the resources that the mapping reads.

    The Patients are read first, their links followed, and then the facts of a group of patients at a time:
    memory holds all Patients and one group. Every match of every search is counted once, as accepted under
    its type or as one rejection, and held against the server's own count (Bundle.total). A search that
    cannot be had to its end is a SourceError: no patient is given with a part of the facts.

    Args:
        base: The address of the FHIR service, "https://fhir.example.org/r4".
        uri: How the user named it, "fhir-server:https://fhir.example.org/r4".
        token: Gives a bearer token, sent to the server's own origin only; None where none is asked for.
        login: Gets such a token and renews it, instead: `connectors.fhir.smart.BackendServices`.
        policy: When a request is made again.
        limits: Bounds on the size of answers, on silence and on requests at once.
        patients_at_once: Patients in a group.
        latest: Facts dated later are set aside; None for no limit.

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
        patients_at_once: int = PATIENTS_AT_ONCE,
        latest: datetime | None = None,
    ) -> None:
        from connectors.fhir.http.origin import Origin

        self.origin = Origin(base)
        self.uri = uri
        self.token = token
        self.login = login
        self.policy = policy
        self.limits = limits
        self.patients_at_once = patients_at_once
        self.latest = latest

    def records(self, quarantine: Quarantine) -> Iterator[PatientRecord]:
        """Each patient once, sorted by patient id; what cannot be read goes to `quarantine`.

        The requests run in a thread of their own, so that this may be called from a notebook too.

        Raises:
            SourceError: The server cannot be used, gives less than it says it has, or has no Patient that
                can be read.
        """
        from connectors.fhir.pull import every_patient, facts_about, offered_types

        with self._connected() as (portal, client):
            offered = portal.call(offered_types, client, quarantine)
            people = portal.call(every_patient, client, offered, quarantine)
            if not people.persons:
                problem = f"holds no Patient that can be read ({len(quarantine)} rejections)"
                raise SourceError(self.uri, problem, "give a token that may read Patients")
            persons = settled_persons(people)
            order = persons.in_order()
            for start in range(0, len(order), self.patients_at_once):
                chosen = order[start : start + self.patients_at_once]
                group = portal.call(facts_about, client, chosen, people, persons, offered)
                yield from records_of(group, persons, chosen, self.latest)

    def patient(self, patient_id: str, quarantine: Quarantine) -> tuple[PatientRecord, ...]:
        """The record of one patient, as `records` would give it, without reading the others.

        Args:
            patient_id: As records have it: Patient.id, or the identifier that an export gave it.
            quarantine: Where what cannot be read of this patient goes.

        Returns:
            One at each site that has the id; none where there is no such patient, or another has replaced it.

        Raises:
            SourceError: The server cannot be used, or gives less than it says it has.
        """
        from connectors.fhir.one import people_named
        from connectors.fhir.pull import facts_about, offered_types

        with self._connected() as (portal, client):
            offered = portal.call(offered_types, client, quarantine)
            people = portal.call(people_named, client, patient_id, offered, quarantine)
            persons = settled_persons(people)
            chosen = [each for each in persons.in_order() if persons.kept[each].patient_id == patient_id]
            if not chosen:
                return ()
            group = portal.call(facts_about, client, chosen, people, persons, offered)
            return tuple(records_of(group, persons, chosen, self.latest))

    def changes(self, since: datetime, quarantine: Quarantine) -> Changes | None:
        """The patients of whom something changed since a time, read anew; see `connectors.fhir.changes`.

        Returns:
            None where the server cannot tell, so that all must be read.

        Raises:
            SourceError: The server cannot be used, or gives less than it says it has.
        """
        from connectors.fhir.changes import changed_patients
        from connectors.fhir.one import people_of
        from connectors.fhir.pull import facts_about, offered_types

        with self._connected() as (portal, client):
            offered = portal.call(offered_types, client, quarantine)
            ids = portal.call(changed_patients, client, since, offered)
            if ids is None:
                return None
            people = portal.call(people_of, client, ids, offered, quarantine)
            if not {f"Patient/{each}" for each in ids} <= people.persons.keys():
                return None  # one of them is gone, or cannot be read any more
            persons = settled_persons(people)
            order, records = persons.in_order(), list[PatientRecord]()
            for start in range(0, len(order), self.patients_at_once):
                chosen = order[start : start + self.patients_at_once]
                group = portal.call(facts_about, client, chosen, people, persons, offered)
                records += records_of(group, persons, chosen, self.latest)
            return Changes(frozenset(each.patient_id for each in people.persons.values()), tuple(records))

    def clock(self) -> datetime | None:
        """The server's own time, from the Date of an answer; None where it states none.

        Raises:
            SourceError: The server cannot be used.
        """
        from connectors.fhir.changes import clock_of

        with self._connected() as (portal, client):
            return portal.call(clock_of, client)

    @contextmanager
    def _connected(self) -> Iterator[tuple[BlockingPortal, FhirClient]]:
        from anyio.from_thread import start_blocking_portal

        from connectors.fhir.http.client import FhirClient

        client = FhirClient(
            self.origin, token=self.token, login=self.login, policy=self.policy, limits=self.limits
        )
        with start_blocking_portal() as portal, portal.wrap_async_context_manager(client):
            yield portal, client
