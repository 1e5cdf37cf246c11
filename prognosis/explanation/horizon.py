"""The probability of one cause by one day, of many log-hazards at once, for explaining it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.fusion.head import bounded

Array = NDArray[np.float64]

_SMALLEST = 1e-300


@dataclass(frozen=True, slots=True)
class HorizonProbability:
    """`fusion.head.cumulative_incidence` of one cause at one day, laid out for many coalitions.

    Attributes:
        cause: Place of the cause.
        bins: Bins that begin before the day; later ones do not matter.
        part: The part of the last of them that has passed by the day, above 0 to 1.
        alone: True where the cause is asked about by itself, whatever the others.
    """

    cause: int
    bins: int
    part: float
    alone: bool

    @classmethod
    def by(cls, cause: int, days: float, edges: Array, *, alone: bool) -> HorizonProbability:
        """By a day, above 0 and at most the last edge."""
        last = min(int(np.searchsorted(edges, days, side="left")), len(edges) - 1) - 1
        return cls(cause, last + 1, float((days - edges[last]) / (edges[last + 1] - edges[last])), alone)

    @property
    def causes(self) -> slice:
        """The causes that the answer depends on."""
        return slice(self.cause, self.cause + 1) if self.alone else slice(None)

    @property
    def place(self) -> int:
        """Place of the cause asked about among them."""
        return 0 if self.alone else self.cause

    def of(self, log_hazard: Array) -> Array:
        """(c,) probabilities from eta (K, bins, c).

        The hazard of a bin is softmax over the causes and survival, its cumulative hazard linear in time.
        """
        return self.of_odds(np.exp(bounded(log_hazard[self.causes], causes=0)))

    def of_odds(self, odds: Array) -> Array:
        """(c,) probabilities from exp(eta), finite: (K, bins, c), or (1, bins, c) of a cause asked alone."""
        own = odds[self.place]
        total = odds.sum(axis=0)
        kept = 1.0 / (1.0 + total)
        falls = own * kept
        if self.part < 1.0:
            share = own[-1] / np.maximum(total[-1], _SMALLEST)
            falls[-1] = share * -np.expm1(-self.part * np.log1p(total[-1]))
        found, surviving = falls[0], kept[0]
        for fall, left in zip(falls[1:], kept[1:], strict=True):  # numpy's cumprod is slower on few bins
            found = found + fall * surviving
            surviving = surviving * left
        return np.asarray(found)
