"""Local contrast of an image at several scales: fixed filters, so that a small cohort need not learn them."""

from __future__ import annotations

from functools import cache, reduce
from operator import add

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.regions import along_axes

FILM_GAIN = 2.0  # a windowed film (0 to 1) then has a spread of the order of one
_CONTRAST_GAIN = 8.0  # brings the response to a small lesion to the same order


def input_channels(squares: NDArray[np.float32], scales: tuple[float, ...]) -> NDArray[np.float32]:
    """(n, 1 + scales, *shape): each image about its middle grey, then its local contrast at each scale.

    Local contrast is the scale-normalised negative Laplacian of a Gaussian, positive on a blob brighter than
    its surroundings (Lindeberg, Int J Comput Vis 1998, section 4).

    Args:
        squares: (n, *shape) windowed films (two axes) or volumes (three), 0 to 1.
        scales: Standard deviations of the Gaussians in pixels.
    """
    shape = squares.shape[1:]
    channels = [FILM_GAIN * (squares - 0.5)]
    for scale in scales:
        pairs = [_gaussian_matrices(size, scale) for size in shape]
        second = [
            along_axes(squares, [pair[place == axis] for place, pair in enumerate(pairs)])
            for axis in range(len(shape))
        ]
        channels.append((-_CONTRAST_GAIN * scale**2) * reduce(add, second))
    return np.stack(channels, axis=1)


@cache
def _gaussian_matrices(size: int, scale: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(size, size) matrices that smooth a column with a Gaussian and take its smoothed second derivative.

    Beyond the border the edge pixel is repeated.
    """
    reach = int(np.ceil(4.0 * scale))
    offset = np.arange(-reach, reach + 1, dtype=np.float64)
    gauss = np.exp(-(offset**2) / (2.0 * scale**2))
    gauss /= gauss.sum()
    curve = gauss * (offset**2 / scale**2 - 1.0) / scale**2
    curve -= curve.mean()
    matrices = []
    for kernel in (gauss, curve):
        matrix = np.zeros((size, size))
        for row in range(size):
            np.add.at(matrix[row], np.clip(row + offset.astype(np.int64), 0, size - 1), kernel)
        matrices.append(matrix.astype(np.float32))
    return matrices[0], matrices[1]
