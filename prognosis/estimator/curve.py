"""A predicted survival curve as a function of time, as scikit-survival's users call it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prognosis.errors import InputError

Floats = NDArray[np.float64]


def as_times(times: ArrayLike) -> Floats:
    """Times as an array of numbers.

    Raises:
        InputError: They are no numbers.
    """
    try:
        return np.asarray(times, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError("times", "are no numbers", "give numbers in the unit of the fit") from error


@dataclass(frozen=True, slots=True)
class SurvivalCurve:
    """A right-continuous step function, 1 before its first time.

    Attributes:
        x: (T,) increasing times.
        y: (T,) probability of no event by each time.
    """

    x: Floats
    y: Floats

    @property
    def domain(self) -> tuple[float, float]:
        """The times at which it can be asked."""
        return 0.0, float(self.x[-1])

    def __call__(self, times: ArrayLike) -> Floats:
        """The probability of no event by each of `times`.

        Raises:
            InputError: A time lies outside the domain.
        """
        asked = as_times(times)
        if asked.size and not (asked.min() >= 0.0 and asked.max() <= self.x[-1]):
            raise InputError("times", "lie outside the curve", f"ask for 0 to {self.x[-1]:g}")
        steps = np.concatenate([[1.0], self.y])
        return np.asarray(steps[np.searchsorted(self.x, asked, side="right")])
