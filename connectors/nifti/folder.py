"""A folder of NIfTI files, PATIENT/DATE/NAME.nii.gz, as a source of imaging studies.

NIfTI states neither patient nor date, so both are taken from the folders, and what lies elsewhere is set
aside: a volume of an unknown date cannot be kept from a prediction made before it. DATE is YYYY-MM-DD or
YYYYMMDD, with "ses-" before it if wanted, and "_" and a DICOM study UID after it where the study has one.
Every file of such a folder is a series of one study. Files whose names say that they are marks (NAME_seg,
_mask, _label, _dseg) are no images.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from connectors.nifti.image import read_image
from prognosis.errors import SourceError, StudyError
from prognosis.record import ImagingStudy, PatientRecord, Quarantine, Series, Volume
from prognosis.record.patient import sorted_record
from prognosis.record.uid import derived_uid

ENDINGS = (".nii", ".nii.gz")
DATE = re.compile(r"(?:ses-)?(\d{4})-?(\d{2})-?(\d{2})(?:_([0-9.]{1,64}))?")
MARKS = re.compile(r"[_-](seg|mask|label|labels|dseg)$", re.IGNORECASE)
MODALITY = re.compile(r"(?:^|_)(CT|T1w|T2w|T2starw|PDw|FLAIR|ADC|dwi)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    patient_id: str
    study_uid: str
    time: datetime
    series: Series


class NiftiFolder:
    """The volumes under a folder, PATIENT/DATE/NAME.nii.gz; also the store that opens them.

    Args:
        folder: Links that lead out of it are not followed.
        uri: How the user named it.
    """

    def __init__(self, folder: Path, uri: str) -> None:
        self.folder = Path(folder)
        self.uri = uri
        self._studies: dict[str, list[_File]] | None = None

    def records(self, quarantine: Quarantine) -> Iterator[PatientRecord]:
        """Each patient once, sorted by id, with studies only, at midnight UTC of their dates.

        Raises:
            SourceError: There is no NIfTI file where one is expected.
        """
        patients: dict[str, list[ImagingStudy]] = defaultdict(list)
        for uid, files in self._index(quarantine).items():
            series = tuple(file.series for file in files)
            study = ImagingStudy(files[0].time, uid, series, f"ImagingStudy/{uid}", self)
            patients[files[0].patient_id].append(study)
        for patient_id in sorted(patients):
            yield sorted_record(
                PatientRecord(
                    patient_id=patient_id,
                    studies=tuple(patients[patient_id]),
                    site=self.folder.resolve().name,
                )
            )

    def study_patients(self, quarantine: Quarantine) -> dict[str, str]:
        """The patient folder of each study, by study UID.

        Raises:
            SourceError: There is no NIfTI file where one is expected.
        """
        return {uid: files[0].patient_id for uid, files in self._index(quarantine).items()}

    def volumes(self, study: ImagingStudy) -> tuple[Volume, ...]:
        """The study's volumes, one a file, in the order of their names.

        Raises:
            StudyError: The folder does not hold the study, or a file cannot be used.
        """
        return tuple(_volume(file) for file in self._files(study))

    def contents(self, study: ImagingStudy) -> tuple[Path, ...]:
        """The study's files, in the order of their names.

        Raises:
            StudyError: The folder does not hold the study.
        """
        return tuple(file.path for file in self._files(study))

    def _files(self, study: ImagingStudy) -> list[_File]:
        files = self._index(Quarantine()).get(study.study_uid)
        if files is None:
            raise StudyError(
                f"ImagingStudy {study.study_uid}",
                "is not in the NIfTI folder",
                "add the folder that holds it",
            )
        return files

    def _index(self, quarantine: Quarantine) -> dict[str, list[_File]]:
        """The files of each study by its UID; the folder is walked once, on first use."""
        if self._studies is None:
            studies: dict[str, list[_File]] = defaultdict(list)
            root = self.folder.resolve()
            for path in _paths(root):
                if MARKS.search(_stem(path)):
                    quarantine.notice("NIfTI file of marks, no image")
                    continue
                try:
                    file = _placed(path, root)
                except StudyError as error:
                    quarantine.reject(error)
                    continue
                studies[file.study_uid].append(file)
            if not studies:
                raise SourceError(
                    self.uri,
                    "holds no NIfTI file of a patient and a date",
                    "lay it out as PATIENT/DATE/NAME.nii.gz",
                )
            quarantine.accept("NIfTI file", sum(len(files) for files in studies.values()))
            self._studies = _of_one_patient(studies, quarantine)
        return self._studies


def _paths(root: Path) -> Iterator[Path]:
    for folder, subfolders, names in os.walk(root, followlinks=False):
        subfolders.sort()
        for name in sorted(names):
            if name.lower().endswith(ENDINGS):
                yield Path(folder, name)


def _stem(path: Path) -> str:
    return re.sub(r"\.nii(\.gz)?$", "", path.name, flags=re.IGNORECASE)


def _placed(path: Path, root: Path) -> _File:
    """Whose a file is, and of when, by the folders that it lies in."""
    relative = path.relative_to(root)
    reference = relative.as_posix()
    if not path.resolve().is_relative_to(root):
        raise StudyError(reference, "is a link out of the folder", "copy the file into the folder")
    if len(relative.parts) != 3:
        raise StudyError(reference, "does not lie in PATIENT/DATE/", "lay it out as PATIENT/DATE/NAME.nii.gz")
    patient_id, session = relative.parts[:2]
    found = DATE.fullmatch(session)
    try:
        time = datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=UTC) if found else None
    except ValueError:
        time = None
    if found is None or time is None:
        raise StudyError(reference, "lies in a folder that is no date", "name the folder YYYY-MM-DD")
    study_uid = found[4] or derived_uid("nifti", patient_id, time.date().isoformat())
    kind = MODALITY.search(_stem(path))
    modality = "" if kind is None else "CT" if kind[1].upper() == "CT" else "MR"
    series = Series(derived_uid("nifti", study_uid, path.name), modality)
    return _File(path, patient_id, study_uid, time, series)


def _of_one_patient(studies: dict[str, list[_File]], quarantine: Quarantine) -> dict[str, list[_File]]:
    """The studies, by UID; one that lies in two folders is nobody's."""
    kept: dict[str, list[_File]] = {}
    for uid, files in sorted(studies.items()):
        if len({file.path.parent for file in files}) > 1:
            quarantine.reject(
                StudyError(f"ImagingStudy {uid}", "lies in two folders", "keep one folder a study")
            )
            continue
        kept[uid] = files
    return kept


def _volume(file: _File) -> Volume:
    reference = f"ImagingStudy/{file.study_uid}#{file.series.series_uid}"
    image = read_image(file.path, reference)
    return Volume(image.voxels, image.affine, reference, file.series.modality)
