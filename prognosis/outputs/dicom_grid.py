"""A segmentation's labels on the pixels of the images that it was made from, by their place in the patient.

A volume's slices may run the other way than the series' images, or its axes may have been turned: every pixel
is looked up by its position in millimetres, and a segmentation on another grid is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import StudyError
from prognosis.evidence.segmentation.measurements import Part
from prognosis.record import Segmentation

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Shares of a voxel by which a place may be off: slices that pass for even need not be exactly so.
OFF_PLACE = 0.3
OFF_STEP = 1e-3

Number = TypeVar("Number", np.uint16, np.float32)


def numbered(segmentation: Segmentation, parts: Sequence[Part]) -> NDArray[np.uint16]:
    """(z, y, x) the number of the part that each voxel belongs to, from 1; 0 for none."""
    numbers = np.zeros(segmentation.labels.shape, dtype=np.uint16)
    for number, part in enumerate(parts, start=1):
        numbers[part.box][part.mask] = number
    return numbers


def source_frames(
    numbers: NDArray[Number], segmentation: Segmentation, sources: Sequence[Dataset]
) -> NDArray[Number]:
    """The numbers of a segmentation's voxels, on each frame of its source images.

    Args:
        numbers: (z, y, x) on the segmentation's grid; 0 is nothing.
        segmentation: Gives the affine and what messages call it.
        sources: The images, in any order; pixels are not needed.

    Returns:
        (frames, rows, columns), frames in the order of the images and, within one, of its frames.

    Raises:
        StudyError: The images do not cover what is marked, or lie on another grid.
    """
    if len(sources) == 1 and not has_place(sources[0]):
        rows, columns = int(sources[0].Rows), int(sources[0].Columns)
        if numbers.shape != (int(sources[0].get("NumberOfFrames") or 1), rows, columns):
            raise _elsewhere(segmentation)
        return numbers
    frames = [
        _frame(numbers, segmentation, dataset, place) for dataset in sources for place in _places(dataset)
    ]
    if not frames or len({frame.shape for frame in frames}) != 1:
        raise _elsewhere(segmentation)
    stacked = np.stack(frames)
    if np.count_nonzero(stacked) != np.count_nonzero(numbers):
        raise _elsewhere(segmentation)
    return stacked


def _frame(
    numbers: NDArray[Number], segmentation: Segmentation, dataset: Dataset, place: NDArray[np.float64]
) -> NDArray[Number]:
    """(rows, columns) the numbers at one frame's pixels; `place` is one that `_places` gives."""
    to_index = np.linalg.inv(segmentation.affine)
    across, down = (to_index[:3, :3] @ place[:, side] for side in (0, 1))
    first = to_index[:3, :3] @ place[:, 2] + to_index[:3, 3]
    whole = [np.rint(step) for step in (across, down, first)]
    off = max(np.abs(across - whole[0]).max(), np.abs(down - whole[1]).max())
    if off > OFF_STEP or np.abs(first - whole[2]).max() > OFF_PLACE:
        raise _elsewhere(segmentation)
    row, column = np.mgrid[: int(dataset.Rows), : int(dataset.Columns)]
    x, y, z = (
        (whole[2][axis] + column * whole[0][axis] + row * whole[1][axis]).astype(np.intp) for axis in range(3)
    )
    if any(
        index.min() < 0 or index.max() >= size for index, size in zip((z, y, x), numbers.shape, strict=True)
    ):
        raise _elsewhere(segmentation)
    return numbers[z, y, x]


def has_place(dataset: Dataset) -> bool:
    """Whether an image states its place in the patient; a projection does not."""
    return "ImagePositionPatient" in dataset or "PerFrameFunctionalGroupsSequence" in dataset


def _places(dataset: Dataset) -> Iterator[NDArray[np.float64]]:
    """For each frame (3, 3) in mm, in columns: the step to the next column, to the next row, first pixel."""
    if "PerFrameFunctionalGroupsSequence" not in dataset:
        yield _place(dataset.ImagePositionPatient, dataset.ImageOrientationPatient, dataset.PixelSpacing)
        return
    shared = dataset.SharedFunctionalGroupsSequence[0]
    for own in dataset.PerFrameFunctionalGroupsSequence:
        position = _group(own, shared, "PlanePositionSequence")
        orientation = _group(own, shared, "PlaneOrientationSequence")
        measures = _group(own, shared, "PixelMeasuresSequence")
        yield _place(
            position.ImagePositionPatient, orientation.ImageOrientationPatient, measures.PixelSpacing
        )


def _group(own: Dataset, shared: Dataset, keyword: str) -> Dataset:
    return own[keyword][0] if keyword in own else shared[keyword][0]


def _place(
    position: Sequence[float], orientation: Sequence[float], spacing: Sequence[float]
) -> NDArray[np.float64]:
    directions = np.asarray(orientation, dtype=np.float64).reshape(2, 3)
    across, down = directions[0] * float(spacing[1]), directions[1] * float(spacing[0])
    return np.column_stack([across, down, np.asarray(position, dtype=np.float64)])


def _elsewhere(segmentation: Segmentation) -> StudyError:
    return StudyError(
        segmentation.source,
        "has a segmentation on another grid than its images",
        "segment the series itself, not a copy that was cut or resampled",
    )
