"""Landmarks: the same question asked again and again of the patients still at risk (van Houwelingen 2007).

A case is one patient at one landmark. Time runs from the landmark; how long ago the patient entered is
something known at the landmark, and so may be read as evidence.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Cohort
from prognosis.cohort.task import Index
from prognosis.record import PatientRecord
from prognosis.record.codes import is_among


def entry_time(record: PatientRecord, codes: Collection[str]) -> datetime | None:
    """The time of the first event with one of `codes`; None where there is none."""
    return min((event.time for event in record.events if is_among(str(event.code), codes)), default=None)


def landmark_times(record: PatientRecord, index: Index) -> tuple[datetime, ...]:
    """The landmarks of a patient in time order; none for one who never entered."""
    entry = entry_time(record, index.codes)
    if entry is None:
        return ()
    if index.days:
        return tuple(entry + timedelta(days=days) for days in sorted(index.days))
    visits = {event.time for event in record.events if is_among(str(event.code), index.visit_codes)}
    return tuple(sorted(time for time in visits if time >= entry))


def landmarks_of(cohort: Cohort) -> NDArray[np.float64] | None:
    """(n,) the landmark at which each case was asked; None for a task without landmarks.

    For `days` it is the number of days; for visits, which every patient makes at other times, it is which of
    the patient's own it is, 1 for the first. Cases of one landmark are those that can be compared.
    """
    index = cohort.task.index
    if index.at != "landmarks":
        return None
    order = [
        sum(time <= case.index_time for time in landmark_times(case.record, index)) for case in cohort.cases
    ]
    return np.array([sorted(index.days)[place - 1] for place in order] if index.days else order, dtype=float)
