"""One patient's record: coded events, notes and imaging studies, each dated by when it was known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from prognosis.errors import InputError
from prognosis.record.imaging import ImagingStudy

Comparator = Literal["<", "<=", ">=", ">"]


@dataclass(frozen=True, slots=True, order=True)
class Code:
    """A concept in a code system, e.g. LOINC 1988-5 (C reactive protein)."""

    system: str
    value: str

    def __str__(self) -> str:
        return f"{self.system}|{self.value}"

    @classmethod
    def parse(cls, text: str) -> Code:
        """Read "system|value", the form used in task files and MEDS columns."""
        system, _, value = text.rpartition("|")
        return cls(system, value)


@dataclass(frozen=True, slots=True)
class Event:
    """One coded fact about a patient.

    Attributes:
        time: When the fact was KNOWN (a result's release, not its specimen's collection); aware.
        code: What was observed.
        number: The value in `unit`; None when the fact carries no number.
        comparator: Set when an assay's limit cut the value off: "<" means "below `number`".
        unit: UCUM unit of `number`.
        text: A coded or free value that is not a number ("positive"); None when there is none.
        source: The resource that states it, e.g. "Observation/cr-1".
        display: A name for people, e.g. "C reactive protein".
    """

    time: datetime
    code: Code
    number: float | None = None
    comparator: Comparator | None = None
    unit: str | None = None
    text: str | None = None
    source: str = ""
    display: str = ""

    @property
    def stated(self) -> str:
        """Its text, or its number as a person would write it ("3", "0.5"); "" where it has neither."""
        if self.text is not None:
            return self.text
        if self.number is None:
            return ""
        return str(int(self.number)) if self.number.is_integer() else repr(self.number)


@dataclass(frozen=True, slots=True)
class Note:
    """One clinical document, dated by when it was filed (aware)."""

    time: datetime
    text: str
    kind: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """All that is known of one patient; events, notes and studies are sorted by time.

    `patient_id` is unique within a `site`; (site, patient_id) identifies a patient in a cohort.
    A record may be of a part of a patient (one eye of two): `cluster` then names the patient, and records of
    one cluster are never split between training and test. It is empty where the record is a whole patient's.
    `birth_date` and `sex` ("female", "male", "other", or None when unknown) are known from the start.
    """

    patient_id: str
    birth_date: date | None = None
    sex: str | None = None
    events: tuple[Event, ...] = ()
    notes: tuple[Note, ...] = ()
    studies: tuple[ImagingStudy, ...] = ()
    site: str = ""
    cluster: str = ""

    @property
    def key(self) -> str:
        """Site and patient id in one string: no two records of a cohort have the same."""
        return f"{self.site}/{self.patient_id}"

    @property
    def person(self) -> str:
        """Site and the patient, of whom the record may be a part: the unit by which a cohort is split."""
        return f"{self.site}/{self.cluster or self.patient_id}"

    def as_of(self, time: datetime) -> PatientRecord:
        """The record as it was known at `time` (inclusive): the gate against leakage.

        A fact is kept by when it was known, not by when it happened: a specimen drawn before `time`
        whose result was released later is not in the result.

        Args:
            time: An aware datetime.

        Returns:
            The same patient, with every event, note and study known later removed.

        Raises:
            InputError: A time names no time zone, so that it cannot be compared.
        """
        try:
            return replace(
                self,
                events=tuple(event for event in self.events if event.time <= time),
                notes=tuple(note for note in self.notes if note.time <= time),
                studies=tuple(study for study in self.studies if study.time <= time),
            )
        except TypeError as error:
            raise _without_a_zone(self) from error

    def without(self, modality: str) -> PatientRecord:
        """The same patient without one modality: "clinical", "text" or "imaging".

        Raises:
            ValueError: The modality is none of the three.
        """
        if modality == "clinical":
            return replace(self, events=(), birth_date=None, sex=None)
        if modality == "text":
            return replace(self, notes=())
        if modality == "imaging":
            return replace(self, studies=())
        message = f"unknown modality {modality!r}; one of clinical, text, imaging"
        raise ValueError(message)


def in_time_order(record: PatientRecord) -> PatientRecord:
    """The same record with events, notes and studies in time order; those of one time stay as they come.

    Raises:
        InputError: A time names no time zone.
    """
    times = [item.time for items in (record.events, record.notes, record.studies) for item in items]
    if any(time.tzinfo is None for time in times):
        raise _without_a_zone(record)
    return replace(
        record,
        events=tuple(sorted(record.events, key=lambda event: event.time)),
        notes=tuple(sorted(record.notes, key=lambda note: note.time)),
        studies=tuple(sorted(record.studies, key=lambda study: study.time)),
    )


def _without_a_zone(record: PatientRecord) -> InputError:
    problem = "has a fact, or is asked for at a time, that names no time zone"
    return InputError(f"patient {record.key}", problem, "give each time a tzinfo, e.g. UTC")


def sorted_record(record: PatientRecord) -> PatientRecord:
    """The same record with events, notes and studies in time order (ties by source)."""
    return replace(
        record,
        events=tuple(sorted(record.events, key=lambda e: (e.time, e.source, str(e.code)))),
        notes=tuple(sorted(record.notes, key=lambda n: (n.time, n.source))),
        studies=tuple(sorted(record.studies, key=lambda s: (s.time, s.study_uid))),
    )
