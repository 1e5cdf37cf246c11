"""The mean of each arm's scores over all cases, and what one arm gives beyond another."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import CohortError
from prognosis.treatment.estimate import Estimate, estimate, ratio_estimate, within

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ArmValues:
    """What would be seen, on average, if every case were given the arm.

    Attributes:
        arms: Names.
        values: (A,) means.
        covariance: (A, A) of the means, from influence functions summed within patients.
        highest: The largest value that the quantity can have (1 for a probability, tau for days); the least
            is 0. None for a quantity without bounds.
        level: Coverage of the intervals.
    """

    arms: tuple[str, ...]
    values: Floats
    covariance: Floats
    highest: float | None = None
    level: float = 0.95

    def of(self, arm: str) -> Estimate:
        """The mean under an arm."""
        place = self._place(arm)
        error = float(np.sqrt(self.covariance[place, place]))
        found = estimate(float(self.values[place]), error, self.level)
        return found if self.highest is None else within(found, 0.0, self.highest)

    def difference(self, arm: str, reference: str) -> Estimate:
        """The mean under `arm` less that under `reference`."""
        contrast = self._contrast(arm, reference, 1.0, -1.0)
        error = float(np.sqrt(max(float(contrast @ self.covariance @ contrast), 0.0)))
        return estimate(float(contrast @ self.values), error, self.level)

    def ratio(self, arm: str, reference: str) -> Estimate:
        """The mean under `arm` over that under `reference`, with the interval of its logarithm.

        Raises:
            CohortError: One of the means is not above 0.
        """
        first, second = (float(self.values[self._place(name)]) for name in (arm, reference))
        if first <= 0.0 or second <= 0.0:
            raise CohortError(
                f"ratio of {arm} to {reference}", "has a mean of 0 or less", "read the difference"
            )
        slope = self._contrast(arm, reference, 1.0 / first, -1.0 / second)
        error = float(np.sqrt(max(float(slope @ self.covariance @ slope), 0.0)))
        return ratio_estimate(first / second, error, self.level)

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every (arm, reference) with the reference named first in `arms`."""
        return tuple((arm, reference) for reference, arm in combinations(self.arms, 2))

    def _place(self, arm: str) -> int:
        if arm not in self.arms:
            raise CohortError(f"arm {arm}", "is not compared", f"ask about one of {', '.join(self.arms)}")
        return self.arms.index(arm)

    def _contrast(self, arm: str, reference: str, first: float, second: float) -> Floats:
        contrast = np.zeros(len(self.arms))
        contrast[self._place(arm)] += first
        contrast[self._place(reference)] += second
        return contrast


def arm_values(
    scores: Floats,
    arms: tuple[str, ...],
    patients: NDArray[np.str_],
    highest: float | None = None,
    level: float = 0.95,
) -> ArmValues:
    """Means of scores whose own mean is the estimate and whose spread is its influence function.

    Args:
        scores: (n, A) uncentred influence of each case on each arm's mean.
        arms: Names of the A arms.
        patients: (n,) the patient of each case; influences are summed within patients before they are
            squared, so that paired eyes are not counted as two people.
        highest: See `ArmValues`.
        level: Coverage of the intervals.
    """
    return ArmValues(arms, scores.mean(axis=0), clustered_covariance(scores, patients), highest, level)


def clustered_covariance(scores: Floats, patients: NDArray[np.str_]) -> Floats:
    """(A, A) sampling covariance of the columns' means, cases of one patient moving together."""
    centred = scores - scores.mean(axis=0)
    names, member = np.unique(patients, return_inverse=True)
    sums = np.stack([np.bincount(member, column, len(names)) for column in centred.T], axis=1)
    small = len(names) / max(len(names) - 1, 1)
    return np.asarray(small * sums.T @ sums / len(scores) ** 2)
