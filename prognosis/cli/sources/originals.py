"""The DICOM images behind a study's volumes, where it came from DICOM files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prognosis.record import ImagingStudy

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def original_images(study: ImagingStudy) -> tuple[tuple[Dataset, ...], ...]:
    """For each of the study's volumes, in order, its images' headers without pixels.

    Returns:
        () where the study's pixels did not come from DICOM files.

    Raises:
        StudyError: The images cannot be used.
    """
    from connectors.dicom import DicomFolder, DicomWeb

    return study.store.originals(study) if isinstance(study.store, DicomFolder | DicomWeb) else ()
