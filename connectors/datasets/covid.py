"""Chest films of single patients collected from publications (covid-chestxray-dataset, arXiv 2006.11988).

Times are days since symptoms or admission (`offset`), so the dates are not real: day 0 is 1 March 2020 and
films are at noon. What is published about intensive care is known per film, not as dates:

- `in_icu` = Y starts intensive care at the film; a later film with N ends it an hour before that film;
- `in_icu` = N in a patient who never went (`went_icu` = N) is followed by a contact 8 days after the film;
- any other film whose course is not published carries the event `prognosis|icu-status-unknown`, by which a
  task can exclude it: without it, silence would be read as "not in intensive care".

What the table says of a film itself is an event at the film that no evidence reads: `outcome|film-diagnosis`
(its `finding`), and `outcome|film-intubated` (`intubation_present`) and `outcome|film-intensive-care`
(`in_icu`), each Y or N as published and absent where nothing is.

`survival` = N gives no date of death, so no death is invented.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectors.datasets.codes import (
    FILM_DIAGNOSIS,
    FILM_INTENSIVE_CARE,
    FILM_INTUBATED,
    FOLLOW_UP_DAYS,
    ICU_END,
    ICU_START,
    ICU_STATUS_UNKNOWN,
    LOINC,
    follow_up_complete,
)
from connectors.datasets.films import contained
from connectors.datasets.lungs import LungMask, MarkedFilmFolder
from connectors.datasets.rows import Row, days_in, marked_in, number_in, read_rows
from prognosis.errors import InputError, MappingError
from prognosis.record import Code, Event, ImagingStudy, Note, PatientRecord, Quarantine, Series
from prognosis.record.patient import sorted_record
from prognosis.record.uid import derived_uid

SITE = "covid-cxr"
DAY_ZERO = datetime(2020, 3, 1, 12, tzinfo=UTC)
REQUIRED = ("patientid", "offset", "sex", "view", "filename", "in_icu", "went_icu", "clinical_notes")
SEXES = {"m": "male", "f": "female"}
VIEWS = {"AP": "AP", "AP SUPINE": "AP", "AP ERECT": "AP", "PA": "PA", "L": "LL", "LATERAL": "LL"}
KNOWN_WITHIN_DAYS = 7

MEASUREMENTS = (
    ("temperature", Code(LOINC, "8310-5"), "Cel", "Body temperature"),
    ("pO2_saturation", Code(LOINC, "2708-6"), "%", "Oxygen saturation"),
    ("leukocyte_count", Code(LOINC, "6690-2"), "10*3/uL", "Leukocytes"),
    ("neutrophil_count", Code(LOINC, "751-8"), "10*3/uL", "Neutrophils"),
    ("lymphocyte_count", Code(LOINC, "731-0"), "10*3/uL", "Lymphocytes"),
    ("age", Code(LOINC, "30525-0"), "a", "Age"),
)


class CovidCxr:
    """Patients of a folder with `metadata.csv` and `images/<filename>`.

    A further column `lung_mask`, true or false, says whether `lung_masks/<filename>` marks the lungs.

    Args:
        folder: The folder.
        uri: How the user named it.
    """

    def __init__(self, folder: Path, uri: str) -> None:
        self.folder = Path(folder)
        self.uri = uri

    def records(self, quarantine: Quarantine) -> Iterator[PatientRecord]:
        """Each patient once, sorted by id; rows that cannot be read are quarantined.

        Raises:
            SourceError: `metadata.csv` cannot be read or lacks a column.
        """
        rows = read_rows(self.folder / "metadata.csv", REQUIRED)
        films: dict[str, list[_Film]] = defaultdict(list)
        seen: set[str] = set()
        for line, row in enumerate(rows, start=2):
            try:
                film = self._film(row, f"{SITE} metadata.csv line {line}", seen)
            except InputError as error:
                quarantine.reject(error)
                continue
            films[row["patientid"]].append(film)
            quarantine.accept("film")
            if not row["offset"]:
                quarantine.notice("covid-cxr: no day is published for the film; read as day 0, in file order")
        quarantine.notice("covid-cxr: dates are relative to a day 0 set to 2020-03-01", len(films))
        store = self._store([film for many in films.values() for film in many])
        for patient_id in sorted(films):
            in_order = sorted(films[patient_id], key=lambda film: film.time)
            yield _patient(patient_id, in_order, store, quarantine)

    def _store(self, films: Sequence[_Film]) -> MarkedFilmFolder:
        folder = self.folder / "lung_masks"
        return MarkedFilmFolder(
            {film.study_uid: film.path for film in films},
            {
                film.study_uid: LungMask(contained(folder, film.row["filename"]))
                for film in films
                if marked_in(film.row)
            },
        )

    def _film(self, row: Row, reference: str, seen: set[str]) -> _Film:
        if not row["patientid"] or not row["filename"]:
            raise MappingError(reference, "names no patient or no file", "fill patientid and filename")
        if row["filename"] in seen:
            raise MappingError(reference, "repeats a filename", "give each image once")
        if row["view"].upper() not in VIEWS:
            raise MappingError(reference, "has an unknown view", f"use one of {', '.join(VIEWS)}")
        for column, *_ in MEASUREMENTS:
            number_in(row, column, reference)
        path = contained(self.folder / "images", row["filename"])
        day = days_in(row, "offset", reference)
        # Films without a published day keep the file's order by a second a line.
        time = DAY_ZERO + (timedelta(seconds=len(seen)) if day is None else timedelta(days=day))
        seen.add(row["filename"])
        return _Film(row, reference, time, path)


@dataclass(frozen=True, slots=True)
class _Film:
    row: Row
    reference: str
    time: datetime
    path: Path

    @property
    def name(self) -> str:
        return re.sub(r"[^A-Za-z0-9.-]", "-", Path(self.row["filename"]).stem)

    @property
    def study_uid(self) -> str:
        return derived_uid(SITE, self.row["filename"], "study")

    def answer(self, column: str) -> str:
        """Y, N or "" (not published)."""
        return self.row.get(column, "").upper()[:1]


def _patient(
    patient_id: str, films: Sequence[_Film], store: MarkedFilmFolder, quarantine: Quarantine
) -> PatientRecord:
    sexes = {film.row["sex"].lower() for film in films} - {""}
    notes = tuple(_notes(films))
    if any(film.answer("survival") == "N" for film in films):
        quarantine.notice("covid-cxr: the patient died, but no date is published; no death is recorded")
    if notes:
        quarantine.notice(
            "covid-cxr: notes were written for publication, later than the film; screen them", len(notes)
        )
    return sorted_record(
        PatientRecord(
            patient_id=patient_id,
            sex=SEXES.get(sexes.pop()) if len(sexes) == 1 else None,
            events=(*_measurements(films), *_said_of_films(films), *_intensive_care(films)),
            notes=notes,
            studies=tuple(_study(film, store) for film in films),
            site=SITE,
        )
    )


def _study(film: _Film, store: MarkedFilmFolder) -> ImagingStudy:
    series = Series(
        derived_uid(SITE, film.row["filename"], "series"), "DX", VIEWS[film.row["view"].upper()], "CHEST"
    )
    return ImagingStudy(film.time, film.study_uid, (series,), f"ImagingStudy/{film.name}", store)


def _notes(films: Sequence[_Film]) -> Iterator[Note]:
    for film in films:
        text = film.row["clinical_notes"].replace("\ufffd", " ").replace("\u2009", " ").strip()
        if text:
            yield Note(film.time, text, "clinical note", f"DocumentReference/{film.name}")


def _measurements(films: Sequence[_Film]) -> Iterator[Event]:
    for film in films:
        for column, code, unit, display in MEASUREMENTS:
            number = number_in(film.row, column, film.reference)
            if number is not None:
                source = f"Observation/{column.replace('_', '-')}-{film.name}"
                yield Event(film.time, code, number, None, unit, source=source, display=display)


def _said_of_films(films: Sequence[_Film]) -> Iterator[Event]:
    for film in films:
        said = (
            (FILM_DIAGNOSIS, film.row.get("finding", "")),
            (FILM_INTUBATED, film.answer("intubation_present")),
            (FILM_INTENSIVE_CARE, film.answer("in_icu")),
        )
        for code, text in said:
            if text:
                yield Event(film.time, code, text=text, source=film.reference)


def _intensive_care(films: Sequence[_Film]) -> Iterator[Event]:
    """Starts, ends, closing contacts and marks of an unpublished course; `films` are in time order."""
    stays = [film.time for film in films if film.answer("in_icu") == "Y"]
    started: datetime | None = None
    for film in films:
        answer, went = film.answer("in_icu"), film.answer("went_icu")
        if answer == "Y":
            if started is None:
                started = film.time
                yield Event(film.time, ICU_START, source=film.reference, display="in intensive care")
            continue
        if started is not None and answer == "N":
            left = max(started, film.time - timedelta(hours=1))
            yield Event(left, ICU_END, source=film.reference, display="no longer in intensive care")
            started = None
        if answer == "N" and went == "N":
            yield follow_up_complete(film.time + timedelta(days=FOLLOW_UP_DAYS), film.reference)
        elif not _course_known(film, answer, stays):
            yield Event(film.time, ICU_STATUS_UNKNOWN, source=film.reference, display="course not published")


def _course_known(film: _Film, answer: str, stays: Sequence[datetime]) -> bool:
    """Whether a film not said to be in intensive care is known to be positive soon, or negative at it."""
    soon = film.time + timedelta(days=KNOWN_WITHIN_DAYS)
    return any(film.time <= stay <= soon for stay in stays) or (answer == "N" and bool(stays))
