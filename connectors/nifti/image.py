"""One NIfTI-1 or NIfTI-2 file as voxels in DICOM's patient coordinates.

The header is a block of fixed size and all that is parsed; extensions are never read. Of a compressed file no
more is inflated than the voxels that the header claims, and it may claim only so many.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import MissingDependencyError, StudyError

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header

VOXEL_BUDGET = 512 * 2**20
"""The most voxels that one file may claim."""

LARGEST_OFFSET = 16 * 2**20
"""The most bytes between header and voxels, where extensions stand."""

SCANNER, ALIGNED = 1, 2
MILLIMETRES = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
"""Millimetres per unit of length (NIfTI-1, xyzt_units); 0 is not stated, and read as millimetres."""

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, slots=True)
class NiftiImage:
    """Voxels and their place.

    Attributes:
        voxels: (z, y, x), after slope and intercept; x runs to the patient's left, y to the back, z to the
            head, each as nearly as the file's grid allows.
        affine: 4x4, voxel index (x, y, z) to patient millimetres in LPS.
    """

    voxels: NDArray[np.float32]
    affine: NDArray[np.float64]


def read_image(path: Path, reference: str) -> NiftiImage:
    """Read a .nii or .nii.gz file.

    Where it lies: by the sform or the qform that is in the scanner's coordinates (code 1), else by one that
    is aligned to another scan (code 2), the sform first. Coordinates of an atlas are no patient's.

    Args:
        path: The file.
        reference: What messages call it.

    Raises:
        StudyError: The file is damaged, cut off or too large, has more than three dimensions, is no grid of
            numbers, or does not say where it lies in the patient.
        MissingDependencyError: nibabel is not installed.
    """
    try:
        with _opened(path) as file:
            header = _header(file, reference)
            shape = _shape(header, reference)
            affine = _ras_affine(header, reference)
            stored = _stored_type(header, reference)
            slope, intercept = _scale(header, reference)
            offset = int(header["vox_offset"])
            if not 0 <= offset - int(header["sizeof_hdr"]) <= LARGEST_OFFSET:
                raise StudyError(reference, "has no usable vox_offset", "write it again")
            file.seek(offset)
            voxels = _voxels(file, shape, stored, reference)
    except (OSError, EOFError, zlib.error, ValueError, OverflowError) as error:
        raise StudyError(
            reference, f"cannot be read ({type(error).__name__})", "give an undamaged NIfTI file"
        ) from error
    voxels *= np.float32(slope)
    voxels += np.float32(intercept)
    if not np.isfinite(voxels).all():
        raise StudyError(reference, "holds values that are not finite", "set its background to a number")
    return _in_lps(voxels, affine)


def _opened(path: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.GzipFile(path) if path.suffix.lower() == ".gz" else path.open("rb"))


def _header(file: BinaryIO, reference: str) -> Nifti1Header:
    try:
        from nibabel.nifti1 import Nifti1Header
        from nibabel.nifti2 import Nifti2Header
        from nibabel.spatialimages import HeaderDataError
    except ImportError as error:
        raise MissingDependencyError(
            "nibabel",
            "is not installed and reads NIfTI",
            "run make install, or pip install '.[imaging]' in the clone",
        ) from error
    first = file.read(4)
    sizes = {int.from_bytes(first, "little"), int.from_bytes(first, "big")} & {348, 540}
    if len(first) < 4 or not sizes:
        raise StudyError(reference, "is not a NIfTI file", "give .nii or .nii.gz files")
    size = sizes.pop()
    block = first + file.read(size - 4)
    if len(block) < size:
        raise StudyError(reference, "is cut off in its header", "give an undamaged NIfTI file")
    try:
        header = (Nifti1Header if size == 348 else Nifti2Header)(block, check=False)
    except HeaderDataError as error:
        raise StudyError(reference, "has a damaged header", "give an undamaged NIfTI file") from error
    if bytes(header["magic"].item()).rstrip(b"\0")[:3] not in {b"n+1", b"n+2"}:
        raise StudyError(reference, "keeps header and voxels in two files", "give single .nii files")
    return header


def _shape(header: Nifti1Header, reference: str) -> tuple[int, int, int]:
    dimensions = [int(size) for size in header["dim"]]
    sizes = dimensions[1 : 1 + max(dimensions[0], 0)]
    if not 3 <= dimensions[0] <= 7 or min(sizes) < 1:
        raise StudyError(reference, f"has {dimensions[0]} dimensions", "give volumes of three dimensions")
    if max(sizes[3:], default=1) > 1:
        raise StudyError(
            reference, f"holds {np.prod(sizes[3:])} volumes in one file", "give one volume a file"
        )
    if sizes[0] * sizes[1] * sizes[2] > VOXEL_BUDGET:
        raise StudyError(reference, "claims too many voxels", f"give at most {VOXEL_BUDGET}")
    return sizes[0], sizes[1], sizes[2]


def _stored_type(header: Nifti1Header, reference: str) -> np.dtype[np.generic]:
    from nibabel.spatialimages import HeaderDataError

    try:
        stored = header.get_data_dtype()
    except (HeaderDataError, KeyError):
        stored = np.dtype(object)
    if stored.kind not in "iuf" or stored.itemsize > 8:
        raise StudyError(reference, "holds no grid of plain numbers", "give integers or floats")
    return stored


def _scale(header: Nifti1Header, reference: str) -> tuple[float, float]:
    """Slope and intercept; a slope of 0 says that there are none (NIfTI-1, scl_slope)."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0.0 or np.isnan(slope):
        return 1.0, 0.0
    if not (abs(slope) < 1e12 and abs(intercept) < 1e12):
        raise StudyError(reference, "has no usable scl_slope and scl_inter", "give finite numbers")
    return slope, intercept


