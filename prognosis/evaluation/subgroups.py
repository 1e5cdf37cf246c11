"""The same metrics in groups of patients, with a refusal where a group is too small to say anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case, Cohort
from prognosis.evaluation.results import MetricSet, Subgroup

LEAST_CASES = 50
LEAST_EVENTS = 10
_DAYS_PER_YEAR = 365.25
_AGE_EDGES = (18, 40, 65, 80)
_UNKNOWN = "unknown"


def cohort_groups(cohort: Cohort) -> dict[str, NDArray[np.str_]]:
    """The level of each case in everything that subgroups are made by.

    That is age band, sex, site and the task's `subgroup_codes`; what does not vary is left out. A code of
    `subgroup_codes` groups by the last text known at the index; a number groups as "present".

    Args:
        cohort: The cases judged.
    """
    groups = {
        "age": [_age_band(case) for case in cohort.cases],
        "sex": [case.record.sex or _UNKNOWN for case in cohort.cases],
        "site": [case.record.site or _UNKNOWN for case in cohort.cases],
    }
    for code in cohort.task.subgroup_codes:
        groups[code] = [_last_text(case, code) for case in cohort.cases]
    return {name: np.array(levels) for name, levels in groups.items() if len(set(levels)) > 1}


def evaluate_subgroups(
    groups: Mapping[str, NDArray[np.str_]],
    event: NDArray[np.bool_],
    answered: NDArray[np.bool_],
    metrics_of: Callable[[NDArray[np.intp]], MetricSet],
) -> tuple[Subgroup, ...]:
    """The metrics of each level of each group.

    Args:
        groups: (n,) the level of each case, by the name of the grouping.
        event: (n, Q) True where the first cause, the class asked about, or each finding occurred.
        answered: (n, Q) True where that is known.
        metrics_of: The metrics of the cases at some rows, with intervals.

    Returns:
        One element a level; below 50 cases or 10 events it is "insufficient" and carries no metrics. Of
        findings the one with the fewest known cases and the one with the fewest events decide.
    """
    found: list[Subgroup] = []
    for name, levels in groups.items():
        for level in np.unique(levels):
            rows = np.flatnonzero(levels == level)
            events = int(event[rows].sum(axis=0).min())
            known = int(answered[rows].sum(axis=0).min())
            enough = known >= LEAST_CASES and events >= LEAST_EVENTS
            result = metrics_of(rows) if enough else None
            found.append(Subgroup(name, str(level), len(rows), events, result))
    return tuple(found)


def _age_band(case: Case) -> str:
    if case.record.birth_date is None:
        return _UNKNOWN
    years = (case.index_time.date() - case.record.birth_date).days / _DAYS_PER_YEAR
    edges = [0, *_AGE_EDGES]
    band = int(np.searchsorted(edges, years, side="right")) - 1
    if band >= len(edges) - 1:
        return f"{edges[-1]} and over"
    return f"{edges[max(band, 0)]} to {edges[max(band, 0) + 1] - 1}"


def _last_text(case: Case, code: str) -> str:
    last = _UNKNOWN
    for event in case.record.events:
        if str(event.code) == code:
            last = event.text or "present"
    return last
