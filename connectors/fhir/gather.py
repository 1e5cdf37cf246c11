"""What the resources of a source state, kept by resource until every one has been read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TypeVar

from connectors.fhir.mapping import resource_to_facts
from connectors.fhir.mapping_clinical import CONTRADICTED, needs_medication
from connectors.fhir.mapping_endpoints import endpoint_address
from connectors.fhir.mapping_facts import Facts, Person
from connectors.fhir.mapping_fields import Json, source_of
from connectors.fhir.mapping_person import organization_name, patient_to_person
from prognosis.errors import InputError, MappingError
from prognosis.record import Quarantine

Statement = TypeVar("Statement", Facts, Person)


@dataclass(slots=True)
class Gathered:
    """All that was read from a source, or of a group of its patients, not yet joined.

    Every line read is counted once: here in `lines` under its resource until it is joined, or in the
    quarantine. A resource that occurs twice with one meaning counts twice and is used once; with two
    meanings it is withdrawn, since which of them holds is unknown.
    """

    quarantine: Quarantine
    persons: dict[str, Person] = field(default_factory=dict)
    facts: dict[str, Facts] = field(default_factory=dict)
    sites: dict[str, str] = field(default_factory=dict)
    medications: dict[str, Json] = field(default_factory=dict)
    endpoints: dict[str, str] = field(default_factory=dict)
    lines: Counter[str] = field(default_factory=Counter)
    deferred: list[tuple[str, Json]] = field(default_factory=list)
    contradicted: set[str] = field(default_factory=set)

    def add(self, where: str, resource: Json) -> None:
        """Read one resource; what cannot be read is set aside."""
        try:
            source = source_of(resource, where)
            if needs_medication(resource):
                self.deferred.append((source, resource))
            else:
                self._read(source, resource)
        except InputError as error:
            self.quarantine.reject(error)

    def finish(self) -> None:
        """Read what waited for Medication resources, and withdraw what contradicts itself."""
        for source, resource in self.deferred:
            try:
                self._read(source, resource)
            except InputError as error:
                self.quarantine.reject(error)
        self.deferred.clear()
        for source in sorted(self.contradicted):
            self.persons.pop(source, None)
            self.facts.pop(source, None)
            for _ in range(self.lines.pop(source)):
                remedy = "keep one version of each resource"
                self.quarantine.reject(
                    MappingError(source, "occurs more than once with different content", remedy)
                )

    def _read(self, source: str, resource: Json) -> None:
        kind = source.partition("/")[0]
        if kind == "Patient":
            self._keep(self.persons, source, patient_to_person(resource, source))
        elif kind == "Organization":
            self.sites.setdefault(source, organization_name(resource, source))
            self.quarantine.accept(kind)
        elif kind == "Endpoint":
            self.endpoints.setdefault(source, endpoint_address(resource, source))
            self.quarantine.accept(kind)
        elif kind == "Medication":
            first = self.medications.setdefault(source, resource)
            if first.get("code") != resource.get("code"):
                self.medications[source] = CONTRADICTED
            self.quarantine.accept(kind)
        else:
            facts = resource_to_facts(resource, source, self.medications)
            if facts is None:
                self.quarantine.accept(kind)
                self.quarantine.notice(f"{kind} is not a resource type that is read")
            else:
                self._keep(self.facts, source, facts)

    def _keep(self, kept: dict[str, Statement], source: str, statement: Statement) -> None:
        self.lines[source] += 1
        first = kept.setdefault(source, statement)
        if first != statement:
            self.contradicted.add(source)
        elif first is not statement:
            self.quarantine.notice("resource occurs more than once with the same content: used once")
