"""Columns that tell the answer alone: by their value, by one of their levels, by being there at all."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.lint.answer import Answer, auroc
from prognosis.cohort.lint.columns import Column, Levels
from prognosis.cohort.lint.finding import Finding, Thresholds


def told_by_columns(columns: tuple[Column, ...], answer: Answer, limits: Thresholds) -> Iterator[Finding]:
    """Findings about each column of the labelled cases."""
    cases = len(answer.target)
    for column in columns:
        if len(column.rows) < limits.least_cases:
            continue
        levels = column.levels(cases, limits.few_levels)
        yield from _told_by_value(column, levels, answer, limits)
        yield from _told_by_level(column, levels, answer, limits)
        yield from _told_by_presence(column, answer, limits)


def _told_by_value(column: Column, levels: Levels, answer: Answer, limits: Thresholds) -> Iterator[Finding]:
    numbers = column.numeric(len(answer.target))
    yield from _judged(column, numbers, ~np.isnan(numbers), answer, limits, both_ways=True)
    if any(text is not None for text in column.texts):
        here = levels.level >= 0
        yield from _judged(column, answer.risk_of_levels(levels.level), here, answer, limits, both_ways=False)


def _judged(
    column: Column,
    risk: NDArray[np.float64],
    here: NDArray[np.bool_],
    answer: Answer,
    limits: Thresholds,
    *,
    both_ways: bool,
) -> Iterator[Finding]:
    events = int(answer.happened[here].sum())
    if here.sum() < limits.least_cases or min(events, int(here.sum()) - events) < limits.least_events:
        return
    value = answer.discrimination(risk, here)
    if value is None or not (value > limits.concordance or (both_ways and value < 1.0 - limits.concordance)):
        return
    measure = "concordance" if answer.target.survival else "AUROC"
    yield Finding(
        "column predicts alone",
        column.name,
        f"alone it has a {measure} of {value:.3f}; is it known only after the outcome?",
        events,
        int(here.sum()),
    )


def _told_by_level(column: Column, levels: Levels, answer: Answer, limits: Thresholds) -> Iterator[Finding]:
    here = levels.level >= 0
    if not here.any():
        return
    sizes = np.bincount(levels.level[here], minlength=len(levels.names))
    events = np.bincount(levels.level[here], answer.happened[here], len(levels.names))
    expected = np.bincount(levels.level[here], answer.expected[here], len(levels.names))
    nobody = np.exp(-expected) if answer.target.survival else (1.0 - answer.rate) ** sizes
    everyone = answer.rate**sizes
    for place in np.flatnonzero(sizes >= limits.least_cases):
        all_had, none_had = events[place] == sizes[place], events[place] == 0
        who = "every" if all_had else "no"
        chance = everyone[place] if all_had else nobody[place]
        if (all_had or none_had) and chance < limits.level_chance:
            yield Finding(
                "level settles the outcome",
                f"{column.name} = {levels.names[place]}",
                f"{who} case of this level has the event; of all cases {answer.rate:.0%} have it",
                int(events[place]),
                int(sizes[place]),
            )


def _told_by_presence(column: Column, answer: Answer, limits: Thresholds) -> Iterator[Finding]:
    observed = column.observed(len(answer.target))[answer.settled]
    if min(observed.sum(), (~observed).sum()) < limits.least_cases:
        return
    happened = answer.by_horizon[answer.settled]
    value = auroc(happened, observed.astype(np.float64))
    if value is None or 1.0 - limits.missing_auroc <= value <= limits.missing_auroc:
        return
    yield Finding(
        "missingness predicts",
        column.name,
        f"whether it was observed has an AUROC of {value:.3f}",
        int(happened[observed].sum()),
        int(observed.sum()),
    )
