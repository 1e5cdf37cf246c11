"""The codes that the cohort readers give to published columns, and the events that carry no measurement."""

from __future__ import annotations

from datetime import datetime

from prognosis.record import Code, Event

LOINC = "http://loinc.org"

DEATH = Code("MEDS", "MEDS_DEATH")
HOSPITAL_START = Code("encounter-start", "IMP")
ICU_START = Code("encounter-start", "ICU")
ICU_END = Code("encounter-end", "ICU")
FOLLOW_UP_COMPLETE = Code("prognosis", "follow-up-complete")
PART = Code("prognosis", "part")
CLASS_LABEL = Code("prognosis", "class-label")
INDEX = Code("prognosis", "index")
ICU_STATUS_UNKNOWN = Code("prognosis", "icu-status-unknown")

# What a publisher says of one film, for tasks that ask about it; like every "outcome" it is never evidence.
FILM_DIAGNOSIS = Code("outcome", "film-diagnosis")
FILM_INTUBATED = Code("outcome", "film-intubated")
FILM_INTENSIVE_CARE = Code("outcome", "film-intensive-care")

FOLLOW_UP_DAYS = 8
"""How long after a film its publishers are taken to have looked: beyond the 7 days that tasks ask about."""


def follow_up_complete(time: datetime, source: str) -> Event:
    """A contact that carries no finding: the publishers followed the patient until `time`."""
    return Event(time, FOLLOW_UP_COMPLETE, source=source, display="followed up without the outcome")
