"""What every connector offers: patient records, with the input it could not use set aside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from prognosis.record.patient import PatientRecord
from prognosis.record.quarantine import Quarantine


class RecordSource(Protocol):
    """A place that patient records come from.

    Attributes:
        uri: How the user named it, e.g. "fhir-folder:/data/export".
    """

    uri: str

    def records(self, quarantine: Quarantine) -> Iterator[PatientRecord]:
        """Each patient once, sorted by patient id; what cannot be read goes to `quarantine`.

        Raises:
            SourceError: The source as a whole cannot be read.
        """
        ...
