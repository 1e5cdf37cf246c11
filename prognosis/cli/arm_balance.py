"""The part of `prognosis cohort describe` that tells how the arms' patients differed before treatment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.markup import escape
from rich.table import Table

from prognosis.cli.console import stdout
from prognosis.cohort import Cohort
from prognosis.cohort.arms import OUTSIDE, arm_counts, cases_of_arms

SHOWN = 15
_TOLD = frozenset({"last", "is", "not_measured"})


@dataclass(frozen=True, slots=True)
class ArmDifference:
    """How far one fact differs between arms.

    Attributes:
        name: Of the fact.
        differences: Of each arm but the reference, to its standardised difference from the reference; None
            where too few of either arm have the fact, or it does not vary.
    """

    name: str
    differences: dict[str, float | None]

    @property
    def largest(self) -> float:
        """The largest of them, whatever its sign; 0 where none could be told."""
        return max((abs(gap) for gap in self.differences.values() if gap is not None), default=0.0)


def arm_differences(cohort: Cohort) -> tuple[ArmDifference, ...]:
    """Standardised differences of everything known at the index, the largest first.

    Of numbers the last value, among those who have one; of texts each level; and whether a fact is there at
    all. Nothing where a task has no arms, or an arm no case. What patients are weighed by is not looked at.
    """
    counts = arm_counts(cohort)
    if not counts or not all(count for name, count in counts.items() if name not in OUTSIDE):
        return ()
    from prognosis.treatment.overlap import differences_from_reference

    arms = cases_of_arms(cohort)
    names = arms.treatment.names
    told = list(_facts(arms.cohort))
    if not told:
        return ()
    gaps = differences_from_reference(np.column_stack([values for _, values in told]), arms.arm, len(names))
    found = (
        ArmDifference(
            name,
            {
                arm: None if np.isnan(gap) else round(float(gap), 4)
                for arm, gap in zip(names[1:], own, strict=True)
            },
        )
        for (name, _), own in zip(told, gaps, strict=True)
    )
    return tuple(sorted(found, key=lambda each: (-each.largest, each.name)))


def arm_differences_json(found: tuple[ArmDifference, ...]) -> list[dict[str, Any]]:
    """All of them as plain JSON, in the same order."""
    return [{"name": each.name, "differences": each.differences} for each in found]


def print_arm_differences(found: tuple[ArmDifference, ...], reference: str) -> None:
    """The largest of them as a table on stdout."""
    from prognosis.treatment.overlap import LARGEST_IMBALANCE

    over = sum(each.largest > LARGEST_IMBALANCE for each in found)
    title = f"standardised differences from {reference}: {over} of {len(found)} above {LARGEST_IMBALANCE}"
    table = Table(title=escape(title))
    table.add_column("known at the index", overflow="fold")
    for arm in found[0].differences:
        table.add_column(escape(arm), justify="right")
    for each in found[:SHOWN]:
        gaps = ("" if gap is None else f"{gap:+.2f}" for gap in each.differences.values())
        table.add_row(escape(each.name), *gaps)
    if len(found) > SHOWN:
        table.add_row(f"and {len(found) - SHOWN} more (--json lists all)")
    stdout.print(table)


def _facts(cohort: Cohort) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Each fact that varies, with its name and its value in every case, NaN where it is not known."""
    from prognosis.evidence.clinical.concepts import learn_vocabulary
    from prognosis.evidence.clinical.config import ClinicalConfig
    from prognosis.evidence.clinical.windows import table_columns, window_table

    task, config = cohort.task, ClinicalConfig()
    vocabulary = learn_vocabulary(
        cohort.cases,
        task.excluded_codes,
        config.fewest(len(cohort)),
        config.most_categories,
        task.index.entry_codes,
        task.concepts,
    )
    columns = table_columns(vocabulary, ())
    values = window_table(cohort.cases, vocabulary, columns).values
    for place, column in enumerate(columns):
        known = values[~np.isnan(values[:, place]), place]
        if column.statistic not in _TOLD or not len(known) or known.min() == known.max():
            continue
        name, kind = vocabulary.names[column.concept], vocabulary.concepts[column.concept].kind
        texts = vocabulary.categories[column.concept]
        if column.statistic == "is":
            if len(texts) == 2 and column.category == texts[1]:
                continue  # the mirror of the other
            yield f"{name} = {column.category}", values[:, place]
        elif column.statistic == "last":
            yield name, values[:, place]
        elif kind == "occurrence":
            yield name, 1.0 - values[:, place]
        else:
            yield f"{name} not known", values[:, place]
