"""Whether an arm may be said to be better, or why not: to say that none is, is an answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from prognosis.treatment.assignment import ArmCases
from prognosis.treatment.estimate import Estimate
from prognosis.treatment.overlap import LEAST_OVERLAP, Overlap

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_EFFECTIVE = 40.0
"""Effective cases of an arm: with fewer, the interval of a share of one half is wider than 0.3."""
LEAST_EVENTS = 10
"""Events of an arm: between two arms of ten each, the interval of a hazard ratio reaches from its 0.4-fold to
its 2.4-fold (the variance of its logarithm is about 1/10 + 1/10)."""


class Reason(StrEnum):
    """Why no arm is said to be better."""

    UNMODELLED = "assignment not modelled"
    OVERLAP = "outside the overlap"
    SMALL = "too few cases"
    EVENTS = "too few events"
    UNCERTAIN = "no arm is better supported"
    UNUSUAL = "unlike the patients of the cohort"
    BEGUN = "an arm began before the index"
    MISSING = "what the choice of an arm went by is missing"
    ABSTAINED = "the model gives no answer for this patient"
    NOT_COMPARED = "the arms could not be compared in training"
    UNRECORDED = "an unrecorded cause could explain it"
    POSSIBLE = "the estimate is beyond what is possible"


@dataclass(frozen=True, slots=True)
class Supported:
    """One arm is better supported than the other.

    Attributes:
        arm: The better one.
        reference: The other.
        difference: Worth under `arm` less that under `reference`; its interval lies above 0.
    """

    arm: str
    reference: str
    difference: Estimate


@dataclass(frozen=True, slots=True)
class NotSupported:
    """Neither arm may be said to be better.

    Attributes:
        reason: Why.
        detail: The same in words and numbers, without patient content.
        difference: What was estimated, where the refusal rests on it alone; else None.
    """

    reason: Reason
    detail: str
    difference: Estimate | None = None


Support = Supported | NotSupported


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a comparison rests on.

    Attributes:
        arms: Names of all arms.
        effective: (A,) effective cases of each.
        events: (A,) events of each (of a response: the rarer of responses and failures).
        modelled: True when the arm was randomised, or the propensity was learned from covariates.
    """

    arms: tuple[str, ...]
    effective: Floats
    events: Ints
    modelled: bool


def grounds(
    cases: ArmCases, found: Overlap, happened: NDArray[np.bool_], *, adjusted: bool = True
) -> Grounds:
    """Gather what a comparison rests on.

    Args:
        cases: Who was given which arm.
        found: Their overlap.
        happened: (n,) True where the event did (of a response, where it was seen).
        adjusted: Whether the estimate allowed for covariates.
    """
    events = np.bincount(cases.arm[happened], minlength=len(cases.arms))
    modelled = cases.randomised or (adjusted and cases.covariates.shape[1] > 0)
    return Grounds(cases.arms, found.effective, events, modelled)


def judge(
    rests_on: Grounds, arm: str, reference: str, difference: Estimate, chance: Floats | None = None
) -> Support:
    """Say which of two arms is better, or why neither is.

    Args:
        rests_on: What the comparison rests on.
        arm: The arm asked about.
        reference: The one that it is compared with.
        difference: Worth under `arm` less that under `reference`; higher is better.
        chance: (A,) this patient's chance of each arm; None for the average over patients.
    """
    refusal = _refusal(rests_on, (arm, reference), chance)
    if refusal is not None:
        return refusal
    if not difference.excludes(0.0):
        detail = f"{arm} and {reference} may not differ (the interval of their difference holds 0)"
        return NotSupported(Reason.UNCERTAIN, detail, difference)
    if difference.value > 0:
        return Supported(arm, reference, difference)
    turned = Estimate(
        -difference.value, difference.standard_error, -difference.high, -difference.low, difference.level
    )
    return Supported(reference, arm, turned)


def best_supported(
    rests_on: Grounds,
    differences: dict[tuple[str, str], Estimate],
    chance: Floats | None = None,
) -> Support:
    """The arm that is better than every other, or why none is.

    An arm is named only where it is supported against each other arm; intervals are those of pairs, not
    widened for their number.

    Args:
        rests_on: What the comparisons rest on.
        differences: For each pair (arm, reference), worth under the first less that under the second.
        chance: (A,) this patient's chance of each arm.
    """
    found = [judge(rests_on, arm, other, gap, chance) for (arm, other), gap in differences.items()]
    refused = [each for each in found if isinstance(each, NotSupported) and each.reason != Reason.UNCERTAIN]
    if refused:
        return refused[0]
    for arm in rests_on.arms:
        won = [each for each in found if isinstance(each, Supported) and each.arm == arm]
        if len(won) == len(rests_on.arms) - 1:
            return min(won, key=lambda each: each.difference.value)
    detail = "each arm may not differ from some other one (the interval of their difference holds 0)"
    return NotSupported(Reason.UNCERTAIN, detail)


def _refusal(rests_on: Grounds, asked: tuple[str, str], chance: Floats | None) -> NotSupported | None:
    if not rests_on.modelled:
        return NotSupported(
            Reason.UNMODELLED, "arms were chosen by clinicians and nothing they went by was allowed for"
        )
    for name in asked:
        place = rests_on.arms.index(name)
        size, events = float(rests_on.effective[place]), int(rests_on.events[place])
        if size < LEAST_EFFECTIVE:
            detail = f"{name} has an effective {size:.0f} cases, of at least {LEAST_EFFECTIVE:.0f}"
            return NotSupported(Reason.SMALL, detail)
        if events < LEAST_EVENTS:
            return NotSupported(Reason.EVENTS, f"{name} has {events} events, of at least {LEAST_EVENTS}")
        if chance is not None and chance[place] < LEAST_OVERLAP:
            detail = (
                f"of patients like this one {chance[place]:.1%} are given {name}, below {LEAST_OVERLAP:.0%}"
            )
            return NotSupported(Reason.OVERLAP, detail)
    return None
