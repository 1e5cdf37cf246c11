"""Grey values as unsigned integers of 8 or 16 bits with a rescale, exactly or not at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import StudyError

LARGEST = {8: 2**8 - 1, 16: 2**16 - 1}
FINEST_HALVINGS = 24
DECIMAL_STRING = 16


@dataclass(frozen=True, slots=True)
class Stored:
    """Pixels as a DICOM file stores them: value = pixel x slope + intercept.

    Attributes:
        pixels: (rows, columns), uint8 or uint16.
        bits: 8 or 16.
        slope: A decimal string of at most 16 characters.
        intercept: Likewise.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    bits: int
    slope: str
    intercept: str

    @property
    def plain(self) -> bool:
        """Whether the pixels are the values themselves."""
        return float(self.slope) == 1.0 and float(self.intercept) == 0.0


def store_exactly(values: NDArray[np.float32], reference: str) -> Stored:
    """The smallest form that gives every value back unchanged.

    Slopes tried are 1 and its halvings, because those and their multiples are exact in binary and (with
    few digits) in the decimal strings that DICOM uses.

    Args:
        values: (rows, columns), finite.
        reference: What messages call them.

    Raises:
        StudyError: The values are not finite, or no such form holds them exactly.
    """
    exact = values.astype(np.float64)
    if not np.isfinite(exact).all():
        raise StudyError(reference, "has values that are not finite", "leave the film out")
    lowest = float(exact.min())
    starts = (0.0,) if lowest >= 0 else (float(np.floor(lowest)), lowest)
    for halvings in range(FINEST_HALVINGS + 1):
        slope = 0.5**halvings
        for start in (*starts, lowest):
            stored = _at(exact, slope, start)
            if stored is not None:
                return stored
    raise StudyError(
        reference,
        "has grey values that 16 bits and a rescale slope cannot hold exactly",
        "round them to integers from 0 to 65535",
    )


def _at(exact: NDArray[np.float64], slope: float, intercept: float) -> Stored | None:
    levels = (exact - intercept) / slope
    if (levels != np.rint(levels)).any() or levels.min() < 0 or levels.max() > LARGEST[16]:
        return None
    texts = [_decimal(slope), _decimal(intercept)]
    if "" in texts:
        return None
    bits = 8 if levels.max() <= LARGEST[8] else 16
    pixels = levels.astype(np.uint8) if bits == 8 else levels.astype(np.uint16)
    return Stored(pixels, bits, texts[0], texts[1])


def _decimal(number: float) -> str:
    """A decimal string (PS3.5 DS) of exactly this number, "" when 16 characters cannot say it."""
    text = str(int(number)) if number.is_integer() else repr(number)
    return text if len(text) <= DECIMAL_STRING and float(text) == number else ""
