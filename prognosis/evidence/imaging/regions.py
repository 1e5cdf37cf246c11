"""Regions of a film and the geometry that carries evidence between the network's cells and the film's pixels.

Every map here is an area overlap, so that sums are kept: the cells' evidence summed over regions, the cells'
evidence spread over the film's pixels, and the film's evidence are the same number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Layout:
    """Regions in rows and columns over the film's own extent, named row by row from the image's top left."""

    rows: int
    columns: int
    names: tuple[str, ...]


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


def parse_layout(text: str) -> Layout:
    """The layout that "six-zones" or "grid RxC" states.

    The image's left side is the patient's right, as films are hung.

    Raises:
        ValueError: The text is neither.
    """
    if text == "six-zones":
        names = tuple(
            f"{side} {level} zone" for level in ("upper", "middle", "lower") for side in ("right", "left")
        )
        return Layout(3, 2, names)
    match = re.fullmatch(r"grid ([1-9]\d?)x([1-9]\d?)", text)
    if match is None:
        message = f"regions {text!r} is neither 'six-zones' nor 'grid RxC' (for example 'grid 4x4')"
        raise ValueError(message)
    rows, columns = int(match[1]), int(match[2])
    names = tuple(f"row {row + 1} column {column + 1}" for row in range(rows) for column in range(columns))
    return Layout(rows, columns, names)


def overlap(
    targets: int, sources: int, start: float = 0.0, length: float | None = None
) -> NDArray[np.float64]:
    """(targets, sources) how much of each source interval lies in each target interval.

    The targets divide [start, start + length] (in units of sources; all of it by default) into equal parts;
    an entry is the length of the intersection, so a column sums to the part of that source that is covered.
    """
    length = sources - start if length is None else length
    edges = start + length * np.arange(targets + 1) / targets
    first, last = edges[:-1, None], edges[1:, None]
    source = np.arange(sources)[None, :]
    return np.asarray(np.clip(np.minimum(last, source + 1.0) - np.maximum(first, source), 0.0, None))


def resample(film: NDArray[np.float32], placement: Placement) -> NDArray[np.float32]:
    """The film's part of the square, (rows, columns), by the mean over each target pixel's area."""
    down = overlap(placement.rows, placement.height) * (placement.rows / placement.height)
    across = overlap(placement.columns, placement.width) * (placement.columns / placement.width)
    return (down @ film.astype(np.float64) @ across.T).astype(np.float32)


def region_weights(placement: Placement, layout: Layout, cells: int) -> NDArray[np.float64]:
    """(regions, cells, cells) share of the film's area that lies in each region and cell; they sum to 1.

    Cells that hold only padding have no weight in any region.
    """
    cell = placement.size / cells
    down = overlap(layout.rows, cells, placement.top / cell, placement.rows / cell)
    across = overlap(layout.columns, cells, placement.left / cell, placement.columns / cell)
    weights = np.einsum("rh,cw->rchw", down, across).reshape(-1, cells, cells)
    return np.asarray(weights / weights.sum())


def film_map(cells: NDArray[np.float64], placement: Placement) -> NDArray[np.float64]:
    """Evidence per cell spread over the film's pixels, (height, width); it sums to the film's evidence."""
    count = cells.shape[0]
    cell = placement.size / count
    down = overlap(placement.height, count, placement.top / cell, placement.rows / cell)
    across = overlap(placement.width, count, placement.left / cell, placement.columns / cell)
    return np.asarray((down / down.sum()) @ cells @ (across / across.sum()).T)


def region_map(values: NDArray[np.float64], placement: Placement, layout: Layout) -> NDArray[np.float64]:
    """One value a region spread evenly over the region's pixels (height, width); sums to the values' sum."""
    down = overlap(layout.rows, placement.height)
    across = overlap(layout.columns, placement.width)
    grid = values.reshape(layout.rows, layout.columns)
    down, across = (each / each.sum(axis=1, keepdims=True) for each in (down, across))
    return np.asarray(down.T @ grid @ across)
