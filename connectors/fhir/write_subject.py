"""Whom written resources are about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connectors.fhir.mapping_references import patient_key
from connectors.fhir.write_elements import Resource
from connectors.fhir.write_ids import IdRegister


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a resource is about, and what its derived id depends on."""

    patient: str
    died: datetime | None
    ids: IdRegister

    def by_death(self, time: datetime) -> datetime:
        """The time, or that of the death where it is later: nothing is done to a patient after it."""
        return min(time, self.died) if self.died is not None else time

    def resource(self, kind: str, source: str) -> Resource:
        """The start of a resource about this patient."""
        identity = self.ids.for_source(kind, source, self.patient)
        return {"resourceType": kind, "id": identity, patient_key(kind): {"reference": self.patient}}
