"""From stored pixel values to what they mean: sense and rescale (PS3.3 C.7.6.3.1.2, C.11.1.1.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectors.dicom.fields import Fields, number, whole
from prognosis.errors import StudyError

EXACT_BELOW = 2.0**24
"""Whole numbers below it are exact in 32-bit floats."""

BLOCK_ROWS = 256


@dataclass(frozen=True, slots=True)
class Scale:
    """value = (stored or mirror - stored) x slope + intercept.

    Attributes:
        slope: Per stored step, never 0.
        intercept: In the output's units, such as Hounsfield units.
        mirror: Least + greatest value that the stored bits can express, for MONOCHROME1, where the least
            stored value is white; None for every other interpretation.
    """

    slope: float
    intercept: float
    mirror: float | None

    def values(self, stored: NDArray[np.generic], out: NDArray[np.float32]) -> None:
        """Write the values of stored pixels into `out`, of the same shape (rows, columns)."""
        factor, shift = self.slope, self.intercept
        if self.mirror is not None:
            factor, shift = -factor, shift + self.mirror * self.slope
        whole_numbers = factor.is_integer() and shift.is_integer() and stored.dtype.kind in "iu"
        if whole_numbers and stored.itemsize <= 2 and abs(factor) * 2**16 + abs(shift) < EXACT_BELOW:
            out[...] = stored
            if factor != 1.0:
                out *= np.float32(factor)
            if shift != 0.0:
                out += np.float32(shift)
            return
        for start in range(0, len(stored), BLOCK_ROWS):
            block = stored[start : start + BLOCK_ROWS].astype(np.float64)
            if self.mirror is not None:
                block = self.mirror - block
            out[start : start + BLOCK_ROWS] = block * self.slope + self.intercept

    def window(self, fields: Fields, reference: str) -> tuple[float, float] | None:
        """(centre, width) of the first window that the file states, in the units and sense of `values`."""
        centre, width = (number(fields, name, reference) for name in ("WindowCenter", "WindowWidth"))
        if centre is None or width is None or width <= 0:
            return None
        if self.mirror is not None:
            centre = self.mirror * self.slope + 2.0 * self.intercept - centre
        return centre, width


def scale_of(fields: Fields, reference: str) -> Scale:
    """The scale that an instance or a frame states; slope 1 and intercept 0 where it states none.

    Raises:
        StudyError: The slope is 0, or the bits are not usable.
    """
    slope = number(fields, "RescaleSlope", reference)
    if slope == 0.0:
        raise StudyError(reference, "has a rescale slope of 0", "correct its rescale slope")
    mirror = None
    if fields.get("PhotometricInterpretation") == "MONOCHROME1":
        bits = whole(fields, "BitsStored", 0, reference)
        if not 0 < bits <= 32:
            raise StudyError(reference, "has no usable BitsStored", "give 1 to 32")
        mirror = -1.0 if whole(fields, "PixelRepresentation", 0, reference) else 2.0**bits - 1.0
    return Scale(
        slope=1.0 if slope is None else slope,
        intercept=number(fields, "RescaleIntercept", reference) or 0.0,
        mirror=mirror,
    )
