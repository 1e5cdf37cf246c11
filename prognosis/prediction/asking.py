"""When the question is asked of a patient, where nobody says when."""

from __future__ import annotations

from prognosis.cohort import Case, Task
from prognosis.cohort.labels import last_contact
from prognosis.cohort.selection import index_times
from prognosis.errors import InputError
from prognosis.record import PatientRecord


def latest_case(task: Task, record: PatientRecord) -> Case:
    """The case to predict: at the task's last index, else at the last contact.

    Raises:
        InputError: The record is empty.
    """
    contact = last_contact(record)
    times = [time for time in index_times(record, task.index) if contact and time <= contact]
    last = times[-1] if times else contact
    if last is None:
        raise InputError(f"patient {record.key}", "has an empty record", "give a source that has it")
    return Case(record.as_of(last), last)
