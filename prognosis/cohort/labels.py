"""What turned out to happen after the index: the label of a case, or why it has none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from prognosis.cohort.case import ClassLabel, FindingsLabel, Label, MaskLabel, SurvivalLabel, Unlabelled
from prognosis.cohort.measurement import measurement_label
from prognosis.cohort.outcome import (
    Findings,
    FindingValues,
    Mask,
    Measurement,
    Outcome,
    Response,
    State,
    TimeToEvent,
    Value,
)
from prognosis.cohort.response import response_label
from prognosis.errors import StudyError
from prognosis.record import Event, PatientRecord
from prognosis.record.codes import CodeTable, is_among

REFERENCE = "none"


def label_case(
    outcome: Outcome, record: PatientRecord, index: datetime, *, landmark: bool = False
) -> Label | Unlabelled:
    """The outcome of one case, read from the full record.

    Args:
        outcome: The task's outcome.
        record: The FULL record, later facts included.
        index: When the question is asked.
        landmark: The question is asked only of those still followed then and, for a time to an event, free
            of every cause: an event at the landmark itself came too early to be asked about.
    """
    if landmark:
        gone = _gone_by(outcome, record, index)
        if gone is not None:
            return gone
    found: Label | Unlabelled
    if isinstance(outcome, TimeToEvent):
        found = _time_to_event(outcome, record, index)
    elif isinstance(outcome, Mask):
        found = _mask(outcome, record, index)
    elif isinstance(outcome, Findings):
        found = _findings(outcome, record, index)
    elif isinstance(outcome, Measurement):
        found = measurement_label(outcome, record, index)
    elif isinstance(outcome, Response):
        found = response_label(outcome, record, index)
    elif isinstance(outcome, State):
        found = _state(outcome, record, index)
    else:
        found = _value(outcome, record, index)
    return found


def last_contact(record: PatientRecord) -> datetime | None:
    """The latest time of anything in the record: the patient was under observation until then."""
    times = [item.time for kind in (record.events, record.notes, record.studies) for item in kind]
    return max(times, default=None)


def outcome_by(outcome: Outcome, record: PatientRecord, time: datetime) -> tuple[str, datetime] | None:
    """The first event of a time to event that a record holds by a time, and when it was; None for none.

    Other kinds of outcome may be asked about again, and have none.
    """
    if not isinstance(outcome, TimeToEvent):
        return None
    known = [each for each in record.events if each.time <= time]
    return min(_causes(outcome, known), key=lambda each: each[1], default=None)


def _causes(outcome: TimeToEvent, events: Iterable[Event]) -> list[tuple[str, datetime]]:
    """The events that are a cause, in their order: which one, and when."""
    table = CodeTable([(code, name) for name, codes in outcome.causes.items() for code in codes])
    meant = ((table.get(str(event.code)), event.time) for event in events)
    return [(name, time) for name, time in meant if name is not None]


def _gone_by(outcome: Outcome, record: PatientRecord, landmark: datetime) -> Unlabelled | None:
    """Why a patient is no longer at risk at a landmark; None for one who is."""
    if outcome_by(outcome, record, landmark) is not None:
        return Unlabelled("outcome by the landmark", never_asked=True)
    contact = last_contact(record)
    if contact is None or contact <= landmark:
        return Unlabelled("not followed past the landmark", never_asked=True)
    return None


def _time_to_event(
    outcome: TimeToEvent, record: PatientRecord, index: datetime
) -> SurvivalLabel | Unlabelled:
    found = [(time, name) for name, time in _causes(outcome, record.events)]
    if any(time < index for time, _ in found):
        return Unlabelled("outcome before the index", never_asked=True)
    contact = last_contact(record)
    if contact is None or contact < index:
        return Unlabelled("no follow-up after the index")
    order = {name: place for place, name in enumerate(outcome.causes)}
    time, cause = min(found, key=lambda pair: (pair[0], order[pair[1]]), default=(contact, None))
    days = (time - index) / timedelta(days=1)
    if cause is None and days == 0.0:
        return Unlabelled("no follow-up after the index")
    if outcome.maximum_days is not None and days > outcome.maximum_days:
        return SurvivalLabel(None, outcome.maximum_days)
    return SurvivalLabel(cause, days)


def _state(outcome: State, record: PatientRecord, index: datetime) -> ClassLabel | Unlabelled:
    until = index + timedelta(days=outcome.within_days)
    starts = [e.time for e in record.events if is_among(str(e.code), outcome.start_codes)]
    ends = sorted(e.time for e in record.events if is_among(str(e.code), outcome.end_codes))
    for start in starts:
        end = next((time for time in ends if time >= start), None)
        if start <= until and (end is None or end >= index):
            return ClassLabel(outcome.name)
    if any(e.time == index and is_among(str(e.code), outcome.unknown_codes) for e in record.events):
        return Unlabelled("outcome unknown: stated as not known")
    contact = last_contact(record)
    if contact is None or contact < until:
        return Unlabelled("outcome unknown: no contact at the end of the window")
    return ClassLabel(REFERENCE)


def _value(outcome: Value, record: PatientRecord, index: datetime) -> ClassLabel | Unlabelled:
    until = index + timedelta(days=outcome.within_days)
    for event in record.events:
        if str(event.code) != outcome.code or not index <= event.time <= until:
            continue
        stated = event.stated
        if stated in outcome.classes:
            return ClassLabel(outcome.classes[stated])
        return Unlabelled("outcome has a value that the task does not name")
    return Unlabelled("outcome not recorded")


def _findings(outcome: Findings, record: PatientRecord, index: datetime) -> FindingsLabel | Unlabelled:
    until = index + timedelta(days=outcome.within_days)
    after = [event for event in record.events if index <= event.time <= until]
    states = {name: _finding(values, after) for name, values in outcome.findings.items()}
    if all(state is None for state in states.values()):
        return Unlabelled("outcome unknown: no finding is stated")
    return FindingsLabel(
        tuple(name for name, state in states.items() if state is True),
        tuple(name for name, state in states.items() if state is False),
    )


def _finding(values: FindingValues, after: Sequence[Event]) -> bool | None:
    """What the first events of the finding's code say; None where they say nothing, or two things."""
    own = [event for event in after if str(event.code) == values.code]
    first = {event.stated for event in own if event.time == own[0].time}
    if first <= set(values.present) and first:
        return True
    return False if first <= set(values.absent) and first else None


def _mask(outcome: Mask, record: PatientRecord, index: datetime) -> MaskLabel | Unlabelled:
    marked: list[str] = []
    for study in record.studies:
        if study.time != index:
            continue
        try:
            found = study.segmentations()
        except StudyError:
            return Unlabelled("marks cannot be read")
        if any(set(outcome.structures) <= set(each.structures) for each in found):
            marked.append(study.study_uid)
    return MaskLabel(tuple(marked)) if marked else Unlabelled("the structures are not marked")
