"""A clean cohort, and one planted defect for every kind of finding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

import numpy as np

from prognosis.cohort import Cohort, build_cohort
from prognosis.record import Event, ImagingStudy, Note, PatientRecord, Series, Volume
from tests.cohort.builders import DEATH, INDEX, event, on, patient, task

CASES = 600
END = "prognosis|follow-up-complete"
SODIUM = "http://loinc.org|2951-2"
NOW = datetime(2024, 1, 1, tzinfo=UTC)
COMPETING = {
    "kind": "time_to_event",
    "causes": {"relapse": ["s|relapse"], "death": [DEATH]},
    "horizons_days": [365],
}

Edit = Callable[[PatientRecord, int], PatientRecord]


def outcomes() -> tuple[np.ndarray, np.ndarray]:
    """Who died (about half), and the days of follow-up; deaths come at once, as from an admission."""
    rng = np.random.default_rng(0)
    dies, leaves = rng.exponential(500.0, CASES), rng.uniform(200.0, 1200.0, CASES)
    return dies < leaves, np.round(np.minimum(dies, leaves), 2) + 0.01


def clean(*, died: np.ndarray | None = None, days: np.ndarray | None = None) -> list[PatientRecord]:
    """Records with laboratory values, a stage, a note and a birth date, none of them about the outcome."""
    all_died, all_days = outcomes()
    ends = [
        event(float(day), DEATH if dead else END)
        for dead, day in zip(
            all_died if died is None else died, all_days if days is None else days, strict=True
        )
    ]
    return [with_events(record, end) for record, end in zip(unended(), ends, strict=True)]


@cache
def unended() -> tuple[PatientRecord, ...]:
    """The records without the end of their follow-up."""
    rng = np.random.default_rng(1)
    words = ("opacity", "effusion", "costophrenic", "cardiomediastinal", "unremarkable", "bilateral")
    records = []
    for row in range(CASES):
        facts = [
            event(-0.1, SODIUM, round(float(rng.normal(140.0, 4.0)), 1), "mmol/L"),
            event(-0.1, "s|glucose", round(float(rng.lognormal(4.6, 0.25)), 1)),
            event(-0.1, "s|stage", str(rng.choice(["I", "II", "III"]))),
        ]
        text = " ".join(rng.choice(words, 24)) + "."
        sex = str(rng.choice(["female", "male"]))
        born = date(1950, 1, 1) + timedelta(days=int(rng.integers(0, 9000)))
        records.append(patient(f"p{row:05d}", [event(0, INDEX), *facts], [(-0.2, text)], [], born, sex))
    return tuple(records)


def cohort_of(records: Sequence[PatientRecord], **changes: object) -> Cohort:
    """Their cases."""
    return build_cohort(task(**changes), records)


def with_values(record: PatientRecord, code: str, change: Callable[[Event], Event]) -> PatientRecord:
    """The record with every event of a code changed."""
    events = tuple(change(e) if str(e.code) == code else e for e in record.events)
    return replace(record, events=events)


def with_events(record: PatientRecord, *added: Event) -> PatientRecord:
    """The record with further events."""
    return replace(record, events=(*record.events, *added))


def with_column(name: str, values: Sequence[object], **changes: object) -> Cohort:
    """The clean cohort with one more column; None is not measured."""
    return cohort_of(
        [
            record if value is None else with_events(record, event(-0.1, name, value))  # type: ignore[arg-type]
            for record, value in zip(clean(), values, strict=True)
        ],
        **changes,
    )


class Films:
    """A store of films by study UID."""

    def __init__(self, films: dict[str, np.ndarray]) -> None:
        self.films = films

    def volumes(self, study: ImagingStudy) -> tuple[Volume, ...]:
        """The study's film as a volume of one slice."""
        from prognosis.errors import StudyError

        if study.study_uid not in self.films:
            raise StudyError(study.study_uid, "is not there", "add it")
        film = self.films[study.study_uid].astype(np.float32)
        return (Volume(film[None], np.eye(4), f"ImagingStudy/{study.study_uid}"),)


def filmed(films: Sequence[np.ndarray | None]) -> Cohort:
    """Patients with a film each; None is a film that the store does not hold."""
    store = Films({f"1.{row}": film for row, film in enumerate(films) if film is not None})
    records = [
        replace(record, studies=(ImagingStudy(on(-0.1), f"1.{row}", (Series("1", "CR", "AP"),), "", store),))
        for row, record in enumerate(clean()[: len(films)])
    ]
    return cohort_of(records)


def film(seed: int) -> np.ndarray:
    """A smooth picture."""
    rng = np.random.default_rng(seed)
    return np.kron(rng.uniform(0.0, 200.0, (20, 20)), np.ones((8, 8)))


# One defect in some of the records: the edit of a record, given its place among those edited.
IN_SOME: dict[str, Edit] = {
    "mixed scales": lambda r, _: with_values(
        r, "s|glucose", lambda e: replace(e, number=(e.number or 0.0) / 18.0)
    ),
    "code for missing among numbers": lambda r, _: with_values(
        r, "s|glucose", lambda e: replace(e, number=-9.0)
    ),
    "number not finite": lambda r, _: with_values(r, "s|glucose", lambda e: replace(e, number=float("inf"))),
    "implausible value": lambda r, _: with_values(
        r, SODIUM, lambda e: replace(e, number=(e.number or 0.0) * 10.0)
    ),
    "two units for one code": lambda r, _: with_values(r, SODIUM, lambda e: replace(e, unit="meq/L")),
    "missing written as text": lambda r, _: with_values(r, "s|stage", lambda e: replace(e, text="unknown")),
    "level spelled in two ways": lambda r, _: with_values(r, "s|stage", lambda e: replace(e, text="iii ")),
    "implausible date": lambda r, _: with_events(
        replace(r, birth_date=date(2019, 12, 31)), event(-3.0, "s|old", 1.0)
    ),
    "time known only to the day": lambda r, _: with_values(
        r, SODIUM, lambda e: replace(e, time=on(-8.0 / 24.0))
    ),
    "repeated fact": lambda r, _: with_events(r, *(e for e in r.events if str(e.code) == SODIUM)),
    "empty record": lambda r, _: replace(
        r,
        events=tuple(e for e in r.events if str(e.code) in {INDEX, DEATH, END}),
        notes=(),
        birth_date=None,
        sex=None,
    ),
    "outcome told in notes": lambda r, _: replace(r, notes=(Note(on(-0.1), "Then he died."),)),
    "outcome-like value": lambda r, _: with_values(r, "s|stage", lambda e: replace(e, text="deceased")),
    "event at the index": lambda r, _: with_events(r, event(0, DEATH)),
}

# One defect in some of the cohort's people, who are added to it once more.
ADDED: dict[str, Edit] = {
    "same record in two patients": lambda r, row: replace(r, patient_id=f"again {row}"),
    "same note in two patients": lambda r, row: replace(
        patient(f"other {row}", [event(0, INDEX), event(9.0 + row / 100.0, END)]), notes=r.notes
    ),
    "same person at two sites": lambda r, _: replace(r, site="elsewhere"),
    "same image in two patients": lambda r, row: replace(
        r, patient_id=f"again {row}", studies=(ImagingStudy(on(-0.1), f"1.{row}"),)
    ),
}
