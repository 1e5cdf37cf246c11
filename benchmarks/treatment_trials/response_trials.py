"""Randomised trials whose outcome is a response: the six-month film of 1948, and CD4 cells at week 20."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.treatment_trials import independent
from benchmarks.treatment_trials.balance import Balance, balance_numbers, balance_of, balance_tables
from benchmarks.treatment_trials.findings import Contrast, Findings, Table, interval
from benchmarks.treatment_trials.published import CONSIDERABLE, MRC_1948
from benchmarks.treatment_trials.sayings import said_of
from benchmarks.treatment_trials.tables import Trial, graded, measured
from prognosis.cohort import Task
from prognosis.treatment import Response, ResponseEffects, response_effects

Floats = NDArray[np.float64]


def analyse(
    trial: Trial, response: Response, quantity: str, digits: int
) -> tuple[Findings, ResponseEffects, Balance]:
    """Contrasts of every pair of arms, balance, and what may be said.

    Args:
        trial: Its cases.
        response: What came of each.
        quantity: Its name and unit.
        digits: To print.
    """
    effects = response_effects(trial.cases, response)
    happened = response.value > (0.5 if response.binary else float(np.median(response.value)))
    own = balance_of(trial, happened)
    mean = effects.mean()
    found = [
        Contrast(
            quantity,
            arm,
            reference,
            mean.difference(arm, reference),
            independent.response_difference(trial.cases, response, arm, reference),
            digits=digits,
        )
        for arm, reference in mean.pairs()
    ]
    rows = tuple((arm, interval(mean.of(arm), digits)) for arm in trial.cases.arms)
    tables = (
        *balance_tables(trial, own, happened),
        Table("If everybody were given the arm", ("arm", quantity), rows),
    )
    said = said_of(effects.cases, mean, happened, effects.propensity, digits)
    numbers = {"means": {arm: mean.of(arm).value for arm in mean.arms}, "balance": balance_numbers(own)}
    return Findings(trial.name, tuple(found), tables, tuple(said), numbers), effects, own


def cd4(trial: Trial) -> tuple[Findings, ResponseEffects, Balance]:
    """Cells at week 20."""
    return analyse(trial, measured(trial), "CD4 cells per cubic millimetre at week 20", 1)


def films(trial: Trial, considerable: Trial) -> Findings:
    """The film after six months: improved at all, and considerably, beside the counts of 1948.

    Args:
        trial: Of `strep_tb_response`.
        considerable: The same with the class of `considerably_improved`.
    """
    first, _, _ = analyse(trial, graded(trial), "chance of a film improved after six months", 3)
    second, effects, _ = analyse(
        considerable, graded(considerable), "chance of a film considerably improved", 3
    )
    mean, rows = effects.mean(), []
    for arm, (count, given) in CONSIDERABLE.items():
        own = considerable.cases.arm == considerable.cases.arms.index(arm)
        here = int(effects.response.value[own].sum())
        rows.append(
            (
                arm,
                f"{count} of {given} ({count / given:.3f})",
                f"{here} of {own.sum()}",
                interval(mean.of(arm), 3),
            )
        )
    table = Table(
        f"Films considerably improved, beside the counts of {MRC_1948}",
        ("arm", "published", "in this table", "ours, if everybody were given the arm"),
        tuple(rows),
    )
    return Findings(
        first.name,
        (*first.contrasts, *second.contrasts),
        (*first.tables, table),
        first.said,
        first.numbers | {"considerable": second.numbers["means"]},
    )


def considerably_improved(task: Task) -> Task:
    """The task of the film with only the highest grade as an improvement."""
    classes = dict.fromkeys(task.outcome.classes, "not considerably improved")  # type: ignore[union-attr]
    classes["6_Considerable_improvement"] = "considerably improved"
    return task.model_copy(update={"outcome": task.outcome.model_copy(update={"classes": classes})})