def _ras_affine(header: Nifti1Header, reference: str) -> NDArray[np.float64]:
    """4x4, (i, j, k) to millimetres in NIfTI's right-anterior-superior coordinates."""
    for code in (SCANNER, ALIGNED):
        for form in ("sform", "qform"):
            if int(header[f"{form}_code"]) != code:
                continue
            stated = np.asarray(
                header.get_sform() if form == "sform" else header.get_qform(), dtype=np.float64
            )
            units = MILLIMETRES.get(int(header["xyzt_units"]) & 7)
            if units is None or not np.isfinite(stated).all() or abs(np.linalg.det(stated[:3, :3])) < 1e-9:
                raise StudyError(reference, f"has no usable {form}", "write it again with its affine")
            stated[:3] *= units
            return stated
    raise StudyError(
        reference,
        "does not say where it lies in the patient (sform and qform are unset, or of an atlas)",
        "convert it from DICOM again",
    )


def _voxels(
    file: BinaryIO, shape: tuple[int, int, int], stored: np.dtype[np.generic], reference: str
) -> NDArray[np.float32]:
    """(k, j, i) as stored, slice by slice, so that a file that is cut off costs no more than it holds."""
    slices = np.empty(shape[::-1], dtype=np.float32)
    size = shape[0] * shape[1] * stored.itemsize
    for each in slices:
        content = file.read(size)
        if len(content) != size:
            raise StudyError(reference, "is cut off in its voxels", "give an undamaged NIfTI file")
        with np.errstate(over="ignore"):  # beyond 32-bit floats is infinite, and refused as such
            each[...] = np.frombuffer(content, dtype=stored).reshape(each.shape)
    return slices


def _in_lps(voxels: NDArray[np.float32], ras: NDArray[np.float64]) -> NiftiImage:
    """Turn the grid so that its axes run as nearly as they can to the left, the back and the head."""
    from nibabel.orientations import inv_ornt_aff, io_orientation

    affine = RAS_TO_LPS @ ras
    turn = io_orientation(affine)
    sizes = voxels.shape[::-1]
    affine = affine @ inv_ornt_aff(turn, sizes)
    array = voxels.T
    for axis, (_, sign) in enumerate(turn):
        if sign < 0:
            array = np.flip(array, axis)
    array = np.transpose(array, np.argsort(turn[:, 0]))
    return NiftiImage(np.ascontiguousarray(array.T), affine)
