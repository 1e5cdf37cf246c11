"""Planted features as standard variables, so that a dial states a log-hazard's spread and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from prognosis.simulate.dials import Dials

Vector = NDArray[np.float64]

CAUSES = ("progression", "death")


def cause_scale(cause: str, dials: Dials) -> float:
    """What a cause's log-hazards are multiplied by."""
    return dials.death_signal if cause == "death" else 1.0


def unit_weights(weights: Mapping[str, float]) -> dict[str, float]:
    """The weights scaled so that their sum over independent standard variables has unit variance."""
    norm = float(np.sqrt(sum(weight**2 for weight in weights.values())))
    return {name: weight / norm for name, weight in weights.items()}


def standard_indicator(present: NDArray[np.bool_], prevalence: float) -> Vector:
    """A yes-or-no finding as a variable of mean zero and unit variance."""
    spread = float(np.sqrt(prevalence * (1.0 - prevalence)))
    return (present.astype(np.float64) - prevalence) / spread


def with_share(score: Vector, slope: float, share: float) -> Vector:
    """Probabilities that rise with a standardised score and average to a share.

    Args:
        score: (n,) in standard deviations.
        slope: Change in the log-odds for one standard deviation.
        share: The mean wanted; 0 and 1 are taken literally.

    Returns:
        (n,) probabilities.
    """
    if share <= 0.0 or share >= 1.0:
        return np.full(len(score), float(np.clip(share, 0.0, 1.0)))
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2.0
        mean = float(np.mean(1.0 / (1.0 + np.exp(-(middle + slope * score)))))
        low, high = (middle, high) if mean < share else (low, middle)
    return 1.0 / (1.0 + np.exp(-(low + slope * score)))


def standardised(values: Vector) -> Vector:
    """Values in standard deviations from their mean; zeros where they do not vary."""
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 0.0 else np.zeros_like(values)
