"""What makes any film unreadable, whatever a model was trained on, in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BLANK_SPREAD = 1e-6  # of the largest absolute value: less contrast than this is none
_FEWEST_LEVELS = 8  # a film with fewer grey levels holds no anatomy
_MOST_CLIPPED = 0.5  # share of pixels at the brightest value
_MOST_BLACK = 0.9  # share of pixels at the darkest value


def unreadable(pixels: NDArray[np.float32], minimum_pixels: int) -> str:
    """Why a film cannot be read; "" when it can.

    Args:
        pixels: (height, width).
        minimum_pixels: The shorter side of the smallest film that is read.
    """
    if min(pixels.shape) < minimum_pixels:
        size = " x ".join(str(side) for side in pixels.shape)
        return f"film is too small ({size} pixels; at least {minimum_pixels} a side are needed)"
    if not np.isfinite(pixels).all():
        return "film has pixels that are not numbers"
    low, high = float(pixels.min()), float(pixels.max())
    step = max(1, max(pixels.shape) // 256)
    faults = (
        (high - low <= _BLANK_SPREAD * max(abs(low), abs(high), 1.0), "film is blank"),
        (
            len(np.unique(pixels[::step, ::step])) < _FEWEST_LEVELS,
            f"film is blank (fewer than {_FEWEST_LEVELS} grey levels)",
        ),
        ((pixels == high).mean() > _MOST_CLIPPED, "film is clipped (most of it is at the brightest value)"),
        ((pixels == low).mean() > _MOST_BLACK, "film is blank (most of it is at the darkest value)"),
    )
    return next((fault for wrong, fault in faults if wrong), "")
