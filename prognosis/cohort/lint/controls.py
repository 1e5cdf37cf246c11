"""The permuted-label control: where labels say nothing, nothing may be learnt from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from prognosis.cohort.case import Cohort
from prognosis.cohort.lint.finding import Finding, Thresholds


@dataclass(frozen=True, slots=True)
class Discrimination:
    """How well held-out cases were ordered: a concordance or an AUROC with its standard error."""

    measure: str
    value: float
    standard_error: float


Judge = Callable[[Cohort], Discrimination]


def permuted_labels(cohort: Cohort, seed: int) -> Cohort:
    """The same cases with their labels dealt out anew, within each of the source's parts."""
    order = np.arange(len(cohort))
    rng = np.random.default_rng(seed)
    parts = np.array([case.part for case in cohort.cases])
    for part in np.unique(parts):
        here = np.flatnonzero(parts == part)
        order[here] = rng.permutation(here)
    cases = tuple(
        replace(case, label=cohort.cases[int(other)].label)
        for case, other in zip(cohort.cases, order, strict=True)
    )
    return Cohort(cohort.task, cases, cohort.exclusions)


def permutation_control(
    cohort: Cohort, judge: Judge, limits: Thresholds | None = None, seed: int = 0
) -> Iterator[Finding]:
    """A way of training and judging that finds something in permuted labels has seen its test cases.

    Args:
        cohort: Labelled cases.
        judge: Trains on part of a cohort and orders the rest; splitting is its own business.
        limits: How many standard errors above one half are too many.
        seed: Of the permutation.
    """
    limits = limits or Thresholds()
    found = judge(permuted_labels(cohort, seed))
    if found.value > 0.5 + limits.errors * found.standard_error:
        problem = (
            f"trained on permuted labels, {found.measure} of cases held out is {found.value:.3f}, more than "
            f"{limits.errors:g} standard errors of {found.standard_error:.3f} above 0.5"
        )
        yield Finding("permuted labels still predict", "model", problem, len(cohort), len(cohort))
