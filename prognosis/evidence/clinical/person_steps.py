"""Follow-up cut into person-steps: the rows on which a discrete hazard is learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.target import Target

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LEAST_HAZARD = 1e-6


@dataclass(frozen=True, slots=True)
class PersonSteps:
    """One row for each case and step of time that it entered.

    Attributes:
        case: (R,) the row's case.
        step: (R,) its step, from 0.
        outcome: (R,) 0 survived (or was censored in) the step, else the cause, 1 to K.
        weight: (R,) the case's weight; in the step where a case was censored, times the share of it seen.
        baseline: (steps, K + 1) log-probability of each outcome in a step, surviving first; for one cause
            (steps, 1) log-odds of it.
        steps: Number of steps.
    """

    case: Ints
    step: Ints
    outcome: Ints
    weight: Floats
    baseline: Floats
    steps: int


def step_of_bin(bins: int, steps: int) -> Ints:
    """(bins,) the step that each bin belongs to: neighbouring bins share one, as evenly as possible."""
    return (np.arange(bins) * min(steps, bins)) // bins


def person_steps(target: Target, weights: Floats, steps: int) -> PersonSteps:
    """Cut every case's follow-up into steps of neighbouring bins.

    Args:
        target: What happened to each case.
        weights: (n,) case weights.
        steps: The most steps.
    """
    of_bin = step_of_bin(target.bins, steps)
    count = int(of_bin[-1]) + 1
    first_bin = np.searchsorted(of_bin, np.arange(count))
    starts = target.edges[first_bin]
    ends = np.append(starts[1:], target.edges[-1])
    last = of_bin[target.bin_of()]
    case = np.repeat(np.arange(len(target)), last + 1)
    step = np.concatenate([np.arange(own + 1) for own in last]) if len(last) else np.zeros(0, dtype=np.int64)
    final = step == last[case]
    outcome = np.where(final, target.cause[case], 0)
    seen = np.clip((target.days[case] - starts[step]) / (ends - starts)[step], 0.0, 1.0)
    weight = weights[case] * np.where(final & (outcome == 0), seen, 1.0)
    kept = weight > 0.0
    case, step, outcome, weight = case[kept], step[kept], outcome[kept], weight[kept]
    causes = len(target.causes)
    total = np.zeros((count, causes + 1))
    np.add.at(total, (step, outcome), weight)
    share = np.maximum(total / np.maximum(total.sum(axis=1, keepdims=True), 1e-300), _LEAST_HAZARD)
    baseline = np.log(share) if causes > 1 else np.log(share[:, 1:] / share[:, :1])
    return PersonSteps(case, step, outcome, weight, baseline, count)
