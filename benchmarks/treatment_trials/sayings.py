"""What `judge` says of arms on average, in the words that are printed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.treatment_trials.findings import interval
from prognosis.treatment import (
    ArmCases,
    ArmValues,
    NotSupported,
    Support,
    best_supported,
    grounds,
    judge,
    overlap,
)

Floats = NDArray[np.float64]


def said_of(
    cases: ArmCases, worth: ArmValues, happened: NDArray[np.bool_], chance: Floats, digits: int
) -> list[str]:
    """A sentence for each pair of arms, and one of them all.

    Args:
        cases: Who was given which arm.
        worth: Mean worth under each arm, higher is better.
        happened: (n,) True where the event did, or the response was seen.
        chance: (n, A) of each arm.
        digits: To print.
    """
    rests_on = grounds(cases, overlap(cases, chance), happened)
    gaps = {pair: worth.difference(*pair) for pair in worth.pairs()}
    said = [
        f"{arm} against {other}: {words(judge(rests_on, arm, other, gap), digits)}"
        for (arm, other), gap in gaps.items()
    ]
    if len(cases.arms) > 2:
        said.append(f"of all arms: {words(best_supported(rests_on, gaps), digits)}")
    return said


def words(found: Support, digits: int) -> str:
    """What was found, or why nothing is said."""
    if isinstance(found, NotSupported):
        gap = "" if found.difference is None else f": {interval(found.difference, digits)}"
        return f"{found.reason} ({found.detail}{gap})"
    return f"{found.arm} is better supported than {found.reference}, by {interval(found.difference, digits)}"
