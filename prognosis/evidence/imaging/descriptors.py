"""Fixed local descriptors: how much of each region stands out, at which scale and by how much.

A descriptor is a rectified threshold of the film's brightness or local contrast, averaged over an area: in
a sum over locations a small lesion counts in proportion to its size and brightness wherever it lies, which
a ridge regression on a few hundred patients can weigh and a network of that cohort's own cannot yet find.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FILM_THRESHOLDS = (-0.5, 0.0, 0.5)
_CONTRAST_THRESHOLDS = (0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
_DARK_THRESHOLDS = (0.25, 0.75)


def cell_descriptors(channels: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
    """(descriptors, cells, cells) mean of each descriptor over each cell.

    Args:
        channels: (1 + scales, size, size) of one film, from `input_channels`; `cells` divides size.
        cells: Cells along a side.
    """
    film, contrasts = channels[0], channels[1:]
    size = film.shape[0]
    each = len(_CONTRAST_THRESHOLDS) + len(_DARK_THRESHOLDS)
    maps = np.empty((1 + len(_FILM_THRESHOLDS) + each * len(contrasts), size, size), dtype=np.float32)
    maps[0] = film
    maps[1 : 1 + len(_FILM_THRESHOLDS)] = film - _column(_FILM_THRESHOLDS)
    place = 1 + len(_FILM_THRESHOLDS)
    for contrast in contrasts:
        middle = place + len(_CONTRAST_THRESHOLDS)
        np.subtract(contrast, _column(_CONTRAST_THRESHOLDS), out=maps[place:middle])
        np.subtract(-contrast, _column(_DARK_THRESHOLDS), out=maps[middle : place + each])
        place += each
    np.maximum(maps[1:], 0.0, out=maps[1:])
    pool = np.repeat(np.eye(cells, dtype=np.float32), size // cells, axis=1) * np.float32(cells / size)
    return np.asarray(pool @ maps @ pool.T)


def _column(thresholds: tuple[float, ...]) -> NDArray[np.float32]:
    return np.array(thresholds, dtype=np.float32)[:, None, None]
