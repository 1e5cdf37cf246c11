"""All rules of the lint, in the order in which a person would want to hear of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from prognosis.cohort.case import Cohort
from prognosis.cohort.lint.acceptance import accepting
from prognosis.cohort.lint.answer import answers_of, censoring_of
from prognosis.cohort.lint.arms import told_by_arms
from prognosis.cohort.lint.causes import never_seen
from prognosis.cohort.lint.columns import Column, acquisition_of, columns_of
from prognosis.cohort.lint.dates import (
    changed_without_the_future,
    dated_by_day_only,
    implausible_dates,
    known_too_late,
    last_of_several,
)
from prognosis.cohort.lint.finding import Finding, Thresholds
from prognosis.cohort.lint.follow_up import bounded_by_follow_up, outcome_often_unknown, told_by_follow_up
from prognosis.cohort.lint.images import Progress, duplicate_images
from prognosis.cohort.lint.levels import strange_texts
from prognosis.cohort.lint.names import told_by_names
from prognosis.cohort.lint.notes import told_by_notes, told_by_words
from prognosis.cohort.lint.people import (
    asked_twice,
    at_two_sites,
    empty_records,
    on_both_sides,
    repeated_facts,
    same_records,
    shared_between_patients,
)
from prognosis.cohort.lint.prediction import (
    acquisition_shortcuts,
    censoring_told_by_columns,
    told_by_columns,
)
from prognosis.cohort.lint.quality import impossible_values, units_that_disagree
from prognosis.cohort.lint.redundancy import redundant_columns
from prognosis.cohort.lint.values import impossible_numbers
from prognosis.cohort.target import one_finding_each
from prognosis.record import PatientRecord

DEFAULT = Thresholds()


def lint_cohort(
    cohort: Cohort,
    limits: Thresholds = DEFAULT,
    *,
    records: Iterable[PatientRecord] = (),
    now: datetime | None = None,
    on_progress: Progress | None = None,
) -> tuple[Finding, ...]:
    """Signs that a cohort's input tells its outcome, or is damaged; `KINDS` names them all.

    A finding is a question, not a verdict: a strong predictor is rare but real. What the lint cannot see:
    leaks shared by several weak columns, a wrong clock, an outcome written in words that it does not know.
    Codes that the task excludes, and the sources' bookkeeping, are passed over: no evidence reads them.

    Args:
        cohort: Cases as known at their index. Rules that compare with the outcome use the labelled ones, and
            are silent about a cause that all or none of them had.
        limits: When a sign is worth a word.
        records: The full records that the cases were built from, for the deletion control and for causes that
            no record has.
        now: The present (aware), by which a date may lie in the future; None leaves that out.
        on_progress: Told of the films compared.

    Returns:
        The findings; those that the task accepts among them, marked with its reason.
    """
    columns, records = columns_of(cohort), tuple(records)
    findings = [
        *never_seen(cohort.task, records),
        *known_too_late(cohort),
        *changed_without_the_future(cohort, records),
        *last_of_several(cohort),
        *_told_by_outcome(cohort, columns, limits),
        *told_by_arms(cohort, columns, limits),
        *told_by_names(columns, limits),
        *told_by_notes(cohort),
        *on_both_sides(cohort),
        *at_two_sites(cohort),
        *asked_twice(cohort),
        *same_records(cohort, limits),
        *shared_between_patients(cohort, limits),
        *duplicate_images(cohort, limits, on_progress),
        *units_that_disagree(columns),
        *impossible_values(cohort, columns, limits),
        *impossible_numbers(columns, limits),
        *implausible_dates(cohort, now),
        *dated_by_day_only(cohort),
        *outcome_often_unknown(cohort, limits),
        *strange_texts(columns, cohort.task, limits),
        *redundant_columns(columns, len(cohort), limits),
        *repeated_facts(cohort),
        *empty_records(cohort),
    ]
    return tuple(accepting(findings, cohort.task.screening.accept))


def _told_by_outcome(cohort: Cohort, columns: tuple[Column, ...], limits: Thresholds) -> Iterator[Finding]:
    """Rules that compare the labelled cases with their outcomes; a subject is named once for each kind."""
    labelled = cohort.where(lambda case: case.label is not None)
    if not labelled.cases:
        return
    own = columns if len(labelled) == len(cohort) else columns_of(labelled)
    acquired = acquisition_of(labelled)
    named: set[tuple[str, str]] = set()
    for part in one_finding_each(labelled):
        if part is not labelled:
            own, acquired = columns_of(part), acquisition_of(part)
        for answer in answers_of(part):
            for finding in (
                *told_by_columns((*own, *acquired), answer, limits),
                *told_by_words(part, answer, limits),
                *acquisition_shortcuts(acquired, answer, limits),
            ):
                if (finding.kind, finding.subject) not in named:
                    named.add((finding.kind, finding.subject))
                    yield finding
        yield from bounded_by_follow_up(own, part, limits)
        yield from told_by_follow_up(part, limits)
    censoring = censoring_of(labelled)
    if censoring is not None:
        yield from censoring_told_by_columns((*own, *acquired), censoring, limits)
