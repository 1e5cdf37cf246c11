"""Fixed local descriptors: how much of each region stands out, at which scale and by how much.

A descriptor is a rectified threshold of the film's brightness or local contrast, averaged over an area: in
a sum over locations a small lesion counts in proportion to its size and brightness wherever it lies, which
a ridge regression on a few hundred patients can weigh and a network of that cohort's own cannot yet find.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.contrast import input_channels

_FILM_THRESHOLDS = (-0.5, 0.0, 0.5)
_CONTRAST_THRESHOLDS = (0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
_DARK_THRESHOLDS = (0.25, 0.75)


def descriptor_names(scales: tuple[float, ...]) -> tuple[str, ...]:
    """The descriptors' names, in the order in which `cell_descriptors` gives them."""
    names = ["brightness", *(f"brightness over {threshold:g}" for threshold in _FILM_THRESHOLDS)]
    for scale in scales:
        names += [f"bright spots of scale {scale:g} over {threshold:g}" for threshold in _CONTRAST_THRESHOLDS]
        names += [f"dark spots of scale {scale:g} over {threshold:g}" for threshold in _DARK_THRESHOLDS]
    return tuple(names)


def cell_descriptors(
    square: NDArray[np.float32], scales: tuple[float, ...], cells: int
) -> NDArray[np.float32]:
    """(descriptors, cells, cells) mean of each descriptor over each cell.

    Args:
        square: (size, size) windowed film, 0 to 1; `cells` divides size.
        scales: Of the local contrast, in pixels.
        cells: Cells along a side.
    """
    film, *contrasts = input_channels(square[None], scales)[0]
    maps = [film, *(np.maximum(film - threshold, 0.0) for threshold in _FILM_THRESHOLDS)]
    for contrast in contrasts:
        maps += [np.maximum(contrast - threshold, 0.0) for threshold in _CONTRAST_THRESHOLDS]
        maps += [np.maximum(-contrast - threshold, 0.0) for threshold in _DARK_THRESHOLDS]
    side = square.shape[0] // cells
    stacked = np.stack(maps).reshape(len(maps), cells, side, cells, side)
    return stacked.mean(axis=(2, 4))
