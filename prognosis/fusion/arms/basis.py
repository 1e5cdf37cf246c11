"""What a comparison of arms rests on, gathered for the answer and the model's card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.arms import ArmCohort
from prognosis.errors import CohortError
from prognosis.fusion.arms.model import CohortBasis, PairBasis
from prognosis.treatment import (
    ArmValues,
    Estimate,
    Grounds,
    ResponseEffects,
    SurvivalEffects,
    e_value_of_risk_ratio,
    overlap,
    policy_value,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """What is gathered from.

    Attributes:
        compared: The cases.
        effects: Their scores.
        rule: (n,) the arm that following the model gives each case, out of fold.
        learned: Whether anything was learned of the choice of an arm.
        lacking: See `CohortBasis`.
    """

    compared: ArmCohort
    effects: SurvivalEffects | ResponseEffects
    rule: NDArray[np.int64]
    learned: bool
    lacking: Mapping[str, float]


def basis_of(judged: Judged) -> CohortBasis:
    """Counts, overlap, averages, E-values and the worth of the rule by the model."""
    effects, cases = judged.effects, judged.effects.cases
    found = overlap(cases, effects.propensity)
    policy = policy_value(effects.mean_scores, judged.rule, cases.arms, cases.patients, _level(effects))
    constant = min(policy.gain, key=lambda arm: policy.gain[arm].value)
    counts = np.bincount(cases.arm, minlength=len(cases.arms))
    return CohortBasis(
        cases=len(cases),
        patients=len(set(cases.patients.tolist())),
        left_out=dict(judged.compared.left_out),
        counts=tuple(int(count) for count in counts),
        grounds=Grounds(cases.arms, found.effective, _events(effects), cases.randomised or judged.learned),
        average=_average(effects),
        least_chance=tuple(float(each) for each in found.least),
        outside=found.outside_share,
        imbalance=(float(found.before.max(initial=0.0)), float(found.after.max(initial=0.0))),
        held_down=_held_down(effects),
        pairs=tuple(_pair(effects, arm, other) for other, arm in combinations(cases.arms, 2)),
        policy_gain=policy.gain[constant],
        best_constant=constant,
        lacking=judged.lacking,
    )


def _average(effects: SurvivalEffects | ResponseEffects) -> ArmValues:
    return effects.restricted_mean() if isinstance(effects, SurvivalEffects) else effects.mean()


def _level(effects: SurvivalEffects | ResponseEffects) -> float:
    return effects.settings.level if isinstance(effects, SurvivalEffects) else effects.level


def _events(effects: SurvivalEffects | ResponseEffects) -> NDArray[np.int64]:
    """(A,) events of each arm by the horizon; of a response the rarer of responses and failures."""
    arm, arms = effects.cases.arm, len(effects.cases.arms)
    if isinstance(effects, SurvivalEffects):
        own = effects.followed.own & (effects.followed.days <= effects.tau_days)
        return np.bincount(arm[own], minlength=arms)
    known, better = effects.response.known, effects.response.value > 0
    responses = np.bincount(arm[known & better], minlength=arms)
    return np.minimum(responses, np.bincount(arm[known & ~better], minlength=arms))


def _held_down(effects: SurvivalEffects | ResponseEffects) -> float:
    if isinstance(effects, SurvivalEffects):
        return effects.raised
    from prognosis.treatment.propensity import LEAST_DIVISOR
    from prognosis.treatment.response import LEAST_ASSESSED

    rows = np.arange(len(effects.cases))
    given = effects.cases.arm
    small = effects.propensity[rows, given] < LEAST_DIVISOR
    return float((small | (effects.assessed[rows, given] < LEAST_ASSESSED)).mean())


def _pair(effects: SurvivalEffects | ResponseEffects, arm: str, reference: str) -> PairBasis:
    shares = effects.incidence() if isinstance(effects, SurvivalEffects) else effects.mean()
    ratio: Estimate | None
    try:
        ratio = shares.ratio(arm, reference)
    except CohortError:
        ratio = None
    e_value = None
    if ratio is not None and not effects.cases.randomised:
        found = e_value_of_risk_ratio(ratio)
        e_value = (found.value, found.limit)
    return PairBasis(arm, reference, _average(effects).difference(arm, reference), ratio, e_value)
