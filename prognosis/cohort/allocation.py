"""Whether the cases of a trial's arms are what its task says of the draw: its shares and its strata."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.treatment import Treatment

LEAST_CHANCE = 1e-4
"""Below this a draw by the stated shares is not believed: a right one is refused once in 10,000 times."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The draws that the cases of a trial stand for.

    Attributes:
        treatment: With shares or without.
        arm: (n,) place of each case's arm.
        stratum: (n,) place of the stratum in which it was drawn.
        strata: Of each stratum the values of `treatment.strata`.
        patients: (n,) of each case.
    """

    treatment: Treatment
    arm: NDArray[np.int64]
    stratum: NDArray[np.int64]
    strata: Sequence[tuple[str, ...]]
    patients: NDArray[np.str_]


def problem_of_draw(drawn: Drawn) -> str:
    """What contradicts the task's statement of the draw, with the numbers; "" where nothing does."""
    treatment = drawn.treatment
    unknown = [
        code for place, code in enumerate(treatment.strata) if all(not own[place] for own in drawn.strata)
    ]
    if unknown:
        whole = (
            "all cases would be one stratum"
            if len(unknown) == len(treatment.strata)
            else "it tells none apart"
        )
        return f"has no case with {', '.join(unknown)}, by which arms were drawn in strata: {whole}"
    return _problem_of_shares(drawn) if treatment.shares else ""


def _problem_of_shares(drawn: Drawn) -> str:
    """The arm whose cases are the least likely by the stated shares, over all and in each stratum.

    Of each arm the exact binomial chance, two-sided, of as many patients as there are, times the number of
    such looks (Bonferroni). A patient whose cases are all of one arm is one draw; one with cases of several
    (a draw between two eyes) counts once in each.
    """
    from scipy.stats import binomtest

    names = drawn.treatment.names
    shares = np.array([drawn.treatment.shares[name] for name in names])
    shares = shares / shares.sum()
    groups = list(_groups(drawn))
    looks = len(groups) * len(names)
    for where, counts in groups:
        total = int(counts.sum())
        chances = [
            float(binomtest(int(count), total, float(share)).pvalue)
            for count, share in zip(counts, shares, strict=True)
        ]
        if looks * min(chances) < LEAST_CHANCE:
            told = "; ".join(
                f"{name} {count} of {total} ({count / total:.1%}), stated {share:.1%}"
                for name, count, share in zip(names, counts, shares, strict=True)
            )
            return f"contradicts the stated shares{where} beyond chance (below {LEAST_CHANCE:g}): {told}"
    return ""


def _groups(drawn: Drawn) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """All cases, then those of each stratum: in words, and how many patients are of each arm."""
    yield "", _counts(drawn, np.ones(len(drawn.arm), dtype=bool))
    if len(drawn.strata) > 1:
        for place, values in enumerate(drawn.strata):
            named = ", ".join(value or "not recorded" for value in values)
            yield f" in the stratum {named}", _counts(drawn, drawn.stratum == place)


def _counts(drawn: Drawn, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
    once = set(zip(drawn.patients[rows].tolist(), drawn.arm[rows].tolist(), strict=True))
    return np.bincount([arm for _, arm in once], minlength=len(drawn.treatment.arms))
