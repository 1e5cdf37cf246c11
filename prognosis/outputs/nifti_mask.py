"""A segmentation as a NIfTI-1 file, for tools that do not read DICOM SEG."""

from __future__ import annotations

import gzip

import numpy as np

from prognosis.errors import MissingDependencyError
from prognosis.record import Segmentation

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def mask_file(segmentation: Segmentation) -> bytes:
    """The labels as a compressed NIfTI file (.nii.gz), in millimetres and NIfTI's RAS; always the same bytes.

    Raises:
        MissingDependencyError: nibabel is not installed.
    """
    try:
        import nibabel
    except ImportError as error:
        raise MissingDependencyError(
            "nibabel", "is not installed", "run make install, or pip install '.[imaging]' in the clone"
        ) from error
    affine = LPS_TO_RAS @ segmentation.affine
    image = nibabel.Nifti1Image(segmentation.labels.transpose(2, 1, 0), affine)  # type: ignore[no-untyped-call]
    image.header.set_xyzt_units("mm")  # type: ignore[no-untyped-call]
    return gzip.compress(image.to_bytes(), mtime=0)
