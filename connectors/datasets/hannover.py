"""The COVID-19 Image Repository of Hannover Medical School: serial chest films, laboratory values, stays.

Every time in it is a number of days relative to the film of its row, so the dates are not real: each
patient's hospital admission is set to 1 March 2020 and only differences mean anything. Within a day,
laboratory values come first (06:00), then films and admissions to intensive care (12:00), then deaths
(17:00) and releases from intensive care (18:00): a value of the day of a film counts as known at the
film, and a patient admitted to intensive care on the day of a film counts as in intensive care at it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from connectors.datasets.codes import (
    DEATH,
    FOLLOW_UP_DAYS,
    HOSPITAL_START,
    ICU_END,
    ICU_START,
    LOINC,
    follow_up_complete,
)
from connectors.datasets.films import contained
from connectors.datasets.lungs import LungMask, MarkedFilmFolder
from connectors.datasets.rows import Row, days_in, marked_in, number_in, read_rows
from prognosis.errors import InputError, MappingError
from prognosis.record import Code, Event, ImagingStudy, PatientRecord, Quarantine, Series
from prognosis.record.patient import sorted_record
from prognosis.record.uid import derived_uid

SITE = "hannover-cxr"
ADMISSION = datetime(2020, 3, 1, tzinfo=UTC)
LABORATORY, FILM, DEATH_HOUR, RELEASE = (timedelta(hours=hour) for hour in (6, 12, 17, 18))
REQUIRED = ("patient_id", "image_id", "sex", "admission_offset", "modality", "projection")
SEXES = {"m": "male", "f": "female"}


@dataclass(frozen=True, slots=True)
class Laboratory:
    """One laboratory column pair: `<column>_offset` in days and `<column>_val` in `unit` (UCUM)."""

    column: str
    code: Code
    unit: str
    display: str


LABORATORIES = (
    Laboratory("crp", Code(LOINC, "1988-5"), "mg/L", "C reactive protein"),
    Laboratory("d-dimer", Code(LOINC, "48065-7"), "mg/L", "D-dimer (FEU)"),
    # No LOINC term fits without knowing the method, which is not published; the column is named factor_xii.
    Laboratory("factor_xii", Code(SITE, "factor-xiii"), "%", "Factor XIII activity"),
    Laboratory("ldh", Code(LOINC, "2532-0"), "U/L", "Lactate dehydrogenase"),
    Laboratory("lymphocytes", Code(LOINC, "731-0"), "10*3/uL", "Lymphocytes"),
    Laboratory("neutrophils", Code(LOINC, "751-8"), "10*3/uL", "Neutrophils"),
    # Whether the blood was arterial is not published: the terms are those for blood of any kind.
    Laboratory("pco2", Code(LOINC, "11557-6"), "mm[Hg]", "Carbon dioxide, partial pressure"),
    Laboratory("po2", Code(LOINC, "11556-8"), "mm[Hg]", "Oxygen, partial pressure"),
)


@dataclass(frozen=True, slots=True)
class Limits:
    """A laboratory column's lowest and highest finite value: where its infinite values are taken to lie."""

    lowest: float
    highest: float


class HannoverCxr:
    """Patients of a folder with `data.csv` and `images/<image_id>.png`, as published.

    A further column `lung_mask`, true or false, says whether `lung_masks/<image_id>.png` marks the lungs.

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
            SourceError: `data.csv` cannot be read or lacks a column.
        """
        rows = read_rows(self.folder / "data.csv", REQUIRED)
        limits = {lab.column: _limits(rows, lab) for lab in LABORATORIES}
        films: dict[str, list[_Film]] = defaultdict(list)
        seen: set[str] = set()
        for line, row in enumerate(rows, start=2):
            try:
                film = self._film(row, f"{SITE} data.csv line {line}", seen)
            except InputError as error:
                quarantine.reject(error)
                continue
            films[film.patient_id].append(film)
            quarantine.accept("film")
        store = self._store([film for many in films.values() for film in many])
        quarantine.notice("hannover-cxr: dates are relative to an admission set to 2020-03-01", len(films))
        for patient_id in sorted(films):
            yield _patient(patient_id, films[patient_id], limits, store, quarantine)

    def _store(self, films: Sequence[_Film]) -> MarkedFilmFolder:
        """Opens the films and their masks, which were drawn on the films' centred squares."""
        folder = self.folder / "lung_masks"
        return MarkedFilmFolder(
            {film.study_uid: film.path for film in films},
            {
                film.study_uid: LungMask(contained(folder, f"{film.image_id}.png"), inside_square=True)
                for film in films
                if marked_in(film.row)
            },
        )

    def _film(self, row: Row, reference: str, seen: set[str]) -> _Film:
        if not row["patient_id"] or not row["image_id"]:
            raise MappingError(reference, "names no patient or no image", "fill patient_id and image_id")
        if row["image_id"] in seen:
            raise MappingError(reference, "repeats an image_id", "give each image once")
        admission = days_in(row, "admission_offset", reference)
        if admission is None:
            raise MappingError(
                reference,
                "has no admission_offset, so its day is not known",
                "state the days since admission",
            )
        for lab in LABORATORIES:
            number_in(row, f"{lab.column}_val", reference)
        offsets = [column for column in row if column.endswith("_offset")]
        days = {name: days_in(row, name, reference) for name in offsets}
        path = contained(self.folder / "images", f"{row['image_id']}.png")
        seen.add(row["image_id"])
        return _Film(row, reference, -admission, days, path)


