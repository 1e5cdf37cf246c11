"""The cohort that an answer rests on, and the form of every number in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DAYS, PROBABILITY, RATIO = "days", "probability", "ratio"
"""Units: days gained or kept; a share from 0 to 1, for people in per cent; how many times as much."""


@dataclass(frozen=True, slots=True)
class Number:
    """A value with its interval.

    Attributes:
        value: The estimate, in `unit`.
        low: Where the interval begins.
        high: Where it ends.
        level: Coverage aimed at, 0 to 1.
        unit: "days", "probability" or "ratio".
    """

    value: float
    low: float
    high: float
    level: float
    unit: str


@dataclass(frozen=True, slots=True)
class ArmBasis:
    """What the cohort says of one arm on average.

    Attributes:
        name: Of the arm.
        cases: Given it.
        effective: Unweighted cases that its weighted ones are worth.
        events: As in `ArmAnswer`.
        least_chance: The smallest chance that any case had of being given it, 0 to 1.
        average: Worth if everybody were given it.
    """

    name: str
    cases: int
    effective: float
    events: int
    least_chance: float
    average: Number


@dataclass(frozen=True, slots=True)
class Basis:
    """The cohort on which an answer rests.

    Attributes:
        cases: Compared.
        patients: Of them.
        assignment: "randomised" or "observational".
        arms: In the task's order.
        left_out: Why cases are not compared, to how many.
        outside_overlap: Share of cases whose chance of some arm is below 0.05, 0 to 1.
        imbalance_before: Largest standardised difference of a covariate's mean between two arms.
        imbalance_after: The same after weighting; above 0.1 is notable.
        weights_held_down: Share of cases whose weight was held down.
        policy_gain: What following the model gains, out of fold, on giving everybody the one best arm: giving
            that arm, unless another is surely better for the patient; 0 where it is for nobody.
        best_constant: That one best arm.
    """

    cases: int
    patients: int
    assignment: str
    arms: tuple[ArmBasis, ...]
    left_out: Mapping[str, int]
    outside_overlap: float
    imbalance_before: float
    imbalance_after: float
    weights_held_down: float
    policy_gain: Number
    best_constant: str
