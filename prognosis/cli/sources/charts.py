"""One patient of an EHR: from resources that it sent, or from its FHIR server with a token that it gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prognosis.errors import SourceError
from prognosis.record import Quarantine
from prognosis.serve.reading import Chart

if TYPE_CHECKING:
    from connectors.fhir.gather import Gathered
    from connectors.fhir.http.client import FhirClient

DEADLINE_S = 8.0


class FhirCharts:
    """Charts as FHIR R4 has them; the same mapping reads them as reads a server or an export.

    What cannot be read is set aside and counted with the chart, so that the answer can say so: nobody looks
    into the quarantine of a chart that was opened.
    """

    @property
    def types(self) -> tuple[str, ...]:
        """The types of resource about a patient that facts are read from."""
        from connectors.fhir.mapping import PATIENT_FACTS

        return PATIENT_FACTS

    def of_resources(self, patient: str, resources: Sequence[Mapping[str, Any]]) -> Chart:
        """The chart that resources make.

        Raises:
            SourceError: The patient is not among them.
        """
        from connectors.fhir.gather import Gathered

        gathered = Gathered(Quarantine())
        for number, resource in enumerate(resources, start=1):
            gathered.add(f"resource {number}", dict(resource))
        gathered.finish()
        return _only(gathered, gathered, patient)

    def of_server(self, base: str, token: str | None, patient: str) -> Chart:
        """The chart that a FHIR R4 server has of one patient.

        Args:
            base: The server's address.
            token: A bearer token, sent to this server's own origin only.
            patient: The patient's id there.

        Raises:
            SourceError: The server does not give it.
        """
        from anyio.from_thread import start_blocking_portal

        from connectors.fhir.http.client import FhirClient
        from connectors.fhir.http.limits import Limits
        from connectors.fhir.http.origin import Origin
        from connectors.fhir.http.retry import RetryPolicy

        client = FhirClient(
            Origin(base),
            token=None if token is None else lambda: token,
            policy=RetryPolicy(attempts=2, deadline_s=DEADLINE_S),
            limits=Limits(silence_s=DEADLINE_S),
        )
        with start_blocking_portal() as portal, portal.wrap_async_context_manager(client):
            return portal.call(_pulled, client, patient)


async def _pulled(client: FhirClient, patient: str) -> Chart:
    from connectors.fhir.gather import Gathered
    from connectors.fhir.links import settled_persons
    from connectors.fhir.one import add_linked
    from connectors.fhir.pull import facts_about, offered_types

    quarantine = Quarantine()
    offered = await offered_types(client, quarantine)
    people = Gathered(quarantine)
    await add_linked(client, (patient,), people)
    people.finish()
    persons = settled_persons(people)
    source = persons.standing_for(f"Patient/{patient}")
    if source is None:
        raise SourceError(client.origin.name, "has no such Patient that can be read", "check the id")
    group = await facts_about(client, (source,), people, persons, offered)
    return _only(group, people, patient)


def _only(group: Gathered, people: Gathered, patient: str) -> Chart:
    """The one record of a chart, and how much was set aside.

    Raises:
        SourceError: There is no record.
    """
    from connectors.fhir.join import records_of
    from connectors.fhir.links import settled_persons

    persons = settled_persons(people)
    source = persons.standing_for(f"Patient/{patient}")
    if source is None:
        raise SourceError("the chart", "has no Patient that can be read", "send the Patient")
    record = next(iter(records_of(group, persons, (source,), None)))
    return Chart(record, len(group.quarantine))
