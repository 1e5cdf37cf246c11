"""A DICOMweb archive as a source of imaging studies: asked what it holds, and for a study when it is opened.

What is asked first is small: the studies and, for records of its own, their series. A study's instances are
retrieved when its pixels are needed, and are then read exactly as the files of a folder are. The class lies
beside that reader, not in `web`: the cache of encodings knows by a store's folder how its bytes are read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.dicom.folder import DicomFolder
from connectors.dicom.patients import by_patient, record_of
from connectors.dicom.web.address import address_of
from connectors.dicom.web.held import HeldStudies
from connectors.dicom.web.matches import StudyMatch, find_series, find_studies, find_study
from connectors.dicom.web.results import rejected_in, results_of
from connectors.dicom.web.retrieving import retrieve_study
from connectors.dicom.web.session import Session
from connectors.dicom.web.waiting import Patience
from connectors.dicom.web.writing_back import WrittenBack, write_back
from prognosis.errors import SourceError, StudyError
from prognosis.record import ImagingStudy, PatientRecord, Quarantine, Volume

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Token = Callable[[], str]


class DicomWeb:
    """The imaging studies of an archive; also the store that opens them.

    Args:
        place: The archive's DICOMweb root, http or https; `?StudyDate=..&ModalitiesInStudy=..` narrow it.
        uri: How the user named it.
        token: Gives a bearer token each time that the archive is asked; it goes nowhere else.
        one_by_one: Ask for each study by its UID, and never which studies there are.
        patience: How long the archive may take.

    Raises:
        SourceError: The address cannot be used, or the token would cross the network in the clear.
    """

    def __init__(
        self,
        place: str,
        uri: str,
        token: Token | None = None,
        *,
        one_by_one: bool = False,
        patience: Patience | None = None,
    ) -> None:
        self.uri = uri
        self._made_of = (place, uri, token, one_by_one, patience)
        self._one_by_one = one_by_one
        self._asked: dict[str, StudyMatch] = {}
        self._session = Session(address_of(place), uri, token, patience)
        self._held = HeldStudies()
        self._opened: dict[str, DicomFolder] = {}
        self._lock = threading.RLock()
        self._studies: dict[str, StudyMatch] | None = None
        self._quarantine = Quarantine()

    def __reduce__(self) -> tuple[Callable[..., DicomWeb], tuple[object, ...]]:
        """In another process it asks, and holds, for itself."""
        return _made_again, self._made_of

    def records(self, quarantine: Quarantine) -> Iterator[PatientRecord]:
        """Each patient once, sorted by id, with studies only; studies without patient or date are set aside.

        Raises:
            SourceError: The archive cannot be asked, or holds no study that was asked for.
        """
        for patient_id, studies in by_patient(self._index(quarantine).values(), quarantine):
            yield self._record(patient_id, studies)

    def study_patients(self, quarantine: Quarantine) -> dict[str, str]:
        """The patient id that the archive states of each study ("" where it states none), by study UID.

        Raises:
            SourceError: The archive cannot be asked, or holds no study that was asked for.
        """
        return {uid: study.patient_id for uid, study in self._index(quarantine).items()}

    def study_patient(self, study_uid: str, quarantine: Quarantine) -> str | None:
        """The patient id that the archive states of one study ("" for none), None where it has no such study.

        Args:
            study_uid: Which.
            quarantine: Where what cannot be used of the study goes when it is opened.

        Raises:
            SourceError: The archive cannot be asked.
            StudyError: What it states of the study cannot be read.
        """
        with self._lock:
            match = self._asked.get(study_uid) or find_study(self._session, study_uid)
            if match is None:
                return None
            self._asked[study_uid] = match
            self._quarantine = quarantine
            return match.patient_id

    def accession_numbers(self, quarantine: Quarantine) -> dict[str, str]:
        """The accession number of each study that states one, by study UID.

        Raises:
            SourceError: The archive cannot be asked, or holds no study that was asked for.
        """
        return {uid: each.accession for uid, each in self._index(quarantine).items() if each.accession}

    def volumes(self, study: ImagingStudy) -> tuple[Volume, ...]:
        """The study's volumes, series in the order of the record, then the others by UID.

        Raises:
            SourceError: The archive cannot be reached: what is not known must not pass for what is not there.
            StudyError: The archive does not hold all of the study, or its pixels cannot be used.
        """
        with self._lock:
            return self._folder(study.study_uid).volumes(study)

    def contents(self, study: ImagingStudy) -> tuple[Path, ...]:
        """The study's files, which stay while no other studies are opened, in the order of `volumes`.

        Raises:
            SourceError: As for `volumes`.
            StudyError: As for `volumes`.
        """
        with self._lock:
            return self._folder(study.study_uid).contents(study)

    def originals(self, study: ImagingStudy) -> tuple[tuple[Dataset, ...], ...]:
        """For each of the study's volumes, in the order of `volumes`, its images' headers without pixels.

        Raises:
            SourceError: As for `volumes`.
            StudyError: As for `volumes`.
        """
        with self._lock:
            return self._folder(study.study_uid).originals(study)

    def write_back(self, study_uid: str, contents: Mapping[str, bytes]) -> WrittenBack:
        """Store objects that were made from a study's images, unless the archive holds them; read them back.

        Args:
            study_uid: Which study.
            contents: Part 10 files by a name for messages.

        Raises:
            SourceError: The archive cannot be reached or refuses.
            StudyError: It does not hold the study, or does not give back what was sent.
        """
        return write_back(self._session, study_uid, contents)

    def results_of(self, study_uid: str, made_by: str) -> tuple[Dataset, ...]:
        """The headers of the results that one manufacturer made from a study and that lie beside its images.

        Raises:
            SourceError: The archive cannot be asked.
            StudyError: It gives an object that cannot be read.
        """
        return results_of(self._session, study_uid, made_by)

    def rejected_in(self, study_uid: str) -> frozenset[str]:
        """The UIDs of the instances of a study that a rejection note lists.

        Raises:
            SourceError: The archive cannot be asked.
            StudyError: It gives an object that cannot be read.
        """
        return rejected_in(self._session, study_uid)

    def _record(self, patient_id: str, studies: list[StudyMatch]) -> PatientRecord:
        return record_of(
            patient_id,
            (study.birth_date for study in studies),
            (study.sex for study in studies),
            (
                ImagingStudy(
                    study.time,
                    study.study_uid,
                    find_series(self._session, study.study_uid),
                    f"ImagingStudy/{study.study_uid}",
                    self,
                )
                for study in studies
                if study.time is not None
            ),
            self._session.address.root,
        )

    def _index(self, quarantine: Quarantine) -> dict[str, StudyMatch]:
        """The studies by UID, asked for once; what one opened later loses goes to this quarantine."""
        with self._lock:
            if self._studies is None:
                found = find_studies(self._session, quarantine)
                if not found:
                    raise SourceError(self.uri, "holds no study that it was asked for", "check the address")
                quarantine.accept("DICOM study", len(found))
                if any(study.time is not None and not study.offset_stated for study in found):
                    quarantine.notice("DICOM study without TimezoneOffsetFromUTC; read as UTC")
                self._studies = {
                    study.study_uid: study for study in sorted(found, key=lambda each: each.study_uid)
                }
                self._quarantine = quarantine
            return self._studies

    def _folder(self, study_uid: str) -> DicomFolder:
        """The study as files.

        An instance that cannot be used is set aside with its reason when the study first comes; so of those
        promised each was either received or set aside.
        """
        if self._one_by_one:
            self.study_patient(study_uid, self._quarantine)
            match = self._asked.get(study_uid)
        else:
            match = self._index(Quarantine()).get(study_uid)
        if match is None:
            raise StudyError(
                f"ImagingStudy {study_uid}", "is not in the archive", "add the source that has it"
            )
        self._held.folder(study_uid, lambda folder: self._fill(folder, match))
        return self._opened[study_uid]

    def _fill(self, folder: Path, match: StudyMatch) -> None:
        retrieve_study(self._session, match.study_uid, folder)
        files = DicomFolder(folder, self.uri)
        told = Quarantine() if match.study_uid in self._opened else self._quarantine
        reference = f"ImagingStudy {match.study_uid}"
        try:
            owners = files.study_patients(told)
        except SourceError as error:
            raise StudyError(reference, "holds no usable image", "see what was set aside of it") from error
        if owners != {match.study_uid: match.patient_id}:
            raise StudyError(
                reference,
                "is of another study or patient in its files than in the archive's index",
                "correct PatientID or the index; the study is not used",
            )
        self._opened[match.study_uid] = files


def _made_again(
    place: str, uri: str, token: Token | None, one_by_one: bool, patience: Patience | None
) -> DicomWeb:
    return DicomWeb(place, uri, token, one_by_one=one_by_one, patience=patience)
