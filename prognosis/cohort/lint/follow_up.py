"""What the follow-up gives away: columns bounded by it, a clock that starts late, horizons beyond it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Cohort
from prognosis.cohort.lint.columns import Column
from prognosis.cohort.lint.finding import Finding, Thresholds
from prognosis.cohort.target import Target, cohort_target

Floats = NDArray[np.float64]

SLACK_DAYS = 1.0  # times rounded to the day
SLACK = 0.01  # and to a hundredth of a longer unit
VIOLATIONS = 0.01


def bounded_by_follow_up(
    columns: tuple[Column, ...], labelled: Cohort, limits: Thresholds
) -> Iterator[Finding]:
    """Columns that are a time after the index: never beyond the follow-up, or never before its end.

    A stay, a response or a transplant is seen only by those still followed then, however weakly it predicts.
    Were the column unrelated, the cases on the wrong side of their follow-up would be about as many as among
    all pairs of a value and a follow-up. At least `limits.expected` must be expected, and at most a hundredth
    of them found. A column is read as days and in the unit of the table's own times.
    """
    if not labelled.task.is_survival:
        return
    days = cohort_target(labelled, edges=np.array([0.0, 1.0])).days
    table = labelled.task.table
    units = {1.0, 1.0 if table is None else table.days_per_unit}
    for column in columns:
        values = column.numeric(len(labelled))
        here = ~np.isnan(values)
        if here.sum() < limits.least_cases or values[here].min() < 0.0:
            continue
        for unit in sorted(units):
            finding = _bounded(column.name, values[here] * unit, days[here], limits)
            if finding is not None:
                yield finding
                break


def _bounded(name: str, value: Floats, days: Floats, limits: Thresholds) -> Finding | None:
    latest, earliest = days * (1.0 + SLACK) + SLACK_DAYS, days * (1.0 - SLACK) - SLACK_DAYS
    ordered = np.sort(value)
    sides = (
        (value > latest, len(value) - np.searchsorted(ordered, latest, side="right"), "beyond"),
        (value < earliest, np.searchsorted(ordered, earliest, side="left"), "short of"),
    )
    for found, pairs, where in sides:
        expected = float(pairs.sum()) / len(value)
        if expected >= limits.expected and found.sum() <= VIOLATIONS * expected:
            problem = (
                f"it goes {where} the follow-up in {int(found.sum())} cases where chance would have "
                f"{expected:.0f}: is it a time after the index?"
            )
            return Finding("bounded by the follow-up", name, problem, int(found.sum()), len(value))
    return None


def told_by_follow_up(labelled: Cohort, limits: Thresholds) -> Iterator[Finding]:
    """Findings about the times and events of labelled cases."""
    target = cohort_target(labelled, edges=np.array([0.0, 1.0]))
    yield from _few_events(target, limits)
    if not target.survival:
        return
    at_index = int(((target.days == 0.0) & (target.cause > 0)).sum())
    if at_index:
        problem = "cases have the event at the very time of the index"
        yield Finding("event at the index", "outcome", problem, at_index, len(target))
    for horizon in labelled.task.horizons_days:
        at_risk = int((target.days >= horizon).sum())
        if at_risk < limits.least_events:
            problem = f"few cases are still followed at the horizon of {horizon:g} days"
            yield Finding(
                "follow-up ends before the horizon", f"{horizon:g} days", problem, at_risk, len(target)
            )
    yield from _late_clock(target, limits)


def _few_events(target: Target, limits: Thresholds) -> Iterator[Finding]:
    counts = dict(zip(target.causes, target.happened.sum(axis=0).tolist(), strict=True))
    if target.marks is not None:
        absent = (target.answered & ~target.happened).sum(axis=0).tolist()
        counts |= {f"no {name}": count for name, count in zip(target.causes, absent, strict=True)}
    for name, events in counts.items():
        if events < limits.least_events:
            problem = f"fewer than {limits.least_events} cases have it"
            yield Finding("too few events", name, problem, events, len(target))


def _late_clock(target: Target, limits: Thresholds) -> Iterator[Finding]:
    """No event before a first one, then many: those who had it earlier never entered.

    The window before the first event is compared with the next one of equal length. Were the hazard to rise
    from zero in a straight line, the next would have three times as many; `limits.expected` must remain.
    Times on a coarse grid (months) have their first step taken off the window.
    """
    happened = np.sort(target.days[target.cause > 0])
    if len(happened) < limits.least_events:
        return
    steps = np.diff(np.unique(target.days))
    length = happened[0] - (steps.min() if len(steps) else happened[0])
    follows = int((happened < happened[0] + length).sum()) if length > 0.0 else 0
    if follows >= 3.0 * limits.expected:
        problem = (
            f"no case has an event in the first {length:.3g} days, and {follows} have one in as many days "
            "after: entry may be delayed"
        )
        yield Finding("nobody has the event early", "outcome", problem, 0, len(target))


def outcome_often_unknown(cohort: Cohort, limits: Thresholds) -> Iterator[Finding]:
    """Cases left out because nobody knows what happened to them."""
    unknown = sum(
        count
        for reason, count in cohort.exclusions.items()
        if reason.startswith(("outcome unknown", "outcome not recorded", "no follow-up after"))
    )
    total = unknown + len(cohort)
    if unknown > limits.unknown_share * total:
        problem = "cases are left out because their outcome is not known: is that by chance?"
        yield Finding("outcome often unknown", "outcome", problem, unknown, total)
