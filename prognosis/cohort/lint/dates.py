"""When facts are said to have been known: after the index, before birth, in the future, or on some day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time

from prognosis.cohort.case import Case, Cohort
from prognosis.cohort.lint.columns import BOOKKEEPING
from prognosis.cohort.lint.finding import Finding
from prognosis.cohort.selection import index_times
from prognosis.record import PatientRecord
from prognosis.record.codes import is_among

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
MIDNIGHT = time(0)
LEAST_AT_MIDNIGHT = 5
MIDNIGHT_SHARE = 0.005  # one minute of the day holds a 1/1440 of facts by chance


def known_too_late(cohort: Cohort) -> Iterator[Finding]:
    """Cases whose record holds something that was not yet known at the index; `as_of` makes it impossible."""
    late: Counter[str] = Counter()
    for case in cohort.cases:
        record, index = case.record, case.index_time
        late["events"] += any(event.time > index for event in record.events)
        late["notes"] += any(note.time > index for note in record.notes)
        late["studies"] += any(study.time > index for study in record.studies)
    for kind, cases in late.items():
        if cases:
            problem = "the record of a case holds facts known only after its index"
            yield Finding("known after the index", kind, problem, cases, len(cohort))


def changed_without_the_future(cohort: Cohort, records: Iterable[PatientRecord]) -> Iterator[Finding]:
    """The deletion control: cases that differ once everything after their index is deleted.

    Args:
        cohort: Cases as built.
        records: The full records that they were built from.
    """
    full: defaultdict[str, list[PatientRecord]] = defaultdict(list)
    for record in records:
        full[record.key].append(record)
    checked = changed = moved = 0
    for case in cohort.cases:
        if case.patient not in full:
            continue
        checked += 1
        truncated = [record.as_of(case.index_time) for record in full[case.patient]]
        changed += case.record not in truncated
        moved += not any(case.index_time in index_times(known, cohort.task.index) for known in truncated)
    for count, what in ((changed, "the record of a case"), (moved, "the index of a case")):
        if count:
            problem = f"{what} is another when what came after its index is deleted"
            yield Finding("changes when the future is deleted", what, problem, count, checked)


def last_of_several(cohort: Cohort) -> Iterator[Finding]:
    """Questions asked at the last of several occurrences: that it is the last is known only later."""
    index = cohort.task.index
    if index.occurrence == "last":
        several = sum(_occurs_earlier(case, cohort) for case in cohort.cases)
        if several:
            problem = "the question is asked at the last of several occurrences"
            yield Finding("index depends on the future", "index", problem, several, len(cohort))


def _occurs_earlier(case: Case, cohort: Cohort) -> bool:
    each = cohort.task.index.model_copy(update={"occurrence": "each"})
    return len(index_times(case.record, each)) > 1


def implausible_dates(cohort: Cohort, now: datetime | None) -> Iterator[Finding]:
    """Facts dated before the patient's birth or before 1900, and questions asked in the future.

    Args:
        cohort: The cases.
        now: The present (aware); None leaves the future out.
    """
    before_birth = ancient = 0
    for case in cohort.cases:
        born, first = case.record.birth_date, _earliest(case.record)
        born_by_then = born is not None and born <= case.index_time.date()  # else its age is reported
        before_birth += born_by_then and first is not None and born is not None and first.date() < born
        ancient += first is not None and first < EARLIEST
    future = 0 if now is None else sum(case.index_time > now for case in cohort.cases)
    for count, subject, problem in (
        (before_birth, "birth date", "the record holds a fact from before the patient's birth"),
        (ancient, "record", "the record holds a fact from before 1900"),
        (future, "index", "the index lies in the future"),
    ):
        if count:
            yield Finding("implausible date", subject, problem, count, len(cohort))


def _earliest(record: PatientRecord) -> datetime | None:
    times = [item.time for kind in (record.events, record.notes, record.studies) for item in kind]
    return min(times, default=None)


def dated_by_day_only(cohort: Cohort) -> Iterator[Finding]:
    """Codes whose facts of the index's own day stand at midnight.

    A fact dated by the day counts as known from its first minute: one of the afternoon is then read by a
    question asked in the morning.
    """
    hidden = cohort.task.excluded_codes
    that_day: Counter[str] = Counter()
    midnight: Counter[str] = Counter()
    for case in cohort.cases:
        if case.index_time.time() == MIDNIGHT:
            continue
        for event in case.record.events:
            code = str(event.code)
            readable = event.code.system not in BOOKKEEPING and not is_among(code, hidden)
            if readable and event.time.date() == case.index_time.date():
                that_day[code] += 1
                midnight[code] += event.time.time() == MIDNIGHT
    for code, count in sorted(midnight.items()):
        if count >= LEAST_AT_MIDNIGHT and count > MIDNIGHT_SHARE * that_day[code]:
            problem = "facts of the index's day are dated 00:00, and so count as known before it"
            yield Finding("time known only to the day", code, problem, count, that_day[code])
