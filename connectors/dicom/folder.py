"""A folder of DICOM files, or one file, as a source of imaging studies.

Files are found by their suffix (.dcm) or, without one, by their preamble. Headers are read first and pixels
only when a study is opened. Whatever cannot be used is set aside with its reason, and the rest goes on.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.dicom.arriving import ARRIVING, arriving_studies
from connectors.dicom.guard import has_magic
from connectors.dicom.header import Header, read_header
from connectors.dicom.originals import series_originals
from connectors.dicom.patients import by_patient, record_of
from connectors.dicom.pixels import series_volumes
from prognosis.errors import SourceError, StudyError
from prognosis.record import ImagingStudy, PatientRecord, Quarantine, Series, Volume

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


@dataclass(frozen=True, slots=True)
class _Study:
    """One study of one patient: its instances, each in a series."""

    study_uid: str
    patient_id: str
    time: datetime | None
    headers: tuple[Header, ...]


class DicomFolder:
    """The imaging studies under a folder; also the store that opens them.

    Args:
        folder: Searched with its subfolders; links that lead out of it are not followed. Or one file.
        uri: How the user named it.
    """

    def __init__(self, folder: Path, uri: str) -> None:
        self.folder = Path(folder)
        self.uri = uri
        self._studies: dict[str, _Study] | None = None

    def records(self, quarantine: Quarantine) -> Iterator[PatientRecord]:
        """Each patient once, sorted by id, with studies only; files without patient or date are set aside.

        Raises:
            SourceError: There is no DICOM image under the folder.
        """
        for patient_id, studies in by_patient(self._index(quarantine).values(), quarantine):
            yield self._record(patient_id, studies)

    def study_patients(self, quarantine: Quarantine) -> dict[str, str]:
        """The patient id that each study's files state ("" where they state none), by study UID.

        Raises:
            SourceError: There is no DICOM image under the folder.
        """
        return {uid: study.patient_id for uid, study in self._index(quarantine).items()}

    def volumes(self, study: ImagingStudy) -> tuple[Volume, ...]:
        """The study's volumes, series in the order of the record, then the others by UID.

        Raises:
            StudyError: The folder does not hold the study, or its pixels cannot be used.
        """
        return tuple(
            volume for headers in self._series(study) for volume in series_volumes(headers, study.study_uid)
        )

    def contents(self, study: ImagingStudy) -> tuple[Path, ...]:
        """The study's files, in the order in which `volumes` takes them.

        Raises:
            StudyError: The folder does not hold the study.
        """
        return tuple(header.path for headers in self._series(study) for header in headers)

    def originals(self, study: ImagingStudy) -> tuple[tuple[Dataset, ...], ...]:
        """For each of the study's volumes, in the order of `volumes`, its images' headers without pixels.

        Raises:
            StudyError: The folder does not hold the study, or its images cannot be used.
        """
        return tuple(
            images for headers in self._series(study) for images in series_originals(headers, study.study_uid)
        )

    def _series(self, study: ImagingStudy) -> list[list[Header]]:
        """The images of each series, series in the order of the record, then the others by UID."""
        held = self._index(Quarantine()).get(study.study_uid)
        if held is None:
            raise StudyError(
                f"ImagingStudy {study.study_uid}",
                "is not in the DICOM folder",
                "add the folder that holds it",
            )
        series: dict[str, list[Header]] = {each.series_uid: [] for each in study.series}
        for header in held.headers:
            series.setdefault(header.series_uid, []).append(header)
        return [headers for headers in series.values() if headers]

    def _record(self, patient_id: str, studies: Sequence[_Study]) -> PatientRecord:
        headers = [header for study in studies for header in study.headers]
        return record_of(
            patient_id,
            (header.birth_date for header in headers),
            (header.sex for header in headers),
            (
                ImagingStudy(
                    study.time, study.study_uid, _series(study), f"ImagingStudy/{study.study_uid}", self
                )
                for study in studies
                if study.time is not None
            ),
            _root(self.folder).name,
        )

    def _index(self, quarantine: Quarantine) -> dict[str, _Study]:
        """The studies by UID; headers are read once, on first use."""
        if self._studies is None:
            headers = _unrepeated(self._headers(quarantine), quarantine)
            if not headers:
                raise SourceError(
                    self.uri,
                    f"holds no usable DICOM image ({len(quarantine)} files set aside)",
                    "give a folder of .dcm files",
                )
            quarantine.accept("DICOM instance", len(headers))
            self._studies = _studies(headers, quarantine)
        return self._studies

    def _headers(self, quarantine: Quarantine) -> Iterator[Header]:
        root = _root(self.folder)
        for path in [self.folder.resolve()] if self.folder.is_file() else _files(root, quarantine):
            reference = path.relative_to(root).as_posix()
            try:
                _check_inside(path, root, reference)
                header = read_header(path, reference)
            except StudyError as error:
                quarantine.reject(error)
                continue
            if header is None:
                quarantine.notice("DICOM file that holds no image")
            else:
                yield header


def _root(place: Path) -> Path:
    """The folder itself, or that of the one file."""
    return place.resolve().parent if place.is_file() else place.resolve()


def _files(root: Path, quarantine: Quarantine) -> Iterator[Path]:
    """Files with the suffix .dcm, and files without suffix that begin as DICOM, in a fixed order.

    Studies that a receiver has not got whole are left alone, and noticed.
    """
    for folder, subfolders, names in os.walk(root, followlinks=False):
        coming = arriving_studies(Path(folder))
        if coming:
            quarantine.notice("DICOM study that is still being received: not read", coming)
        subfolders[:] = sorted(name for name in subfolders if name != ARRIVING)
        for name in sorted(names):
            path = Path(folder, name)
            if path.suffix.lower() in {".dcm", ".dicom"} or (not path.suffix and has_magic(path)):
                yield path


def _check_inside(path: Path, root: Path, reference: str) -> None:
    if not path.resolve().is_relative_to(root):
        raise StudyError(reference, "is a link out of the folder", "copy the file into the folder")


def _unrepeated(headers: Iterator[Header], quarantine: Quarantine) -> list[Header]:
    seen: set[str] = set()
    kept: list[Header] = []
    for header in headers:
        if header.instance_uid in seen:
            quarantine.reject(
                StudyError(
                    f"ImagingStudy {header.study_uid}",
                    "holds an instance twice",
                    "keep one file an instance; the first is used",
                )
            )
            continue
        seen.add(header.instance_uid)
        kept.append(header)
    return kept


def _studies(headers: Sequence[Header], quarantine: Quarantine) -> dict[str, _Study]:
    by_uid: dict[str, list[Header]] = defaultdict(list)
    for header in headers:
        by_uid[header.study_uid].append(header)
    studies: dict[str, _Study] = {}
    for uid, members in sorted(by_uid.items()):
        patients = {header.patient_id for header in members}
        if len(patients) > 1:
            quarantine.reject(
                StudyError(
                    f"ImagingStudy {uid}", "states more than one patient id", "correct PatientID in its files"
                )
            )
            continue
        times = [header.time for header in members if header.time is not None]
        if times and not all(header.offset_stated for header in members):
            quarantine.notice("DICOM study without TimezoneOffsetFromUTC; read as UTC")
        in_order = sorted(members, key=lambda header: (header.series_uid, header.path.as_posix()))
        studies[uid] = _Study(uid, patients.pop(), min(times, default=None), tuple(in_order))
    return studies


def _series(study: _Study) -> tuple[Series, ...]:
    series: dict[str, Series] = {}
    for header in study.headers:
        series.setdefault(
            header.series_uid, Series(header.series_uid, header.modality, header.view, header.body_part)
        )
    return tuple(series.values())
