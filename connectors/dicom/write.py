"""A chest film written as a DICOM instance that gives every pixel back exactly.

A film whose pixel spacing is known becomes a Digital X-Ray Image for presentation (PS3.3 A.26) when its
modality is DX. Any other becomes a Computed Radiography Image (A.2): DX demands the detector's spacing, and
none is invented.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from connectors.dicom.stored import store_exactly
from connectors.dicom.write_instance import add_pixels, coded, identity, save
from prognosis.errors import StudyError
from prognosis.record import ImagingStudy, Series, Volume

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

CR_IMAGE = "1.2.840.10008.5.1.4.1.1.1"
DX_IMAGE = "1.2.840.10008.5.1.4.1.1.1.1"
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
    stored = store_exactly(volume.voxels[0], reference)
    dataset = identity(study, series, patient_id, number, birth_date=birth_date, sex=sex)
    dataset.ViewPosition = series.view
    dataset.PatientOrientation = ROW_AND_COLUMN.get(series.view, ["L", "F"])
    is_dx = series.modality == "DX" and volume.spacing_known and stored.plain
    dataset.SOPClassUID = DX_IMAGE if is_dx else CR_IMAGE
    add_pixels(dataset, stored)
    if volume.spacing_known:
        columns, rows = (float(np.linalg.norm(volume.affine[:3, axis])) for axis in (0, 1))
        dataset.ImagerPixelSpacing = [f"{rows:.10g}", f"{columns:.10g}"]
    if is_dx:
        _add_dx(dataset, series)
    elif not stored.plain:
        dataset.RescaleSlope, dataset.RescaleIntercept = stored.slope, stored.intercept
        dataset.RescaleType = "US"
    save(dataset, path, reference)


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
    dataset.AnatomicRegionSequence = [coded("816094009", "SCT", "Chest")]
    code = VIEW_CODES.get(series.view)
    dataset.ViewCodeSequence = [] if code is None else [coded(code[0], "SCT", code[1])]
