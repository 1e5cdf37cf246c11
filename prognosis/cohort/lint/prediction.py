"""Columns that tell the answer alone: by their value, by one of their levels, by being there at all."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.lint.answer import Answer, auroc
from prognosis.cohort.lint.columns import Column, Levels
from prognosis.cohort.lint.finding import Finding, Thresholds


def told_by_columns(columns: tuple[Column, ...], answer: Answer, limits: Thresholds) -> Iterator[Finding]:
    """Findings about each column of the labelled cases, for one cause."""
    cases = len(answer.target)
    for column in columns:
        if len(column.rows) < limits.least_cases:
            continue
        levels = column.levels(cases, limits.few_levels)
        yield from _told_by_value(column, levels, answer, limits)
        yield from _told_by_level(column, levels, answer, limits)
        yield from _told_by_presence(column, answer, limits)


def censoring_told_by_columns(
    columns: tuple[Column, ...], censoring: Answer, limits: Thresholds
) -> Iterator[Finding]:
    """Columns that order the cases by when they are censored.

    Kaplan-Meier weights for censoring, which every IPCW metric uses, assume that no column does.
    """
    yield from _associated(columns, censoring, limits, "censoring depends on a column")


def acquisition_shortcuts(
    columns: tuple[Column, ...], answer: Answer, limits: Thresholds
) -> Iterator[Finding]:
    """Site, view and modality that go with the outcome: a model may read them off its input."""
    yield from _associated(columns, answer, limits, "acquisition shortcut")


def _associated(
    columns: tuple[Column, ...], answer: Answer, limits: Thresholds, kind: str
) -> Iterator[Finding]:
    cases = len(answer.target)
    for column in columns:
        for risk, here in _risks(column, column.levels(cases, limits.few_levels), answer):
            if not _enough(answer, here, limits):
                continue
            value = answer.discrimination(risk, here)
            distance = (
                0.0 if value is None else abs(value - 0.5) - limits.errors * answer.standard_error(here)
            )
            if value is not None and distance > limits.weak_auroc - 0.5:
                problem = f"it has a {answer.measure} of {max(value, 1.0 - value):.3f} for {answer.name}"
                yield Finding(kind, column.name, problem, int(answer.happened[here].sum()), int(here.sum()))
                break


def _risks(
    column: Column, levels: Levels, answer: Answer
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """A column's readings as a risk, each with the cases that have it: its number, its text."""
    numbers = column.numeric(len(answer.target))
    yield numbers, ~np.isnan(numbers)
    if any(text is not None for text in column.texts):
        yield answer.risk_of_levels(levels.level), levels.level >= 0


def _enough(answer: Answer, here: NDArray[np.bool_], limits: Thresholds) -> bool:
    events, total = int(answer.happened[here].sum()), int(here.sum())
    return total >= limits.least_cases and min(events, total - events) >= limits.least_events


def _told_by_value(column: Column, levels: Levels, answer: Answer, limits: Thresholds) -> Iterator[Finding]:
    for place, (risk, here) in enumerate(_risks(column, levels, answer)):
        if not _enough(answer, here, limits):
            continue
        value = answer.discrimination(risk, here)
        both_ways = place == 0  # a risk of levels has its direction already
        if value is None or not (
            value > limits.concordance or (both_ways and value < 1.0 - limits.concordance)
        ):
            continue
        yield Finding(
            "column predicts alone",
            column.name,
            f"alone it has a {answer.measure} of {value:.3f} for {answer.name}; "
            "is it known only after the outcome?",
            int(answer.happened[here].sum()),
            int(here.sum()),
        )


def _told_by_level(column: Column, levels: Levels, answer: Answer, limits: Thresholds) -> Iterator[Finding]:
    here = levels.level >= 0
    if not here.any():
        return
    sizes = np.bincount(levels.level[here], minlength=len(levels.names))
    events = np.bincount(levels.level[here], answer.happened[here], len(levels.names))
    each = (answer.share * answer.expected)[here]
    expected = np.bincount(levels.level[here], each, len(levels.names))
    independent = np.bincount(levels.level[here], answer.share[here], len(levels.names))
    for place in np.flatnonzero(sizes >= limits.least_cases):
        counts = int(sizes[place]), float(independent[place]), events[place]
        if settles(answer, *counts, expected[place], limits.chance):
            who = "every" if events[place] else "no"
            yield Finding(
                "level settles the outcome",
                f"{column.name} = {levels.names[place]}",
                f"{who} case of this level has {answer.name}; of all cases {answer.rate:.0%} have it",
                int(events[place]),
                int(sizes[place]),
            )


def settles(
    answer: Answer, size: int, independent: float, events: float, expected: float, chance: float
) -> bool:
    """Whether everyone or no one of a level has the event although chance would rarely have it so.

    For a time to event, "no one" is judged by the events expected over the level's own follow-up.

    Args:
        answer: The outcome.
        size: Cases of the level.
        independent: How many independent ones they amount to; see `Answer.share`.
        events: Those that have the event.
        expected: Events expected of the independent ones.
        chance: The least probability that is still called chance.
    """
    if events == size:
        return bool(answer.rate**independent < chance)
    if events == 0:
        nobody = np.exp(-expected) if answer.target.survival else (1.0 - answer.rate) ** independent
        return bool(nobody < chance)
    return False


def _told_by_presence(column: Column, answer: Answer, limits: Thresholds) -> Iterator[Finding]:
    observed = column.observed(len(answer.target))[answer.settled]
    if min(observed.sum(), (~observed).sum()) < limits.least_cases:
        return
    happened = answer.by_horizon[answer.settled]
    value = auroc(happened, observed.astype(np.float64))
    if value is None:
        return
    distance = abs(value - 0.5)
    sure = distance - limits.errors * presence_error(happened, observed) > limits.weak_auroc - 0.5
    if distance > limits.missing_auroc - 0.5:
        kind = "missingness predicts"
    elif sure:
        kind = "missingness goes with the outcome"
    else:
        return
    problem = f"whether it was observed has an AUROC of {value:.3f} for {answer.name}"
    yield Finding(kind, column.name, problem, int(happened[observed].sum()), int(observed.sum()))


def presence_error(happened: NDArray[np.bool_], observed: NDArray[np.bool_]) -> float:
    """Standard error of the AUROC of a yes-or-no column: half that of a difference of two shares."""
    shares = [(observed[group].mean(), int(group.sum())) for group in (happened, ~happened)]
    return float(0.5 * np.sqrt(sum(share * (1.0 - share) / size for share, size in shares)))
