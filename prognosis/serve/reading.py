"""Where a service's records come from: it is handed these, and knows no connector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from prognosis.record import PatientRecord


@dataclass(frozen=True, slots=True)
class Chart:
    """One patient of an EHR.

    Attributes:
        record: What could be read.
        set_aside: Resources that could not.
    """

    record: PatientRecord
    set_aside: int = 0


class Records(Protocol):
    """The patients of the service's own sources."""

    def find(self, patient: str, site: str | None) -> PatientRecord | None:
        """The record of a patient; None where there is none.

        Raises:
            InputError: More than one site has the id and none is named.
            SourceError: The source cannot be read.
        """
        ...

    def every(self) -> Iterator[PatientRecord]:
        """Each patient once, as the sources have them now.

        Raises:
            SourceError: A source cannot be read.
        """
        ...

    def held(self) -> Iterator[PatientRecord]:
        """Each patient once, as the sources were last read."""
        ...


class Charts(Protocol):
    """Patients of an EHR, from what it sends or lets be read."""

    @property
    def types(self) -> tuple[str, ...]:
        """The types of resource about a patient that facts are read from."""
        ...

    def of_resources(self, patient: str, resources: Sequence[Mapping[str, Any]]) -> Chart:
        """The chart that FHIR R4 resources make.

        Raises:
            SourceError: The patient is not among them.
        """
        ...

    def of_server(self, base: str, token: str | None, patient: str) -> Chart:
        """The chart that a FHIR R4 server has of one patient.

        Args:
            base: An address of the settings, never one that a client sent.
            token: The client's access token, for that server alone.
            patient: The patient's id there.

        Raises:
            SourceError: The server does not give it.
        """
        ...
