"""From records to cases: index times, exclusions (each counted), labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

from prognosis.cohort.arms import arm_of
from prognosis.cohort.case import Case, Cohort, Unlabelled
from prognosis.cohort.labels import label_case
from prognosis.cohort.landmarks import landmark_times
from prognosis.cohort.task import Exclusion, Index, Task
from prognosis.errors import CohortError, SourceError
from prognosis.record import PatientRecord
from prognosis.record.codes import is_among
from prognosis.record.patient import in_time_order

PART_CODE = "prognosis|part"
DAYS_PER_YEAR = 365.25


def index_times(record: PatientRecord, index: Index) -> tuple[datetime, ...]:
    """When the task's question is asked of this patient, in time order and without repeats.

    Landmarks are given whether or not the patient is still followed by then: that is known only later.
    """
    if index.at == "landmarks":
        return landmark_times(record, index)
    if index.at == "study":
        times = [
            study.time
            for study in record.studies
            if not index.views or any(series.view in index.views for series in study.series)
        ]
    else:
        times = [event.time for event in record.events if is_among(str(event.code), index.codes)]
    ordered = sorted(set(times))
    if index.occurrence == "first":
        return tuple(ordered[:1])
    if index.occurrence == "last":
        return tuple(ordered[-1:])
    return tuple(ordered)


def build_cohort(task: Task, records: Iterable[PatientRecord], *, require_labels: bool = True) -> Cohort:
    """Select the task's cases and count everyone who is left out, by reason.

    Args:
        task: The question.
        records: Full records; each case keeps only what was known by its index.
        require_labels: False keeps cases whose outcome is not known, to be predicted but not judged.

    Returns:
        The cohort. Exclusion reasons are worded for a flow diagram ("no index event").

    Raises:
        CohortError: No record gave a case.
        SourceError: Two records are of the same patient of the same site.
        InputError: A time in a record names no time zone.
    """
    cases: list[Case] = []
    left_out: Counter[str] = Counter()
    seen: set[str] = set()
    for record in records:
        if record.key in seen:
            problem = f"hold two of the same patient of the site {record.site!r}"
            raise SourceError("records", problem, "give each patient's facts in one record")
        seen.add(record.key)
        cases.extend(_cases_of(task, in_time_order(record), left_out, require_labels=require_labels))
    if not cases:
        reasons = ", ".join(f"{reason}: {count}" for reason, count in left_out.items()) or "no records"
        raise CohortError(
            f"task {task.name}", f"selects no case ({reasons})", "check the sources and the task's index"
        )
    return Cohort(task, tuple(cases), left_out)


def _cases_of(
    task: Task, record: PatientRecord, left_out: Counter[str], *, require_labels: bool
) -> Iterator[Case]:
    times = index_times(record, task.index)
    if not times:
        left_out["no index event"] += 1
    part = next((e.text or "" for e in record.events if str(e.code) == PART_CODE), "")
    for time in times:
        known = record.as_of(time)
        reason = next((rule.name for rule in task.exclusions if excluded(rule, known, time)), None)
        if reason is not None:
            left_out[reason] += 1
            continue
        found = label_case(task.outcome, record, time, landmark=task.index.at == "landmarks")
        if isinstance(found, Unlabelled) and (require_labels or found.never_asked):
            left_out[found.reason] += 1
            continue
        label = None if isinstance(found, Unlabelled) else found
        arm = None if task.treatment is None else arm_of(task.treatment, task.outcome, record, time, label)
        yield Case(known, time, label, arm, part)


def excluded(rule: Exclusion, known: PatientRecord, time: datetime) -> bool:
    """Whether an exclusion applies to a record as known at the index.

    An age rule never applies to a patient whose birth date is not known.
    """
    if rule.codes and any(is_among(str(event.code), rule.codes) for event in known.events):
        return True
    if known.birth_date is None:
        return False
    years = age_years(known.birth_date, time)
    too_young = rule.younger_than_years is not None and years < rule.younger_than_years
    too_old = rule.older_than_years is not None and years > rule.older_than_years
    return too_young or too_old


def age_years(birth_date: date, time: datetime) -> float:
    """Age in years (of 365.25 days) at an aware time; below zero before birth."""
    born = datetime(birth_date.year, birth_date.month, birth_date.day, tzinfo=UTC)
    return (time - born) / timedelta(days=DAYS_PER_YEAR)
