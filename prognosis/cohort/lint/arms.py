"""Columns that say which arm a patient is of, and arms that hardly anybody is of."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.arms import OUTSIDE, arm_counts, problem_of_arms
from prognosis.cohort.case import Began, Cohort
from prognosis.cohort.lint.columns import Column
from prognosis.cohort.lint.finding import Finding, Thresholds

NO_ARM = -1


def told_by_arms(cohort: Cohort, columns: tuple[Column, ...], limits: Thresholds) -> Iterator[Finding]:
    """Findings of a task that compares arms.

    A column may be another name of the arm (the dose that was given), and then an effect would be explained
    away by it; or all patients of a level got one arm, and nothing tells what another would have done for
    them. Both look the same, and both must be known before arms are compared.
    """
    treatment = cohort.task.treatment
    if treatment is None:
        return
    counts = arm_counts(cohort)
    for name, count in counts.items():
        if name not in OUTSIDE and count < limits.least_cases:
            yield Finding("too few in an arm", name, "so few cases are of this arm", count, len(cohort))
    problem = problem_of_arms(cohort)
    if problem:
        yield Finding("draw contradicted", "treatment", f"the cohort {problem}", len(cohort), len(cohort))
    place = {name: number for number, name in enumerate(treatment.names)}
    arm = np.array(
        [place[case.arm.arm] if isinstance(case.arm, Began) else NO_ARM for case in cohort.cases],
        dtype=np.int64,
    )
    for column in columns:
        yield from _settled(column, arm, treatment.names, limits)


def _settled(
    column: Column, arm: NDArray[np.int64], names: tuple[str, ...], limits: Thresholds
) -> Iterator[Finding]:
    """Levels whose cases are all of one arm, where chance would hardly have it so."""
    levels = column.levels(len(arm), limits.few_levels)
    known = arm != NO_ARM
    for level, name in enumerate(levels.names):
        own = arm[known & (levels.level == level)]
        if len(own) < limits.least_cases or np.any(own != own[0]):
            continue
        share = float(np.mean(arm[known] == own[0]))
        if share ** len(own) < limits.chance:
            problem = f"every case of this level is of the arm {names[own[0]]}; of all cases {share:.0%} are"
            yield Finding("level settles the arm", f"{column.name} = {name}", problem, len(own), len(own))
