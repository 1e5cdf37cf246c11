"""All rules of the lint, in the order in which a person would want to hear of them."""

from __future__ import annotations

from prognosis.cohort.case import Cohort
from prognosis.cohort.lint.answer import answer_of
from prognosis.cohort.lint.columns import columns_of
from prognosis.cohort.lint.finding import Finding, Thresholds
from prognosis.cohort.lint.names import told_by_names
from prognosis.cohort.lint.notes import told_by_notes
from prognosis.cohort.lint.prediction import told_by_columns
from prognosis.cohort.lint.quality import (
    impossible_values,
    known_too_late,
    shared_between_patients,
    units_that_disagree,
)

DEFAULT = Thresholds()


def lint_cohort(cohort: Cohort, limits: Thresholds = DEFAULT) -> tuple[Finding, ...]:
    """Signs that a cohort's input tells its outcome, or is damaged.

    A finding is a question, not a verdict: a strong predictor is rare but real. What the lint cannot see:
    leaks shared by several weak columns, a wrong clock, an outcome written in words that it does not know.
    Codes that the task excludes, and the sources' bookkeeping, are passed over: no evidence reads them.

    Args:
        cohort: Cases as known at their index. Rules that compare with the outcome use the labelled ones, and
            are silent when all or none of them had the first cause.
        limits: When a sign is worth a word.
    """
    columns = columns_of(cohort)
    findings = [*known_too_late(cohort)]
    labelled = cohort.where(lambda case: case.label is not None)
    answer = answer_of(labelled) if labelled.cases else None
    if answer is not None:
        own = columns if len(labelled) == len(cohort) else columns_of(labelled)
        findings += told_by_columns(own, answer, limits)
    findings += told_by_names(columns, limits)
    findings += told_by_notes(cohort)
    findings += units_that_disagree(columns)
    findings += impossible_values(cohort, columns, limits)
    findings += shared_between_patients(cohort, limits)
    return tuple(findings)
