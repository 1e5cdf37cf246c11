"""How unlike the training films a film is, from its brightness, its layout and its local contrast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.regions import overlap

Array = NDArray[np.float64]

_THUMBNAIL = 4  # squares along a side of the coarse layout
_SHRINKAGE = 0.1  # of the correlations toward none
_QUANTILE = 0.99


@dataclass(frozen=True, slots=True)
class TypicalFilms:
    """The training films' statistics.

    Attributes:
        mean: (statistics,).
        spread: (statistics,) standard deviations.
        precision: (statistics, statistics) inverse of the shrunk correlation.
        limit: 99th percentile of the squared distance in training.
    """

    mean: Array
    spread: Array
    precision: Array
    limit: float

    def distance(self, statistics: Array) -> Array:
        """(n,) squared Mahalanobis distance over its 99th percentile in training; > 1 is unusual."""
        return self._squared(statistics) / self.limit

    def _squared(self, statistics: Array) -> Array:
        standard = (statistics - self.mean) / self.spread
        squared: Array = np.einsum("ni,ij,nj->n", standard, self.precision, standard)
        return squared

    @classmethod
    def learned(cls, statistics: Array) -> TypicalFilms:
        """From (n, statistics) of the training films."""
        mean, spread = statistics.mean(axis=0), np.maximum(statistics.std(axis=0), 1e-3)
        standard = (statistics - mean) / spread
        correlation = standard.T @ standard / len(standard)
        shrunk = (1.0 - _SHRINKAGE) * correlation + _SHRINKAGE * np.eye(len(mean))
        films = cls(mean, spread, np.linalg.inv(shrunk), 1.0)
        return cls(
            mean,
            spread,
            films.precision,
            max(float(np.quantile(films._squared(statistics), _QUANTILE)), 1e-6),
        )


def film_statistics(square: NDArray[np.float32], channels: NDArray[np.float32]) -> Array:
    """(statistics,) mean, spread, 4 x 4 thumbnail, and log spread of the local contrast at each scale.

    Args:
        square: (size, size) windowed film, 0 to 1.
        channels: (1 + scales, size, size) of it, from `input_channels`.
    """
    shrink = overlap(_THUMBNAIL, square.shape[0]) * (_THUMBNAIL / square.shape[0])
    thumbnail = shrink @ square @ shrink.T
    energy = np.log(channels[1:].reshape(len(channels) - 1, -1).std(axis=1) + 1e-3)
    return np.concatenate([[square.mean(), square.std()], thumbnail.ravel(), energy]).astype(np.float64)
