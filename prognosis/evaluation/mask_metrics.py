"""How far one outline of a structure is from another: overlap, and the distance between borders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def dice(found: Mask, marked: Mask) -> float:
    """Twice the shared part over the sum of both (Dice, Ecology 1945;26:297): 1 is equal, 0 is apart.

    Two empty masks agree: 1.
    """
    total = int(found.sum()) + int(marked.sum())
    return 2.0 * int((found & marked).sum()) / total if total else 1.0


def hausdorff_95(found: Mask, marked: Mask, spacing: Sequence[float]) -> float:
    """The larger of the two 95th percentiles of the distances from one border to the other.

    0 is equal. Borders are the outermost voxels of each mask, distances those between voxel centres. Where
    one mask is empty the distance is that from corner to corner of the grid; two empty masks agree: 0.

    Args:
        found: A mask.
        marked: Another on the same grid.
        spacing: Size of a voxel along each axis; 1 gives the distance in voxels.
    """
    if not (found.any() and marked.any()):
        corner = float(np.linalg.norm(np.array(found.shape) * np.array(spacing)))
        return corner if found.any() or marked.any() else 0.0
    box = _box(found | marked)
    return max(_reach(found[box], marked[box], spacing), _reach(marked[box], found[box], spacing))


def _reach(start: Mask, goal: Mask, spacing: Sequence[float]) -> float:
    """The 95th percentile of the distances from the border of `start` to that of `goal`."""
    from scipy import ndimage

    away = ndimage.distance_transform_edt(~_border(goal), sampling=spacing)
    return float(np.percentile(away[_border(start)], 95.0))


def _border(mask: Mask) -> Mask:
    from scipy import ndimage

    return np.asarray(mask & ~ndimage.binary_erosion(mask))


def _box(mask: Mask) -> tuple[slice, ...]:
    """The smallest box that holds a mask which is not empty."""
    sides = []
    for axis in range(mask.ndim):
        inside = np.flatnonzero(mask.any(axis=tuple(other for other in range(mask.ndim) if other != axis)))
        sides.append(slice(int(inside[0]), int(inside[-1]) + 1))
    return tuple(sides)
