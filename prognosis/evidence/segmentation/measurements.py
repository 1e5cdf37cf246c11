"""What a segmentation measures: its connected parts, their volume or area, and their diameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import StudyError
from prognosis.evidence.segmentation.diameters import Axes, Chord, flat_axes, longest_chord, outer_border
from prognosis.record import Segmentation

CUBIC_MM_A_ML = 1000.0


@dataclass(frozen=True, slots=True)
class Part:
    """One connected part of a structure.

    Attributes:
        structure: The structure's name.
        number: 1 for the structure's largest part.
        parts: How many parts the structure has.
        mask: (z, y, x) True in the part, cut to the box that holds it.
        corner: (z, y, x) index of the box's first voxel in the segmentation.
    """

    structure: str
    number: int
    parts: int
    mask: NDArray[np.bool_]
    corner: tuple[int, int, int]

    @property
    def name(self) -> str:
        """The structure, with the part's number where there are several."""
        return self.structure if self.parts == 1 else f"{self.structure} {self.number}"

    @property
    def voxels(self) -> int:
        """How many voxels it holds."""
        return int(np.count_nonzero(self.mask))

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """Where its mask lies in the segmentation."""
        z, y, x = (
            slice(start, start + size) for start, size in zip(self.corner, self.mask.shape, strict=True)
        )
        return z, y, x


@dataclass(frozen=True, slots=True)
class Measurements:
    """The size of one part.

    On an image of one slice (a film) nothing is known of the depth: an area takes the volume's place. Where
    the pixel spacing is not known (`Segmentation.spacing_known`), millimetres are pixels.

    Attributes:
        part: The part.
        volume_ml: Its voxels times the volume of one; None on an image of one slice.
        area_mm2: Its area on `slice_index`.
        axes: The longest diameter within one slice and the longest line across it, ends in patient mm.
        slice_index: The slice that they were measured on: of all slices, the one with the longest diameter.
        longest_3d: The longest diameter in any direction, ends in patient mm; None on an image of one slice.
    """

    part: Part
    volume_ml: float | None
    area_mm2: float
    axes: Axes
    slice_index: int
    longest_3d: Chord | None


def measured_parts(segmentation: Segmentation) -> tuple[Measurements, ...]:
    """Every connected part of every structure with its size, each structure's largest part first.

    Raises:
        StudyError: The segmentation's affine gives its voxels no volume.
    """
    return tuple(measure(part, segmentation) for part in connected_parts(segmentation))


def connected_parts(segmentation: Segmentation) -> tuple[Part, ...]:
    """The connected parts of every structure; voxels that share a face, an edge or a corner are connected.

    That is 26 neighbours in three dimensions and 8 on a film, so that a thin oblique lesion stays one.
    """
    from scipy import ndimage

    boxes = ndimage.find_objects(segmentation.labels, max_label=len(segmentation.structures))
    return tuple(
        part
        for index, (structure, box) in enumerate(zip(segmentation.structures, boxes, strict=True), start=1)
        if box is not None
        for part in _parts_within(segmentation.labels[box] == index, structure, [side.start for side in box])
    )


def _parts_within(mask: NDArray[np.bool_], structure: str, corner: Sequence[int]) -> Iterator[Part]:
    """The connected parts of a mask that begins at `corner`, the largest first."""
    from scipy import ndimage

    labels, count = ndimage.label(mask, structure=np.ones((3, 3, 3), dtype=bool))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    boxes = ndimage.find_objects(labels)
    for number, place in enumerate(np.argsort(-sizes, kind="stable"), start=1):
        box = boxes[place]
        z, y, x = (start + int(side.start) for start, side in zip(corner, box, strict=True))
        yield Part(structure, number, count, np.asarray(labels[box] == place + 1), (z, y, x))


def measure(part: Part, segmentation: Segmentation) -> Measurements:
    """The size of one part of a segmentation.

    Raises:
        StudyError: The segmentation's affine gives its voxels no volume.
    """
    affine = segmentation.affine
    voxel_mm3 = abs(float(np.linalg.det(affine[:3, :3])))
    in_plane = affine[:3, :2]
    pixel_mm2 = float(np.sqrt(np.linalg.det(in_plane.T @ in_plane)))
    if not (np.isfinite(voxel_mm3) and voxel_mm3 > 0):
        raise StudyError(segmentation.source, "has voxels without volume", "correct its spacing")
    axes, slice_index = _longest_in_a_slice(part, affine)
    area = np.count_nonzero(part.mask[slice_index - part.corner[0]]) * pixel_mm2
    if segmentation.labels.shape[0] == 1:
        return Measurements(part, None, float(area), axes, slice_index, None)
    border = outer_border(part.mask) + np.array(part.corner[::-1])
    longest = longest_chord(border @ affine[:3, :3].T + affine[:3, 3])
    return Measurements(
        part, part.voxels * voxel_mm3 / CUBIC_MM_A_ML, float(area), axes, slice_index, longest
    )


def _longest_in_a_slice(part: Part, affine: NDArray[np.float64]) -> tuple[Axes, int]:
    """The axes on the slice where the diameter is longest, in patient mm, and that slice's index."""
    plane, in_mm = np.linalg.qr(affine[:3, :2])  # in_mm keeps lengths and angles, sheared grids included
    longest, best = None, 0
    for depth in np.flatnonzero(part.mask.any(axis=(1, 2))):
        border = outer_border(part.mask[depth]) + np.array(part.corner[:0:-1])
        axes = flat_axes(border @ in_mm.T)
        if longest is None or axes.long.length > longest.long.length:
            longest, best = axes, part.corner[0] + int(depth)
    if longest is None:
        raise StudyError(part.structure, "is a part without voxels", "measure parts of connected_parts")
    origin = affine[:3, 2] * best + affine[:3, 3]
    long, short = (
        Chord(plane @ chord.start + origin, plane @ chord.end + origin)
        for chord in (longest.long, longest.short)
    )
    return Axes(long, short), best
