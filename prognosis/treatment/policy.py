"""What a rule for choosing arms is worth, beside giving everybody the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.treatment.effects import arm_values
from prognosis.treatment.estimate import Estimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PolicyValue:
    """The worth of a rule, and what it gains on each constant one.

    Attributes:
        value: Mean worth if every case were given the arm that the rule chooses.
        gain: Worth of the rule less that of giving everybody the named arm.
        shares: Share of cases to which the rule gives each arm.
    """

    value: Estimate
    gain: Mapping[str, Estimate]
    shares: Mapping[str, float]

    @property
    def least_gain(self) -> Estimate:
        """The gain on the best constant rule, which is the one that matters."""
        return min(self.gain.values(), key=lambda gain: gain.value)


def policy_value(
    worth: Floats, chosen: Ints, arms: tuple[str, ...], patients: NDArray[np.str_], level: float = 0.95
) -> PolicyValue:
    """The value of a rule by doubly robust scores (Dudik et al., Stat Sci 2014;29:485).

    One of the arms is usually no treatment, so that "treat none" is among the constant rules.

    Args:
        worth: (n, A) doubly robust scores, higher is better.
        chosen: (n,) number of the arm that the rule gives each case; it must not have seen that case's own
            outcome, as an effect out of fold has not.
        arms: Names.
        patients: (n,) the patient of each case.
        level: Coverage of intervals.
    """
    own = worth[np.arange(len(worth)), chosen]
    found = arm_values(np.column_stack([own, worth]), ("the rule", *arms), patients, level=level)
    counts = np.bincount(chosen, minlength=len(arms)) / len(chosen)
    return PolicyValue(
        found.of("the rule"),
        {arm: found.difference("the rule", arm) for arm in arms},
        {arm: float(share) for arm, share in zip(arms, counts, strict=True)},
    )


def best_arm(effects: Floats, *, reference: int = 0, least_gain: float = 0.0) -> Ints:
    """(n,) number of the arm with the largest effect, the reference unless one gains more than `least_gain`.

    Args:
        effects: (n, A) predicted worth of each arm beyond the reference's; 0 in the reference's column.
        reference: The arm given where no other is better.
        least_gain: What an arm must gain to be preferred.
    """
    gains = np.where(np.arange(effects.shape[1]) == reference, least_gain, effects)
    gains[:, reference] = least_gain
    best = gains.argmax(axis=1)
    return np.where(gains.max(axis=1) > least_gain, best, reference).astype(np.int64)
