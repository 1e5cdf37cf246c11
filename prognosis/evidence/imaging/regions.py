"""Regions of an image and the geometry that carries evidence between the network's cells and its own voxels.

Every map here is an overlap of lengths along each axis, so that sums are kept: the cells' evidence summed
over regions, the cells' evidence spread over the image's voxels, and the image's evidence are one number. A
film has two axes (rows from the top, columns from the image's left); a volume has three (levels from the head
down, rows from the front back, columns from the patient's right to the left).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_ZONE_LEVELS = ("upper", "middle", "lower")
_SIDES = ("right", "left")
_GRID_WORDS = ("level", "row", "column")


@dataclass(frozen=True, slots=True)
class Layout:
    """Regions that divide the image's own extent evenly along each axis, named in the order of its voxels.

    Attributes:
        shape: Regions along each axis.
        names: One a region.
    """

    shape: tuple[int, ...]
    names: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Regions from top to bottom of a film."""
        return self.shape[-2]

    @property
    def columns(self) -> int:
        """Regions from left to right of a film."""
        return self.shape[-1]


@dataclass(frozen=True, slots=True)
class Axis:
    """Where an image lies along one axis of the square or block that is read.

    Attributes:
        voxels: Of the image itself.
        size: Of the block.
        start: Place in the block at which the image begins; below zero where it is cut.
        extent: Block voxels that the whole image covers.
    """

    voxels: int
    size: int
    start: float
    extent: float


class Placed(Protocol):
    """Anything that lies in a block, axis by axis."""

    @property
    def axes(self) -> tuple[Axis, ...]:
        """One an axis of the block."""
        ...

    def in_own_order(self, array: NDArray[Any]) -> NDArray[Any]:
        """An array over the axes above as one over the axes of the study's own array."""
        ...


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a film lies in the square that the network reads.

    Attributes:
        height: Rows of the film itself.
        width: Columns of the film itself.
        size: Side of the square.
        top: First row of the square that holds film; rows above are padding.
        left: First column likewise.
        rows: Rows of the square that hold film.
        columns: Columns likewise.
    """

    height: int
    width: int
    size: int
    top: int
    left: int
    rows: int
    columns: int

    @classmethod
    def centred(cls, height: int, width: int, size: int) -> Placement:
        """A film of this shape scaled so that its longer side fills the square, with equal padding."""
        scale = size / max(height, width)
        rows, columns = (max(1, round(side * scale)) for side in (height, width))
        return cls(height, width, size, (size - rows) // 2, (size - columns) // 2, rows, columns)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Rows, then columns."""
        return (
            Axis(self.height, self.size, self.top, self.rows),
            Axis(self.width, self.size, self.left, self.columns),
        )

    def in_own_order(self, array: NDArray[Any]) -> NDArray[Any]:
        """The array as it is: a film is read as it is stored."""
        return array


def parse_layout(text: str, dimensions: int = 2) -> Layout:
    """The layout that "six-zones", "grid RxC" (films) or "grid ZxRxC" (volumes) states.

    The image's left side is the patient's right, as films are hung; the first level is the highest.

    Raises:
        ValueError: The text is none of them.
    """
    if text == "six-zones":
        names = tuple(f"{side} {level} zone" for level in _ZONE_LEVELS for side in _SIDES)
        return Layout((3, 2) if dimensions == 2 else (3, 1, 2), names)
    match = re.fullmatch(r"grid ([1-9]\d?(?:x[1-9]\d?)*)", text)
    shape = tuple(int(part) for part in match[1].split("x")) if match else ()
    if len(shape) != dimensions:
        form = "'grid RxC' (for example 'grid 4x4')"
        if dimensions == 3:
            form = "'grid ZxRxC' (for example 'grid 3x2x2')"
        message = f"regions {text!r} is neither 'six-zones' nor {form}"
        raise ValueError(message)
    words = _GRID_WORDS[-dimensions:]
    names = tuple(
        " ".join(f"{word} {place + 1}" for word, place in zip(words, each, strict=True))
        for each in np.ndindex(*shape)
    )
    return Layout(shape, names)


