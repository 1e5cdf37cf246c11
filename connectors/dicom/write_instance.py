"""What every written instance says, whatever its kind: whose it is, its study and series, its grey values."""

from __future__ import annotations

from datetime import UTC, date
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.dicom.stored import Stored
from prognosis.errors import StudyError
from prognosis.record import ImagingStudy, Series
from prognosis.record.uid import derived_uid

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

LONGEST_PATIENT_ID = 64
SEXES = {"female": "F", "male": "M", "other": "O"}


def identity(
    study: ImagingStudy,
    series: Series,
    patient_id: str,
    number: int,
    *,
    birth_date: date | None = None,
    sex: str | None = None,
) -> Dataset:
    """A data set that says whose instance it is and where it belongs, without a name; times are UTC.

    Args:
        study: Gives the study UID and time.
        series: Gives the series UID, modality, view and body part.
        patient_id: Written as PatientID.
        number: The instance's number; with study and series it makes its UID.
        birth_date: Of the patient, left empty when None.
        sex: Of the patient, left empty when None.

    Raises:
        StudyError: The patient id is not valid DICOM.
    """
    from pydicom.dataset import Dataset

    if (
        not patient_id
        or len(patient_id) > LONGEST_PATIENT_ID
        or not patient_id.isascii()
        or "\\" in patient_id
    ):
        raise StudyError(
            f"ImagingStudy/{study.study_uid}#{series.series_uid}",
            "has a patient id that DICOM cannot hold",
            "use at most 64 ASCII characters",
        )
    time = study.time.astimezone(UTC)
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPInstanceUID = derived_uid(study.study_uid, series.series_uid, str(number))
    for level in ("Study", "Series", "Acquisition", "Content"):
        setattr(dataset, f"{level}Date", time.strftime("%Y%m%d"))
        setattr(dataset, f"{level}Time", time.strftime("%H%M%S.%f"))
    dataset.TimezoneOffsetFromUTC = "+0000"
    dataset.PatientName = ""
    dataset.PatientID = patient_id
    dataset.PatientBirthDate = birth_date.strftime("%Y%m%d") if birth_date else ""
    dataset.PatientSex = SEXES.get(sex or "", "")
    dataset.AccessionNumber = ""
    dataset.ReferringPhysicianName = ""
    dataset.StudyID = ""
    dataset.StudyInstanceUID = study.study_uid
    dataset.SeriesInstanceUID = series.series_uid
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = number
    dataset.Modality = series.modality or "CR"
    dataset.Manufacturer = ""
    dataset.BodyPartExamined = series.body_part or "CHEST"
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    return dataset


def add_pixels(dataset: Dataset, stored: Stored) -> None:
    """Place grey values in a data set: MONOCHROME2, uncompressed."""
    rows, columns = stored.pixels.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = rows, columns
    dataset.BitsAllocated = dataset.BitsStored = stored.bits
    dataset.HighBit = stored.bits - 1
    dataset.PixelRepresentation = 0
    content = stored.pixels.astype(stored.pixels.dtype.newbyteorder("<")).tobytes()
    dataset.PixelData = content + b"\0" * (len(content) % 2)
    dataset["PixelData"].VR = "OB" if stored.bits == 8 else "OW"


def coded(value: str, scheme: str, meaning: str) -> Dataset:
    """One item of a code sequence (PS3.3 8)."""
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def save(dataset: Dataset, path: Path, reference: str) -> None:
    """Write an instance as a file, little endian with explicit VR; missing folders are made.

    Raises:
        StudyError: The file cannot be written.
    """
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        FileDataset(str(path), dataset, preamble=b"\0" * 128, file_meta=meta).save_as(
            path, enforce_file_format=True
        )
    except (OSError, ValueError) as error:
        raise StudyError(reference, "cannot be written as DICOM", "check the folder and the UIDs") from error
