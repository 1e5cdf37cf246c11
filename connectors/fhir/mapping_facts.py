"""What one resource contributes to a patient's record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from prognosis.record import Event, ImagingStudy, Note


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts that one resource states about one patient.

    Attributes:
        patient: The patient as referred to, "Patient/x".
        events: Coded facts, by when they were known.
        notes: Documents, by when they were filed.
        studies: Imaging studies, by when they were acquired.
        happened: The earliest instant at which something was done to or seen in the patient, for checks
            against death and birth; None where only the time of writing is known (a diagnosis coded or a
            document filed after the death is no contradiction).
        notices: What a reader of the cohort should know of how these facts were dated or left out.
    """

    patient: str
    events: tuple[Event, ...] = ()
    notes: tuple[Note, ...] = ()
    studies: tuple[ImagingStudy, ...] = ()
    happened: datetime | None = None
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """What a Patient resource states.

    Attributes:
        source: "Patient/x".
        patient_id: The identifier that an export of ours carries, else the resource's id.
        birth_date: Date of birth; the middle of the month or year where only that was given.
        sex: Administrative gender, None when unknown.
        died: When the patient died; the end of the day where only a date was given.
        organization: The managing organisation, "Organization/x": the patient's site.
        organization_name: The name that the reference to it shows, "" where it shows none.
        replaced_by: The Patients that stand for this one, from Patient.link.
        replaces: The Patients this one stands for.
        notices: What a reader of the cohort should know.
    """

    source: str
    patient_id: str
    birth_date: date | None
    sex: str | None
    died: datetime | None
    organization: str | None
    organization_name: str
    replaced_by: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