def overlap(targets: int, sources: int, start: float = 0.0, length: float | None = None) -> Array:
    """(targets, sources) how much of each source interval lies in each target interval.

    The targets divide [start, start + length] (in units of sources; all of it by default) into equal parts;
    an entry is the length of the intersection, so a column sums to the part of that source that is covered.
    """
    length = sources - start if length is None else length
    edges = start + length * np.arange(targets + 1) / targets
    first, last = edges[:-1, None], edges[1:, None]
    source = np.arange(sources)[None, :]
    return np.asarray(np.clip(np.minimum(last, source + 1.0) - np.maximum(first, source), 0.0, None))


def along_axes(array: NDArray[np.floating], matrices: Sequence[NDArray[np.floating]]) -> Array:
    """The array with its last axes, one a matrix, each multiplied by its (new, old) matrix."""
    for place, matrix in enumerate(matrices):
        axis = place - len(matrices)
        if axis == -1:
            array = array @ matrix.T
        elif axis == -2:
            array = matrix @ array
        elif axis == -array.ndim:
            array = (matrix @ array.reshape(len(array), -1)).reshape(-1, *array.shape[1:])
        else:
            array = np.moveaxis(np.tensordot(array, matrix, axes=([axis], [1])), -1, axis)
    return np.asarray(array)


def resample(film: NDArray[np.float32], placement: Placement) -> NDArray[np.float32]:
    """The film's part of the square, (rows, columns), by the mean over each target pixel's area."""
    down = overlap(placement.rows, placement.height) * (placement.rows / placement.height)
    across = overlap(placement.columns, placement.width) * (placement.columns / placement.width)
    return (down @ film.astype(np.float64) @ across.T).astype(np.float32)


def region_weights(placement: Placed, layout: Layout, cells: Sequence[int]) -> Array:
    """(regions, *cells) share of the image's extent that lies in each region and cell; they sum to 1.

    Cells that hold only padding have no weight in any region.

    Args:
        placement: Where the image lies.
        layout: The regions.
        cells: Cells along each axis of the block.
    """
    parts = [
        overlap(regions, count, axis.start / (axis.size / count), axis.extent / (axis.size / count))
        for axis, regions, count in zip(placement.axes, layout.shape, cells, strict=True)
    ]
    joint = reduce(np.multiply.outer, parts)
    order = [*range(0, 2 * len(parts), 2), *range(1, 2 * len(parts), 2)]
    weights = np.ascontiguousarray(joint.transpose(order)).reshape(-1, *cells)
    return np.asarray(weights / weights.sum())


def on_own_voxels(block: NDArray[np.float32], placement: Placed) -> NDArray[np.float32]:
    """The block's image back on the image's own voxels, by the mean over each voxel's extent.

    Where the image is cut the result is 0.
    """
    parts = []
    for axis in placement.axes:
        part = overlap(axis.voxels, axis.size, axis.start, axis.extent)
        parts.append((part * (axis.voxels / axis.extent)).astype(np.float32))
    return placement.in_own_order(along_axes(block, parts))


def film_map(cells: Array, placement: Placed) -> Array:
    """Evidence per cell spread over the image's own voxels; it sums to the image's evidence."""
    parts = []
    for axis, count in zip(placement.axes, cells.shape, strict=True):
        cell = axis.size / count
        part = overlap(axis.voxels, count, axis.start / cell, axis.extent / cell)
        parts.append(part / part.sum())
    return along_axes(cells, parts)


def region_map(values: Array, placement: Placed, layout: Layout) -> Array:
    """One value a region spread evenly over the region's own voxels; sums to the values' sum."""
    parts = [
        overlap(regions, axis.voxels) for axis, regions in zip(placement.axes, layout.shape, strict=True)
    ]
    spread = [(part / part.sum(axis=1, keepdims=True)).T for part in parts]
    return along_axes(values.reshape(layout.shape), spread)