@dataclass(frozen=True, slots=True)
class _Film:
    row: Row
    reference: str
    day: int
    offsets: Mapping[str, int | None]
    path: Path

    @property
    def patient_id(self) -> str:
        return self.row["patient_id"]

    @property
    def image_id(self) -> str:
        return self.row["image_id"]

    @property
    def study_uid(self) -> str:
        return derived_uid(SITE, self.image_id, "study")

    def day_of(self, column: str) -> int | None:
        offset = self.offsets.get(column)
        return None if offset is None else self.day + offset


def _limits(rows: Sequence[Row], lab: Laboratory) -> Limits:
    """The column's finite range; unreadable cells are left to the row that holds them."""
    finite = []
    for row in rows:
        try:
            number = number_in(row, f"{lab.column}_val", lab.column)
        except MappingError:
            continue
        if number is not None and math.isfinite(number):
            finite.append(number)
    return Limits(min(finite, default=0.0), max(finite, default=0.0))


def _patient(
    patient_id: str,
    films: Sequence[_Film],
    limits: Mapping[str, Limits],
    store: MarkedFilmFolder,
    quarantine: Quarantine,
) -> PatientRecord:
    sexes = {film.row["sex"].lower() for film in films} - {""}
    values = _laboratory_events(films, limits, quarantine)
    quarantine.accept("laboratory value", len(values))
    return sorted_record(
        PatientRecord(
            patient_id=patient_id,
            sex=SEXES.get(sexes.pop()) if len(sexes) == 1 else None,
            events=(*_stays(films, quarantine), *values),
            studies=tuple(_study(film, store) for film in films),
            site=SITE,
        )
    )


def _study(film: _Film, store: MarkedFilmFolder) -> ImagingStudy:
    series = Series(
        derived_uid(SITE, film.image_id, "series"),
        modality=film.row["modality"].upper(),
        view=film.row["projection"].upper(),
        body_part="CHEST",
    )
    time = ADMISSION + timedelta(days=film.day) + FILM
    return ImagingStudy(time, film.study_uid, (series,), f"ImagingStudy/{film.image_id}", store)


def _stays(films: Sequence[_Film], quarantine: Quarantine) -> list[Event]:
    """Admission, intensive care, death; and a closing contact a week after the last film of survivors.

    The publishers state every stay in intensive care that was recorded, so that none later means none.

    A release on the day of death is the death itself, in intensive care: it gives no end of stay.
    """
    first = films[0].reference
    started = _days(films, "icu_admission_offset")
    died = _days(films, "death_offset")
    released = [day for day in _days(films, "icu_release_offset") if day not in died]
    for days, what in ((started, "admissions to intensive care"), (died, "deaths")):
        if len(days) > 1:
            quarantine.notice(f"hannover-cxr: rows of a patient disagree on {what}; all are kept")
    events = [Event(ADMISSION, HOSPITAL_START, source=first, display="admission to hospital")]
    events += [
        Event(_at(day, FILM), ICU_START, source=first, display="admission to intensive care")
        for day in started
    ]
    events += [
        Event(_at(day, RELEASE), ICU_END, source=first, display="release from intensive care")
        for day in released
    ]
    events += [Event(_at(day, DEATH_HOUR), DEATH, source=first, display="death") for day in died[:1]]
    if not died:
        last = max(film.day for film in films)
        events.append(follow_up_complete(_at(last + FOLLOW_UP_DAYS, FILM), first))
    return events


def _days(films: Sequence[_Film], column: str) -> list[int]:
    return sorted({day for film in films if (day := film.day_of(column)) is not None})


def _at(day: int, hour: timedelta) -> datetime:
    return ADMISSION + timedelta(days=day) + hour


def _laboratory_events(
    films: Sequence[_Film], limits: Mapping[str, Limits], quarantine: Quarantine
) -> list[Event]:
    """Each value once: the same value of the same day is published with every film near it."""
    events: dict[tuple[str, int, float], Event] = {}
    for film in films:
        for lab in LABORATORIES:
            value = number_in(film.row, f"{lab.column}_val", film.reference)
            day = film.day_of(f"{lab.column}_offset")
            if value is None:
                continue
            if day is None:
                quarantine.notice(f"hannover-cxr: {lab.display} without a day is not used")
                continue
            events.setdefault((lab.column, day, value), _value(film, lab, value, day, limits[lab.column]))
    if repeats := len(events) - len({(column, day) for column, day, _ in events}):
        quarantine.notice("hannover-cxr: two different values of one laboratory test on one day", repeats)
    if cut := sum(event.comparator is not None for event in events.values()):
        quarantine.notice("hannover-cxr: beyond the assay's limit; the extreme finite value stands in", cut)
    return list(events.values())


def _value(film: _Film, lab: Laboratory, value: float, day: int, limits: Limits) -> Event:
    """One laboratory value; -inf and inf mean "beyond the assay's limit", which is not published.

    The most extreme finite value of the column stands in for the limit, with "<" or ">" beside it.
    """
    comparator: Literal["<", ">"] | None = None
    if math.isinf(value):
        comparator = "<" if value < 0 else ">"
        value = limits.lowest if value < 0 else limits.highest
    return Event(
        time=_at(day, LABORATORY),
        code=lab.code,
        number=value,
        comparator=comparator,
        unit=lab.unit,
        source=f"Observation/{lab.column.replace('_', '-')}-{film.image_id}",
        display=lab.display,
    )
