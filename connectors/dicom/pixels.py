"""From the instances of one series to volumes: grey values, their order in space, their place in mm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from connectors.dicom.codestream import claimed_size
from connectors.dicom.guard import PIXEL_BUDGET, faults_told
from connectors.dicom.header import Header
from prognosis.errors import StudyError
from prognosis.record import Volume

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileDataset

LUMINANCE = np.array([0.299, 0.587, 0.114])
SAME_PLACE_MM = 0.01
SPACING_TOLERANCE = 0.05
DIRECTION_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Plane:
    """One decoded instance.

    Attributes:
        frames: (frames, rows, columns).
        position: (3,) of the first voxel's centre in patient millimetres; None for a projection.
        directions: (2, 3) of growing column and growing row; None for a projection.
        spacing: (between columns, between rows) in mm; None when the file gives none.
        slice_spacing: Between frames in mm; None when the file gives none.
    """

    frames: NDArray[np.float32]
    position: NDArray[np.float64] | None
    directions: NDArray[np.float64] | None
    spacing: tuple[float, float] | None
    slice_spacing: float | None


def series_volumes(headers: Sequence[Header], study_uid: str) -> tuple[Volume, ...]:
    """The volumes of one series: one for a stack of slices, one a film for projections.

    Raises:
        StudyError: An instance cannot be decoded, or slices are repeated, missing or do not fit together.
    """
    reference = f"ImagingStudy/{study_uid}#{headers[0].series_uid}"
    claimed = sum(header.pixels for header in headers)
    if claimed > PIXEL_BUDGET:
        raise StudyError(
            reference, f"claims {claimed} pixels", f"give series of at most {PIXEL_BUDGET} pixels"
        )
    planes = [decode(header, reference) for header in headers]
    if len(planes) > 1 and all(plane.position is not None for plane in planes):
        return (_stacked(planes, headers[0], reference),)
    return tuple(_single(plane, header, reference) for plane, header in zip(planes, headers, strict=True))


def decode(header: Header, reference: str) -> Plane:
    """One instance's grey values in the sense "higher is brighter", and its place.

    MONOCHROME1 is inverted within the range that its stored bits can express, before the rescale slope
    and intercept (PS3.3 C.11.1) are applied; colour is turned to luminance.

    Raises:
        StudyError: There are no pixels, or they cannot be decoded or have another size than stated.
    """
    import pydicom
    from pydicom.pixels.utils import pixel_array

    with faults_told(reference):
        dataset = pydicom.dcmread(header.path)
        if "PixelData" not in dataset:
            raise StudyError(reference, "has no pixel data", "export the image with its pixels")
        _check_frames(dataset, reference)
        stored = np.asarray(pixel_array(dataset))
        grey = _grey(stored, dataset, reference)
        rows, columns = int(dataset.Rows), int(dataset.Columns)
        if grey.shape[-2:] != (rows, columns):
            raise StudyError(reference, "decodes to another size than it states", "export it again")
        slope = float(dataset.get("RescaleSlope", 1) or 1)
        intercept = float(dataset.get("RescaleIntercept", 0) or 0)
        values = (grey * slope + intercept).astype(np.float32).reshape(-1, rows, columns)
        if not np.isfinite(values).all():
            raise StudyError(reference, "rescales to values that are not finite", "correct its rescale slope")
        return Plane(values, *_place(dataset))


def _check_frames(dataset: FileDataset, reference: str) -> None:
    """Compressed frames must claim the size that the file states; RLE has no size of its own."""
    from pydicom.encaps import generate_frames
    from pydicom.uid import RLELossless

    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated or syntax == RLELossless:
        return
    count = int(dataset.get("NumberOfFrames") or 1)
    for frame in generate_frames(dataset.PixelData, number_of_frames=count):
        if claimed_size(frame) != (int(dataset.Rows), int(dataset.Columns)):
            raise StudyError(
                reference, "carries a frame of another size than it states", "export it uncompressed"
            )


def _grey(stored: NDArray[np.generic], dataset: Dataset, reference: str) -> NDArray[np.float64]:
    interpretation = str(dataset.get("PhotometricInterpretation", ""))
    if interpretation == "MONOCHROME2":
        return stored.astype(np.float64)
    if interpretation == "MONOCHROME1":
        bits, signed = int(dataset.BitsStored), int(dataset.get("PixelRepresentation", 0))
        lowest, highest = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        return np.asarray(lowest + highest - stored.astype(np.float64))
    if stored.ndim >= 3 and stored.shape[-1] == 3:
        return np.asarray(np.rint(stored.astype(np.float64) @ LUMINANCE))
    raise StudyError(
        reference, f"has the photometric interpretation {interpretation!r}", "export it as MONOCHROME2"
    )


def _place(
    dataset: Dataset,
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None, tuple[float, float] | None, float | None]:
    position = orientation = None
    if "ImagePositionPatient" in dataset and "ImageOrientationPatient" in dataset:
        position = np.asarray(dataset.ImagePositionPatient, dtype=np.float64)
        orientation = np.asarray(dataset.ImageOrientationPatient, dtype=np.float64).reshape(2, 3)
    stated = dataset.get("PixelSpacing") or dataset.get("ImagerPixelSpacing")
    spacing = None
    if stated is not None and len(stated) == 2 and min(float(stated[0]), float(stated[1])) > 0:
        spacing = (float(stated[1]), float(stated[0]))  # the file gives (between rows, between columns)
    between = dataset.get("SpacingBetweenSlices") or dataset.get("SliceThickness")
    return position, orientation, spacing, abs(float(between)) if between else None


def _single(plane: Plane, header: Header, reference: str) -> Volume:
    step = None
    if plane.directions is not None:
        step = np.cross(plane.directions[0], plane.directions[1]) * (plane.slice_spacing or 1.0)
    return _volume(plane.frames, plane, step, header, reference)


def _stacked(planes: Sequence[Plane], header: Header, reference: str) -> Volume:
    first = planes[0]
    directions = _shared_directions(planes, reference)
    normal = np.cross(directions[0], directions[1])
    depths = np.array([float(plane.position @ normal) for plane in planes if plane.position is not None])
    order = np.argsort(depths)
    gaps = np.diff(depths[order])
    if gaps.min() < SAME_PLACE_MM:
        raise StudyError(reference, "holds two slices at one position", "export each slice once")
    usual = float(np.median(gaps))
    if (np.abs(gaps - usual) > SPACING_TOLERANCE * usual).any():
        raise StudyError(reference, "lacks slices or has uneven gaps", "export the whole series")
    if any(plane.frames.shape != (1, *first.frames.shape[1:]) for plane in planes):
        raise StudyError(reference, "holds slices of different sizes", "export one acquisition a series")
    ordered = [planes[int(place)] for place in order]
    stack = np.concatenate([plane.frames for plane in ordered])
    return _volume(stack, ordered[0], normal * usual, header, reference)


def _shared_directions(planes: Sequence[Plane], reference: str) -> NDArray[np.float64]:
    directions = [plane.directions for plane in planes if plane.directions is not None]
    if any(np.abs(other - directions[0]).max() > DIRECTION_TOLERANCE for other in directions):
        raise StudyError(
            reference, "holds slices at an angle to each other", "export one acquisition a series"
        )
    return directions[0]


def _volume(
    voxels: NDArray[np.float32],
    plane: Plane,
    step: NDArray[np.float64] | None,
    header: Header,
    reference: str,
) -> Volume:
    columns, rows = plane.spacing or (1.0, 1.0)
    affine = np.diag([columns, rows, 1.0, 1.0])
    if plane.position is not None and plane.directions is not None and step is not None:
        affine[:3, 0] = plane.directions[0] * columns
        affine[:3, 1] = plane.directions[1] * rows
        affine[:3, 2] = step
        affine[:3, 3] = plane.position
    return Volume(
        voxels=np.ascontiguousarray(voxels),
        affine=affine,
        source=reference,
        modality=header.modality,
        view=header.view,
        spacing_known=plane.spacing is not None,
    )
