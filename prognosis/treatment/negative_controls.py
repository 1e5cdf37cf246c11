"""Analyses whose answer is known to be nothing: what they find is a fault of the method or of the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from prognosis.treatment.assignment import ArmCases, Ints
from prognosis.treatment.estimate import Estimate

Analysis = Callable[[ArmCases], Estimate]
"""From cases to the difference of two arms."""


@dataclass(frozen=True, slots=True)
class PermutedArms:
    """Effects found after the arm was shuffled.

    Attributes:
        effects: One a shuffle.
        false_findings: Share of intervals that leave out 0: about 1 - level where all is well.
        mean: Mean effect over shuffles; about 0.
    """

    effects: tuple[Estimate, ...]
    false_findings: float
    mean: float


def permuted_arms(cases: ArmCases, analysis: Analysis, *, shuffles: int = 20, seed: int = 0) -> PermutedArms:
    """Analyse the same cases with shuffled arms, as if randomised in the shares seen.

    Where every patient has several cases (paired eyes) arms are shuffled within patients, as they were given.

    Args:
        cases: Who was given which arm.
        analysis: What finds the difference; it is given the cases with their new arms.
        shuffles: How many.
        seed: Of the shuffles.
    """
    rng = np.random.default_rng(seed)
    effects = tuple(analysis(cases.with_arm(shuffled(cases, rng))) for _ in range(shuffles))
    found = float(np.mean([each.excludes(0.0) for each in effects]))
    return PermutedArms(effects, found, float(np.mean([each.value for each in effects])))


def shuffled(cases: ArmCases, rng: np.random.Generator) -> Ints:
    """(n,) arms in another order, within patients where each has more than one case."""
    _, member, counts = np.unique(cases.patients, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        return rng.permutation(cases.arm)
    order = np.lexsort((rng.random(len(cases)), member))
    place = np.argsort(member, kind="stable")
    arm = np.empty_like(cases.arm)
    arm[place] = cases.arm[order]
    return arm


@dataclass(frozen=True, slots=True)
class NegativeControl:
    """The arm's effect on an outcome that it cannot change (Lipsitch et al., Epidemiology 2010;21:383).

    Attributes:
        outcome: Name of the outcome.
        effect: What was found.
        passed: True when the interval holds no effect; False says that something else differs between the
            arms and was not allowed for. Passing proves nothing.
    """

    outcome: str
    effect: Estimate
    passed: bool


def negative_control(outcome: str, effect: Estimate) -> NegativeControl:
    """Judge the effect found on an outcome that the arm cannot change."""
    return NegativeControl(outcome, effect, not effect.excludes(0.0))
