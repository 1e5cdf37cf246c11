"""Records from studies alone: which studies can be a patient's, and what their images say of the patient."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Protocol, TypeVar

from prognosis.errors import StudyError
from prognosis.record import ImagingStudy, PatientRecord, Quarantine
from prognosis.record.patient import sorted_record


class StatedStudy(Protocol):
    """A study as files or an archive state it."""

    @property
    def study_uid(self) -> str:
        """Study instance UID."""
        ...

    @property
    def patient_id(self) -> str:
        """Whose it is, "" where that is not stated."""
        ...

    @property
    def time(self) -> datetime | None:
        """When it was made, None where that is not stated."""
        ...


Stated = TypeVar("Stated", bound=StatedStudy)


def by_patient(studies: Iterable[Stated], quarantine: Quarantine) -> Iterator[tuple[str, list[Stated]]]:
    """Each patient id with its studies, sorted; a study without patient or date is set aside.

    Beside a source of records such a study still has its use: the record says whose it is, and when.
    """
    patients: dict[str, list[Stated]] = defaultdict(list)
    for study in studies:
        problem = None if study.patient_id else "states no patient id"
        problem = problem or ("states no date" if study.time is None else None)
        if problem is None:
            patients[study.patient_id].append(study)
            continue
        reference = f"ImagingStudy {study.study_uid}"
        quarantine.reject(StudyError(reference, problem, "name it beside a source of records"))
    for patient_id in sorted(patients):
        yield patient_id, patients[patient_id]


def record_of(
    patient_id: str,
    births: Iterable[date | None],
    sexes: Iterable[str | None],
    studies: Iterable[ImagingStudy],
    site: str,
) -> PatientRecord:
    """A record of studies alone; a birth date or sex that is stated in two ways is not used."""
    born, sex = {each for each in births if each}, {each for each in sexes if each}
    return sorted_record(
        PatientRecord(
            patient_id=patient_id,
            birth_date=born.pop() if len(born) == 1 else None,
            sex=sex.pop() if len(sex) == 1 else None,
            studies=tuple(studies),
            site=site,
        )
    )
