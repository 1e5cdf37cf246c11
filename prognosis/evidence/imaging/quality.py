"""The quality gate: why a film's pixels cannot be read, in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BLANK_SPREAD = 1e-6  # of the largest absolute value: less contrast than this is none
_FEWEST_LEVELS = 8  # a film with fewer grey levels holds no anatomy
_MOST_CLIPPED = 0.5  # share of pixels at the brightest value
_MOST_BLACK = 0.9  # share of pixels at the darkest value
_INVERTED_BY = -0.35  # mediastinum minus lungs, in standard deviations of the film


def film_fault(pixels: NDArray[np.float32], minimum_pixels: int, *, reject_inverted: bool) -> str:
    """Why a film cannot be read; "" when it can.

    Args:
        pixels: (height, width).
        minimum_pixels: The shorter side of the smallest film that is read.
        reject_inverted: Refuse a film whose mediastinum is darker than its lungs.
    """
    height, width = pixels.shape
    if min(height, width) < minimum_pixels:
        return f"film is too small ({height} x {width} pixels; at least {minimum_pixels} a side are needed)"
    if not np.isfinite(pixels).all():
        return "film has pixels that are not numbers"
    low, high = float(pixels.min()), float(pixels.max())
    if high - low <= _BLANK_SPREAD * max(abs(low), abs(high), 1.0):
        return "film is blank"
    if len(np.unique(pixels[:: max(1, height // 256), :: max(1, width // 256)])) < _FEWEST_LEVELS:
        return f"film is blank (fewer than {_FEWEST_LEVELS} grey levels)"
    if (pixels == high).mean() > _MOST_CLIPPED:
        return "film is clipped (most of it is at the brightest value)"
    if (pixels == low).mean() > _MOST_BLACK:
        return "film is blank (most of it is at the darkest value)"
    if reject_inverted and mediastinal_contrast(pixels) < _INVERTED_BY:
        return "film appears inverted (its middle is darker than its lungs)"
    return ""


def mediastinal_contrast(pixels: NDArray[np.float32]) -> float:
    """How much brighter the middle of a frontal chest film is than the lungs, in its standard deviations."""
    height, width = pixels.shape
    rows = slice(height // 4, 3 * height // 4)
    middle = pixels[rows, int(0.43 * width) : int(0.57 * width) + 1]
    lungs = np.concatenate(
        [
            pixels[rows, int(0.2 * width) : int(0.38 * width)],
            pixels[rows, int(0.62 * width) : int(0.8 * width)],
        ],
        axis=1,
    )
    return float((middle.mean() - lungs.mean()) / (pixels.std() + 1e-12))
