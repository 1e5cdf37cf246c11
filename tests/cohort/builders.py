"""Short ways to state records and tasks in tests; day 0 is the index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from prognosis.cohort import Cohort, Task, build_cohort
from prognosis.record import Code, Event, ImagingStudy, Note, PatientRecord, Series
from prognosis.record.patient import sorted_record

DAY_ZERO = datetime(2020, 1, 1, 8, tzinfo=UTC)
INDEX = "prognosis|index"
DEATH = "MEDS|MEDS_DEATH"


def on(day: float) -> datetime:
    """The time `day` days after the index."""
    return DAY_ZERO + timedelta(days=day)


def event(
    day: float, code: str, value: float | str | None = None, unit: str | None = None, name: str = ""
) -> Event:
    """A fact, with a number or a text."""
    number = float(value) if isinstance(value, int | float) else None
    text = value if isinstance(value, str) else None
    return Event(on(day), Code.parse(code), number, None, unit, text, display=name)


def patient(
    patient_id: str,
    events: Sequence[Event] = (),
    notes: Sequence[tuple[float, str]] = (),
    studies: Sequence[tuple[float, str]] = (),
    birth_date: date | None = None,
    sex: str | None = None,
) -> PatientRecord:
    """A record in time order; films are frontal (AP)."""
    return sorted_record(
        PatientRecord(
            patient_id,
            birth_date,
            sex,
            tuple(events),
            tuple(Note(on(day), text) for day, text in notes),
            tuple(ImagingStudy(on(day), uid, (Series("1", "CR", "AP"),)) for day, uid in studies),
        )
    )


def statement(**changes: object) -> dict[str, Any]:
    """A complete task as YAML would give it: death after an index event."""
    return {
        "name": "example",
        "question": "How soon does the patient die?",
        "index": {"at": "event", "codes": [INDEX]},
        "outcome": {"kind": "time_to_event", "causes": {"death": [DEATH]}, "horizons_days": [365]},
    } | changes


def task(**changes: object) -> Task:
    """The task of `statement`."""
    return Task.from_statement(statement(**changes), "example.yaml")


def survival_cohort(
    columns: Mapping[str, Sequence[float | str | None]],
    died: Sequence[bool],
    days: Sequence[float] | None = None,
    **changes: object,
) -> Cohort:
    """A cohort of one index event each, the columns' values known at it (None: not measured)."""
    follow_up = np.linspace(20.0, 900.0, len(died)) if days is None else days
    records = []
    for row, dead in enumerate(died):
        facts = [event(0, name, values[row]) for name, values in columns.items() if values[row] is not None]
        end = event(float(follow_up[row]), DEATH if dead else "prognosis|follow-up-complete")
        records.append(patient(f"p{row:05d}", [event(0, INDEX), *facts, end]))
    return build_cohort(task(**changes), records)
