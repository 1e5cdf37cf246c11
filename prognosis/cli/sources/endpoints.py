"""From the Endpoints that an ImagingStudy names to its pixels, at archives whose origin the user allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from prognosis.errors import SourceError, StudyError
from prognosis.record import ImagingStudy, PatientRecord, Quarantine

if TYPE_CHECKING:
    from connectors.dicom import DicomWeb


class EndpointArchives:
    """Archives at one allowed origin, opened where a record says that a study is.

    The origin is what the user wrote; the rest of an address is the record's. Each archive is asked for
    single studies by their UIDs and never for all that it has.

    Args:
        place: The origin that is allowed, "https://pacs.example".
        uri: How the user named it.
        token: Gives a bearer token for it.

    Raises:
        SourceError: It is no origin, or a token would cross the network in the clear.
    """

    def __init__(self, place: str, uri: str, token: Callable[[], str] | None) -> None:
        from connectors.dicom.web.address import address_of

        self.uri = uri
        self._allowed = address_of(place)
        self._token = token
        self._archives: dict[str, DicomWeb] = {}
        if token is not None and not self._allowed.confidential:
            raise SourceError(uri, "would be sent a token that anyone on the way can read", "use https")

    def records(self, quarantine: Quarantine) -> Iterator[PatientRecord]:
        """None: it holds what the records of other sources name."""
        raise SourceError(self.uri, "holds no records", "name it beside a source of records")

    def archive(self, stated: str) -> DicomWeb | None:
        """The archive at an address that a record states; None where the address is not allowed."""
        from connectors.dicom import DicomWeb
        from connectors.dicom.web.address import stated_address

        try:
            address = stated_address(stated, [self._allowed])
        except SourceError:
            return None
        if address.root not in self._archives:
            self._archives[address.root] = DicomWeb(address.root, self.uri, self._token, one_by_one=True)
        return self._archives[address.root]


def open_stated(
    records: Sequence[PatientRecord], endpoints: Sequence[EndpointArchives], quarantine: Quarantine
) -> tuple[PatientRecord, ...]:
    """The records with the pixels of studies that an allowed archive holds, as their Endpoints say.

    Args:
        records: From sources of records.
        endpoints: What the user allowed; with none nothing is asked.
        quarantine: Where studies of a wrong patient go, and what was not asked.

    Raises:
        SourceError: An allowed archive cannot be reached: what is not known must not pass for absent.
    """
    if not endpoints:
        return tuple(records)
    return tuple(
        replace(
            record,
            studies=tuple(
                opened
                for study in record.studies
                if (opened := _opened(study, record, endpoints, quarantine)) is not None
            ),
        )
        for record in records
    )


def _opened(
    study: ImagingStudy, record: PatientRecord, endpoints: Sequence[EndpointArchives], quarantine: Quarantine
) -> ImagingStudy | None:
    """The study with its store where an archive has it; None where it is another patient's there."""
    for stated in study.archives:
        archive = next((found for each in endpoints if (found := each.archive(stated)) is not None), None)
        if archive is None:
            quarantine.notice("Endpoint of a study at an origin that is not allowed: not asked")
            continue
        try:
            patient_id = archive.study_patient(study.study_uid, quarantine)
        except StudyError as error:
            quarantine.reject(error)
            continue
        if patient_id is None:
            quarantine.notice("study that the archive of its Endpoint does not hold")
            continue
        if patient_id not in {"", record.patient_id}:
            quarantine.reject(another_patient(study))
            return None
        if not patient_id:
            quarantine.notice("DICOM files without a patient id joined by study UID alone")
        return replace(study, store=archive)
    return study


def another_patient(study: ImagingStudy) -> StudyError:
    """What to say of a study whose images are another patient's."""
    return StudyError(
        f"ImagingStudy {study.study_uid}",
        "is of one patient in the record and of another in its DICOM files",
        "correct PatientID or the ImagingStudy's subject; the study is not used",
    )
