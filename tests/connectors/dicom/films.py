"""DICOM films made for tests, through the project's own writer or edited after it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from connectors.dicom import write_film
from prognosis.record import ImagingStudy, Series, Volume

STUDY_TIME = datetime(2020, 3, 4, 12, 30, 15, 250_000, tzinfo=UTC)


def reference(number: int = 1, modality: str = "CR", view: str = "AP") -> ImagingStudy:
    """A study of one series, whose UIDs depend on its number only."""
    series = Series(f"2.25.{number}1", modality, view, "CHEST")
    return ImagingStudy(STUDY_TIME, f"2.25.{number}", (series,), f"ImagingStudy/{number}")


def film(
    values: NDArray[np.float32] | None = None, modality: str = "CR", spacing_mm: float | None = None
) -> Volume:
    """A small film with a gradient."""
    if values is None:
        values = np.arange(12, dtype=np.float32).reshape(3, 4)
    side = spacing_mm or 1.0
    return Volume(
        values[None], np.diag([side, side, 1.0, 1.0]), "", modality, spacing_known=spacing_mm is not None
    )


def write(
    path: Path,
    number: int = 1,
    patient_id: str = "p1",
    values: NDArray[np.float32] | None = None,
    edit: Callable[[Dataset], None] | None = None,
) -> Path:
    """Write a film, then change its data set if asked to."""
    study = reference(number)
    write_film(film(values), path, study=study, series=study.series[0], patient_id=patient_id)
    if edit is not None:
        dataset = pydicom.dcmread(path)
        edit(dataset)
        dataset.save_as(path, enforce_file_format=True)
    return path


def slices(folder: Path, depths: list[float], number: int = 9) -> Path:
    """A CT-like series whose slices lie at the depths given (mm), in the order given."""
    for place, depth in enumerate(depths):

        def edit(dataset: Dataset, depth: float = depth, place: int = place) -> None:
            dataset.SOPInstanceUID = f"2.25.{number}9{place}"
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            dataset.Modality = "CT"
            dataset.ImagePositionPatient = [10.0, 20.0, depth]
            dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
            dataset.PixelSpacing = [0.5, 0.25]

        values = np.full((3, 4), depth, dtype=np.float32)
        write(folder / f"slice{place}.dcm", number=number, values=values, edit=edit)
    return folder
