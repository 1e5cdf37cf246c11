"""What every connector offers: patient records, with the input it could not use set aside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from prognosis.record.imaging import ImagingStudy, Volume
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


@runtime_checkable
class StudySource(RecordSource, Protocol):
    """A source of imaging studies that can lend its pixels to the records of other sources."""

    def study_patients(self, quarantine: Quarantine) -> dict[str, str]:
        """The patient id that each study states, by study UID; "" where it states none.

        Raises:
            SourceError: The source as a whole cannot be read.
        """
        ...

    def volumes(self, study: ImagingStudy) -> tuple[Volume, ...]:
        """The study's volumes, one a series (a radiograph: one a film).

        Raises:
            StudyError: The study is absent or its pixels cannot be used.
        """
        ...
