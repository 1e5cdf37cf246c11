"""Sets of classes that hold the true one with a stated confidence: split conformal prediction by class.

The score of a case is one less the probability that a prediction which had not seen it gave to its true
class. A class is in a patient's set when that patient's score for it is at most the class's own quantile: the
smallest score such that, the patient asked about counted as one more, at least `level` of the class's
calibration patients lie at or below it (Vovk 2012, Asian Conference on Machine Learning, label-conditional).
Then, among patients of each class apart, the set misses the true class in at most 1 - level, if the patients
asked about are exchangeable with those of the calibration. A set may be empty (nothing fits this patient) or
hold several classes (they cannot be told apart).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import InputError
from prognosis.survival.curves import Floats

SET_LEVELS = (0.8, 0.9, 0.95)
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class ClassSets:
    """What turns class probabilities into sets.

    Attributes:
        levels: (L,) confidence levels.
        largest_score: (L, C) a class belongs to the set when 1 - its probability is at most this; 1 where the
            class had too few calibration patients to leave it out of any set.
    """

    levels: tuple[float, ...]
    largest_score: Floats

    def holds(self, probability: Floats, level: float) -> NDArray[np.bool_]:
        """(n, C) True where a class is in the case's set.

        Args:
            probability: (n, C) of each class, the reference class among them.
            level: One of `levels`.

        Raises:
            InputError: The level was not calibrated.
        """
        if level not in self.levels:
            stated = ", ".join(f"{each:g}" for each in self.levels)
            raise InputError(f"level {level:g}", "has no calibrated sets", f"ask for one of {stated}")
        return np.asarray(1.0 - probability <= self.largest_score[self.levels.index(level)] + _ROUNDING)


def fit_class_sets(
    probability: Floats,
    true_class: NDArray[np.int64],
    patients: NDArray[np.str_],
    levels: Sequence[float] = SET_LEVELS,
) -> ClassSets:
    """Calibrate sets on cases that the predictions had not seen.

    Args:
        probability: (n, C) predicted probability of each class.
        true_class: (n,) number of the true class, 0 to C - 1.
        patients: (n,) the patient of each case; a patient's cases of a class weigh one together.
        levels: Confidence levels, each in (0, 1).
    """
    classes = probability.shape[1]
    largest = np.ones((len(levels), classes))
    for number in range(classes):
        own = true_class == number
        score = 1.0 - probability[own, number]
        _, inverse, counts = np.unique(patients[own], return_inverse=True, return_counts=True)
        order = np.argsort(score, kind="stable")
        below = np.cumsum((1.0 / counts[inverse])[order])
        for place, level in enumerate(levels):
            reached = below >= level * (len(counts) + 1) - _ROUNDING
            if reached.any():
                largest[place, number] = score[order][int(np.argmax(reached))]
    return ClassSets(tuple(levels), largest)
