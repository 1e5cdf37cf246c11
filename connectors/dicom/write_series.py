"""A CT or MR volume written as a DICOM series that gives every voxel and its place back exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from connectors.dicom.stored import store_exactly
from connectors.dicom.write_instance import add_pixels, identity, save
from prognosis.errors import StudyError
from prognosis.record import ImagingStudy, Series, Volume
from prognosis.record.uid import derived_uid

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
RIGHT_ANGLE_TOLERANCE = 1e-4


def write_series(
    volume: Volume,
    folder: Path,
    *,
    study: ImagingStudy,
    series: Series,
    patient_id: str,
    birth_date: date | None = None,
    sex: str | None = None,
) -> None:
    """Write a volume as one CT or MR image a slice (PS3.3 A.3 and A.4), uncompressed, without a name.

    What a scanner would know of its settings is left empty: none is invented.

    Args:
        volume: The volume; its affine is in DICOM's LPS.
        folder: Where to write 0001.dcm and so on; made if missing.
        study: Gives the study UID and time, written as UTC.
        series: Gives the series UID, modality ("CT" or "MR") and body part.
        patient_id: Written as PatientID.
        birth_date: Of the patient, left empty when None.
        sex: Of the patient, left empty when None.

    Raises:
        StudyError: The modality is another one, the slices are not upright stacks of rows and columns at
            right angles, values cannot be stored exactly, or the patient id is not valid DICOM.
    """
    reference = f"ImagingStudy/{study.study_uid}#{series.series_uid}"
    if series.modality not in {"CT", "MR"}:
        raise StudyError(reference, "is neither CT nor MR", "write other volumes as NIfTI")
    stored = store_exactly(volume.voxels, reference)
    if series.modality == "MR" and not stored.plain:
        raise StudyError(reference, "has MR values that are no whole numbers from 0", "scale them first")
    for number, place in enumerate(_places(volume, reference), start=1):
        dataset = identity(study, series, patient_id, number, birth_date=birth_date, sex=sex)
        _add_place(dataset, place, study, series)
        add_pixels(dataset, replace(stored, pixels=stored.pixels[number - 1]))
        if series.modality == "CT":
            _add_ct(dataset, stored.slope, stored.intercept)
        else:
            _add_mr(dataset)
        save(dataset, folder / f"{number:04d}.dcm", reference)


def _places(volume: Volume, reference: str) -> Iterator[NDArray[np.float64]]:
    """The affine of each slice, its last column the position of the slice's first voxel."""
    steps = volume.affine[:3, :3]
    lengths = np.linalg.norm(steps, axis=0)
    if not (np.isfinite(lengths).all() and lengths.min() > 0):
        raise StudyError(reference, "has voxels without volume", "correct its spacing")
    angles = (steps / lengths).T @ (steps / lengths)
    if np.abs(angles - np.eye(3)).max() > RIGHT_ANGLE_TOLERANCE:
        raise StudyError(reference, "has axes that are not at right angles", "resample it")
    for index in range(len(volume.voxels)):
        place = volume.affine.copy()
        place[:3, 3] += index * steps[:, 2]
        yield place


def _add_place(dataset: Dataset, place: NDArray[np.float64], study: ImagingStudy, series: Series) -> None:
    columns, rows, slices = np.linalg.norm(place[:3, :3], axis=0)
    directions = np.concatenate([place[:3, 0] / columns, place[:3, 1] / rows])
    dataset.FrameOfReferenceUID = derived_uid(study.study_uid, series.series_uid, "frame of reference")
    dataset.PositionReferenceIndicator = ""
    dataset.ImagePositionPatient = [f"{value:.10g}" for value in place[:3, 3]]
    dataset.ImageOrientationPatient = [f"{value:.10g}" for value in directions]
    dataset.PixelSpacing = [f"{rows:.10g}", f"{columns:.10g}"]
    dataset.SliceThickness = dataset.SpacingBetweenSlices = f"{slices:.10g}"
    dataset.PatientPosition = ""
    dataset.AcquisitionNumber = None


def _add_ct(dataset: Dataset, slope: str, intercept: str) -> None:
    dataset.SOPClassUID = CT_IMAGE
    dataset.ImageType = ["DERIVED", "PRIMARY", "AXIAL"]
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = slope, intercept, "HU"
    dataset.KVP = None
    del dataset.SpacingBetweenSlices


def _add_mr(dataset: Dataset) -> None:
    dataset.SOPClassUID = MR_IMAGE
    dataset.ImageType = ["DERIVED", "PRIMARY", "OTHER"]
    dataset.ScanningSequence, dataset.SequenceVariant = "RM", "NONE"
    dataset.ScanOptions = ""
    dataset.MRAcquisitionType = ""
    dataset.EchoTime = dataset.RepetitionTime = dataset.EchoTrainLength = None
