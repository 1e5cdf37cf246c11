"""What every connector offers: patient records, with the input it could not use set aside."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
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
class PatientSource(RecordSource, Protocol):
    """A source that can be asked for one patient without reading the others."""

    def patient(self, patient_id: str, quarantine: Quarantine) -> tuple[PatientRecord, ...]:
        """The patient's record at each site that has the id, as `records` would give it.

        Raises:
            SourceError: The source cannot be read.
        """
        ...


class Changed(Protocol):
    """What changed in a source.

    Attributes:
        patient_ids: Of every patient whose record is to be exchanged.
        records: Those records as they are now.
    """

    @property
    def patient_ids(self) -> frozenset[str]: ...  # noqa: D102 - above

    @property
    def records(self) -> tuple[PatientRecord, ...]: ...  # noqa: D102 - above


@runtime_checkable
class ChangingSource(RecordSource, Protocol):
    """A source that can say what changed since a time of its own clock."""

    def clock(self) -> datetime | None:
        """Its own time; None where it states none.

        Raises:
            SourceError: The source cannot be read.
        """
        ...

    def changes(self, since: datetime, quarantine: Quarantine) -> Changed | None:
        """Who changed since; None where it cannot tell, so that all must be read.

        Raises:
            SourceError: The source cannot be read.
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
