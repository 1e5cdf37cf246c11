"""A film reduced to a small square of one of a few sides, on which its quality is judged."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

SIDES = (256, 128, 64, 32)


def reduced_film(pixels: NDArray[np.float32]) -> NDArray[np.float16]:
    """(side, side) the film from 0 (darkest) to 1 by the mean over each square's area, its aspect given up.

    The side is the largest of `SIDES` that the film's shorter side reaches, else the smallest: a film of 28
    pixels has nothing to say on a grid of 256, and a film of 3,000 is judged on what is left of it at 256.
    """
    side = next((side for side in SIDES if side <= min(pixels.shape)), SIDES[-1])
    down, across = (max(1, length // (2 * side)) for length in pixels.shape)
    if down * across > 1:  # whole blocks first: a dense product over thousands of rows would cost more
        height, width = pixels.shape[0] // down, pixels.shape[1] // across
        blocks = pixels[: height * down, : width * across].reshape(height, down, width, across)
        pixels = blocks.mean(axis=(1, 3), dtype=np.float32)
    rows, columns = (_means(side, length) for length in pixels.shape)
    square = (columns @ (rows @ pixels.astype(np.float32, copy=False)).T).T
    low, high = float(square.min()), float(square.max())
    return ((square - low) / max(high - low, 1e-12)).astype(np.float16)


def on_side(square: NDArray[np.float16], side: int) -> NDArray[np.float32]:
    """(side, side) a reduced film on another of `SIDES`: by means where smaller, repeated where larger."""
    square32 = square.astype(np.float32)
    if len(square) >= side:
        return block_mean(square32, side)
    return np.kron(square32, np.ones((side // len(square),) * 2, dtype=np.float32))


def block_mean(squares: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """(..., side, side) means over equal blocks of the last two axes, whose sides `side` divides."""
    step = squares.shape[-1] // side
    return np.asarray(
        squares.reshape(*squares.shape[:-2], side, step, side, step).mean(axis=(-3, -1), dtype=np.float32)
    )


@lru_cache(maxsize=64)
def _means(side: int, length: int) -> csr_matrix:
    """(side, length) weights of the means over `side` equal parts of a line; each pixel is in one or two."""
    from scipy.sparse import csr_matrix

    edges = np.union1d(np.arange(length + 1), np.arange(side + 1) * (length / side))
    middle = 0.5 * (edges[:-1] + edges[1:])
    place = (middle * side / length).astype(np.intp), middle.astype(np.intp)
    weights = (np.diff(edges) * (side / length)).astype(np.float32)
    return csr_matrix((weights, place), shape=(side, length))
