"""Fixed local descriptors: how much of each region stands out, at which scale and by how much.

A descriptor is a rectified threshold of the film's brightness or local contrast, averaged over an area: in
a sum over locations a small lesion counts in proportion to its size and brightness wherever it lies, which
a ridge regression on a few hundred patients can weigh and a network of that cohort's own cannot yet find.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.regions import along_axes

_FILM_THRESHOLDS = (-0.5, 0.0, 0.5)
_CONTRAST_THRESHOLDS = (0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
_DARK_THRESHOLDS = (0.25, 0.75)


def cell_descriptors(channels: NDArray[np.float32], cells: Sequence[int]) -> NDArray[np.float32]:
    """(descriptors, *cells) mean of each descriptor over each cell.

    Args:
        channels: (1 + scales, *shape) of one film or one window of a volume, from `input_channels`.
        cells: Cells along each axis; they divide the shape.
    """
    film, contrasts = channels[0], channels[1:]
    each = len(_CONTRAST_THRESHOLDS) + len(_DARK_THRESHOLDS)
    maps = np.empty((1 + len(_FILM_THRESHOLDS) + each * len(contrasts), *film.shape), dtype=np.float32)
    maps[0] = film
    maps[1 : 1 + len(_FILM_THRESHOLDS)] = film - _column(_FILM_THRESHOLDS, film.ndim)
    place = 1 + len(_FILM_THRESHOLDS)
    for contrast in contrasts:
        middle = place + len(_CONTRAST_THRESHOLDS)
        np.subtract(contrast, _column(_CONTRAST_THRESHOLDS, film.ndim), out=maps[place:middle])
        np.subtract(-contrast, _column(_DARK_THRESHOLDS, film.ndim), out=maps[middle : place + each])
        place += each
    np.maximum(maps[1:], 0.0, out=maps[1:])
    pools = [
        np.repeat(np.eye(count, dtype=np.float32), size // count, axis=1) * np.float32(count / size)
        for count, size in zip(cells, film.shape, strict=True)
    ]
    return along_axes(maps, pools).astype(np.float32, copy=False)


def _column(thresholds: tuple[float, ...], dimensions: int) -> NDArray[np.float32]:
    return np.array(thresholds, dtype=np.float32).reshape(-1, *(1,) * dimensions)
