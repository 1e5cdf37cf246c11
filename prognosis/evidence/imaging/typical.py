"""How unlike the training images an image is, from a row of statistics of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SHRINKAGE = 0.5  # of the correlations toward none
_QUANTILE = 0.99
_FARTHEST = 10.0  # standard deviations beyond which a statistic is not followed
_SMALLEST_SPREAD = 1e-3


@dataclass(frozen=True, slots=True)
class TypicalFilms:
    """The training images' statistics.

    Attributes:
        mean: (statistics,).
        spread: (statistics,) standard deviations.
        precision: (statistics, statistics) inverse of the shrunk correlation.
        limit: 99th percentile of the squared distance of training images from those of other patients.
    """

    mean: Array
    spread: Array
    precision: Array
    limit: float

    def standardised(self, statistics: Array) -> Array:
        """(n, statistics) in standard deviations from the mean, at most 10."""
        return np.clip((statistics - self.mean) / self.spread, -_FARTHEST, _FARTHEST)

    def distance(self, statistics: Array) -> Array:
        """(n,) squared Mahalanobis distance over its 99th percentile in training; > 1 is unusual."""
        standard = self.standardised(statistics)
        squared: Array = np.einsum("ni,ij,nj->n", standard, self.precision, standard)
        return squared / self.limit

    @classmethod
    def learned(cls, statistics: Array, folds: NDArray[np.int64]) -> tuple[TypicalFilms, Array]:
        """From (n, statistics) of the training images, and their distances from those of the other folds.

        The distance of an image that helped to fix the mean and the correlations is too short, by far where
        images are few: the limit is taken from the others'.

        Args:
            statistics: One row an image.
            folds: (n,) fold of each image; those of one patient share one.
        """
        held_out = np.zeros(len(statistics))
        for fold in np.unique(folds):
            own = folds == fold
            held_out[own] = _fitted(statistics[~own] if not own.all() else statistics).distance(
                statistics[own]
            )
        limit = max(float(np.quantile(held_out, _QUANTILE)), 1e-6)
        films = _fitted(statistics)
        return cls(films.mean, films.spread, films.precision, limit), held_out / limit


def _fitted(statistics: Array) -> TypicalFilms:
    """The mean and shrunk correlations of these images, with a limit of one."""
    mean, spread = statistics.mean(axis=0), np.maximum(statistics.std(axis=0), _SMALLEST_SPREAD)
    standard = np.clip((statistics - mean) / spread, -_FARTHEST, _FARTHEST)
    correlation = standard.T @ standard / len(standard)
    shrunk = (1.0 - _SHRINKAGE) * correlation + _SHRINKAGE * np.eye(len(mean))
    return TypicalFilms(mean, spread, np.linalg.inv(shrunk), 1.0)
