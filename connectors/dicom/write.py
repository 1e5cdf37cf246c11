"""A chest film written as a DICOM instance that gives every pixel back exactly.

A film whose pixel spacing is known becomes a Digital X-Ray Image for presentation (PS3.3 A.26) when its
modality is DX. Any other becomes a Computed Radiography Image (A.2): DX demands the detector's spacing, and
none is invented.
"""

from __future__ import annotations

from datetime import UTC, date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from connectors.dicom.stored import Stored, store_exactly
from prognosis.errors import StudyError
from prognosis.record import ImagingStudy, Series, Volume

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

CR_IMAGE = "1.2.840.10008.5.1.4.1.1.1"
DX_IMAGE = "1.2.840.10008.5.1.4.1.1.1.1"
LONGEST_PATIENT_ID = 64
SEXES = {"female": "F", "male": "M", "other": "O"}
VIEW_CODES = {
    "AP": ("399348003", "antero-posterior"),
    "PA": ("272479007", "postero-anterior"),
    "LL": ("399173006", "left lateral"),
    "RL": ("399198007", "right lateral"),
}
ROW_AND_COLUMN = {"LL": ["A", "F"], "RL": ["P", "F"]}


def write_film(
    volume: Volume,
    path: Path,
    *,
    study: ImagingStudy,
    series: Series,
    patient_id: str,
    birth_date: date | None = None,
    sex: str | None = None,
    number: int = 1,
) -> None:
    """Write one film as a CR or DX instance: MONOCHROME2, uncompressed, 8 or 16 bits, no patient name.

    Args:
        volume: The film; its voxels have the shape (1, rows, columns).
        path: Where to write; missing folders are made.
        study: Gives the study UID and time, written as UTC.
        series: Gives the series UID, modality, view and body part.
        patient_id: Written as PatientID.
        birth_date: Of the patient, left empty when None.
        sex: Of the patient, left empty when None.
        number: The instance's number within the study; makes its UID.

    Raises:
        StudyError: The volume is no film, its values cannot be stored exactly, or an id is not valid DICOM.
    """
    reference = f"ImagingStudy/{study.study_uid}#{series.series_uid}"
    if volume.voxels.ndim != 3 or volume.voxels.shape[0] != 1 or 0 in volume.voxels.shape:
        raise StudyError(reference, "is not one film", "export films of one slice")
    if (
        not patient_id
        or len(patient_id) > LONGEST_PATIENT_ID
        or not patient_id.isascii()
        or "\\" in patient_id
    ):
        raise StudyError(
            reference, "has a patient id that DICOM cannot hold", "use at most 64 ASCII characters"
        )
    stored = store_exactly(volume.voxels[0], reference)
    dataset = _identity(study, series, patient_id, number)
    dataset.PatientBirthDate = birth_date.strftime("%Y%m%d") if birth_date else ""
    dataset.PatientSex = SEXES.get(sex or "", "")
    is_dx = series.modality == "DX" and volume.spacing_known and stored.plain
    dataset.SOPClassUID = DX_IMAGE if is_dx else CR_IMAGE
    _add_pixels(dataset, stored)
    if volume.spacing_known:
        columns, rows = (float(np.linalg.norm(volume.affine[:3, axis])) for axis in (0, 1))
        dataset.ImagerPixelSpacing = [f"{rows:.10g}", f"{columns:.10g}"]
    if is_dx:
        _add_dx(dataset, series)
    elif not stored.plain:
        dataset.RescaleSlope, dataset.RescaleIntercept = stored.slope, stored.intercept
        dataset.RescaleType = "US"
    _save(dataset, path, reference)


def _identity(study: ImagingStudy, series: Series, patient_id: str, number: int) -> Dataset:
    from pydicom.dataset import Dataset
    from pydicom.uid import generate_uid

    time = study.time.astimezone(UTC)
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPInstanceUID = generate_uid(
        prefix=None, entropy_srcs=[study.study_uid, series.series_uid, str(number)]
    )
    for level in ("Study", "Series", "Acquisition", "Content"):
        setattr(dataset, f"{level}Date", time.strftime("%Y%m%d"))
        setattr(dataset, f"{level}Time", time.strftime("%H%M%S.%f"))
    dataset.TimezoneOffsetFromUTC = "+0000"
    dataset.PatientName = ""
    dataset.PatientID = patient_id
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
    dataset.ViewPosition = series.view
    dataset.PatientOrientation = ROW_AND_COLUMN.get(series.view, ["L", "F"])
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    return dataset


def _add_pixels(dataset: Dataset, stored: Stored) -> None:
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


def _add_dx(dataset: Dataset, series: Series) -> None:
    """What DX demands beyond CR, as far as a film without its machine's settings can say it."""
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.ImageLaterality = "U"
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = -1
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "0", "1", "US"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.WindowCenter = str(2 ** (dataset.BitsStored - 1))
    dataset.WindowWidth = str(2**dataset.BitsStored)
    dataset.DetectorType = dataset.PositionerType = ""
    dataset.AcquisitionContextSequence = []
    dataset.AnatomicRegionSequence = [_code("816094009", "SCT", "Chest")]
    code = VIEW_CODES.get(series.view)
    dataset.ViewCodeSequence = [] if code is None else [_code(code[0], "SCT", code[1])]


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _save(dataset: Dataset, path: Path, reference: str) -> None:
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
