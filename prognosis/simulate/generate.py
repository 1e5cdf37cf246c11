"""A simulated cohort: full records of patients whose hazard is known, and the oracle that knows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from prognosis.record import Note, PatientRecord
from prognosis.record.patient import sorted_record
from prognosis.simulate.chart import FILM_LEAD, NOTE_LEAD, RESULT_LEAD, Chart, write_course, write_history
from prognosis.simulate.clinical import ASSAYS, draw_values
from prognosis.simulate.dials import Dials
from prognosis.simulate.film import scanner_of
from prognosis.simulate.films import FilmRecipe, SimulatedFilms
from prognosis.simulate.hazard import (
    FollowUp,
    cumulative_incidence,
    days_kept,
    draw_fates,
    event_free,
    follow_up,
)
from prognosis.simulate.notes import WrittenNote, write_notes
from prognosis.simulate.oracle import Oracle, PlantedCause
from prognosis.simulate.planting import planted_causes
from prognosis.simulate.standard import CAUSES, Vector
from prognosis.simulate.truth import ARMS, PlantedCohort, draw_patients, hazard_parts, plant

SITES = ("north", "south")
HORIZONS_DAYS = (180.0, 365.0, 730.0)
_FIRST_INDEX = datetime(2020, 1, 6, 8, 0, tzinfo=UTC)
_ENTRY_DAYS = 730
_FOLLOW_UP_DAYS = (400.0, 1100.0)  # by when the study ends, for the last and the first to enter
_DROP_OUT_MEAN_DAYS = 2500.0
_FIRST_VISIT_SHARE = 0.7
_EARLIER_FILM_SHARE = 0.85
_AT_PROGRESSION = {"crp": 120.0, "ldh": 600.0}


@dataclass(frozen=True, slots=True)
class SimulatedCohort:
    """Full records, with what follows the index, and the truth about them.

    Attributes:
        records: Sorted by patient id; films are drawn when opened.
        oracle: In the same order. Keep it where no reader of the records can see it.
    """

    records: tuple[PatientRecord, ...]
    oracle: Oracle


def simulate_cohort(
    dials: Dials | None = None, seed: int = 0, on_progress: Callable[[str, int, int], None] | None = None
) -> SimulatedCohort:
    """Make a cohort; the same dials and seed make the same one.

    Args:
        dials: What it is made of; the defaults where not given.
        seed: At least 0; also part of every patient's id.
        on_progress: Told ("patients", done, total).
    """
    dials = dials or Dials()
    random = np.random.default_rng(seed)
    drawn = draw_patients(dials, random)
    entry = random.integers(_ENTRY_DAYS, size=dials.patients)
    end_days = _end_days(entry, random)
    fates = draw_fates(dials.patients, random)
    site = (random.random(dials.patients) < dials.second_site).astype(int)
    planted = plant(dials, drawn, site == 1)
    log_hazard = {cause: planted.parts[cause].full() for cause in CAUSES}
    course = follow_up(log_hazard, end_days, (dials.censored, dials.death_share), fates)
    # A stream of its own: however many charts it concerns, every other draw stays what it is.
    own_habits = np.random.default_rng([seed, 1]).random(dials.patients) < dials.coding_shift
    habit = np.where(own_habits, site, 0)
    visit_days = _visit_days(dials.patients, random)
    nothing = np.zeros(dials.patients)
    values = {
        assay.name: draw_values(
            assay, planted.clinical.planted.get(assay.name, nothing), visit_days, dials, random
        )
        for assay in ASSAYS
    }
    films = SimulatedFilms()
    records, causes = [], []
    for row in range(dials.patients):
        places = int(site[row]), int(habit[row])
        writer = _Writer(row, f"sim{seed}-{row:05d}", *places, dials, planted, films)
        index_time = _FIRST_INDEX + timedelta(days=int(entry[row]), minutes=int(random.integers(480)))
        record, notes = writer.record(index_time, visit_days[row], values, course, random)
        records.append(record)
        causes.append(planted_causes(row, planted, record.as_of(index_time), notes, int(habit[row])))
        if on_progress is not None:
            on_progress("patients", row + 1, dials.patients)
    oracle = _oracle(tuple(records), planted, dials, course, tuple(causes))
    return SimulatedCohort(tuple(records), oracle)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes one patient's record."""

    row: int
    patient_id: str
    site: int
    habit: int
    dials: Dials
    planted: PlantedCohort
    films: SimulatedFilms

    def record(
        self,
        index_time: datetime,
        visit_days: Vector,
        values: dict[str, Vector],
        course: FollowUp,
        random: np.random.Generator,
    ) -> tuple[PatientRecord, tuple[WrittenNote, ...]]:
        chart = Chart(self.patient_id, self.habit, index_time)
        kept = np.flatnonzero(np.isfinite(visit_days))
        days = tuple(float(visit_days[visit]) for visit in kept)
        lung_disease = bool(self.planted.clinical.lung_disease[self.row])
        write_history(chart, days, random, lung_disease=lung_disease)
        for visit in kept:
            for assay in ASSAYS:
                if random.random() >= self.dials.results_absent:
                    time = chart.at(float(visit_days[visit])) - RESULT_LEAD
                    chart.result(assay, int(visit), time, float(values[assay.name][self.row, visit]))
        progression, death, contact = (
            float(each[self.row])
            for each in (course.progression_days, course.death_days, course.contact_days)
        )
        write_course(chart, str(self.planted.arm[self.row]), progression, death, contact)
        if np.isfinite(progression):
            _write_results_of_progression(chart, len(visit_days), progression)
        written = write_notes(self.planted.text.present[self.row], len(days), self.dials, random)
        age = timedelta(days=float(self.planted.clinical.age_years[self.row]) * 365.25)
        record = PatientRecord(
            patient_id=self.patient_id,
            birth_date=(index_time - age).date(),
            sex="female" if self.planted.clinical.female[self.row] else "male",
            events=tuple(chart.events),
            notes=self._notes(chart, days, written, progression),
            site=SITES[self.site],
        )
        return sorted_record(self._with_films(record, chart, days, random)), written

    def _notes(
        self, chart: Chart, days: tuple[float, ...], written: tuple[WrittenNote, ...], progression: float
    ) -> tuple[Note, ...]:
        """The visits' notes, and one that reports the outcome: known later, and never to be read before."""
        if not self.planted.has_text[self.row]:
            return ()
        notes = [
            Note(
                time=chart.at(day) - NOTE_LEAD,
                text=note.text,
                kind="progress note",
                source=f"DocumentReference/{self.patient_id}-note-{visit}",
            )
            for visit, (day, note) in enumerate(zip(days, written, strict=True))
        ]
        if np.isfinite(progression):
            source = f"DocumentReference/{self.patient_id}-note-{len(notes)}"
            text = "Plan: Progression of the disease is confirmed. Treatment is changed."
            notes.append(Note(chart.at(progression), text, "progress note", source))
        return tuple(notes)

    def _with_films(
        self, record: PatientRecord, chart: Chart, days: tuple[float, ...], random: np.random.Generator
    ) -> PatientRecord:
        anatomy_seed = int(random.integers(2**31))
        film_seeds = random.integers(2**31, size=len(days))
        taken = random.random(len(days)) < _EARLIER_FILM_SHARE
        if not self.planted.has_imaging[self.row]:
            return record
        studies = []
        for visit, day in enumerate(days):
            if taken[visit] or visit == len(days) - 1:
                recipe = FilmRecipe(
                    lesions=self.planted.lesions.at(self.row, -day),
                    scanner=scanner_of(self.site, self.dials.scanner_shift),
                    anatomy_seed=anatomy_seed,
                    film_seed=int(film_seeds[visit]),
                )
                name = f"{self.patient_id}/{visit}"
                studies.append(self.films.add(name, chart.at(day) - FILM_LEAD, recipe))
        return replace(record, studies=tuple(studies))


def _write_results_of_progression(chart: Chart, visit: int, days: float) -> None:
    """Write results that the outcome itself raised: whatever reads them before it has seen the future."""
    for assay in ASSAYS:
        if assay.name in _AT_PROGRESSION:
            chart.result(assay, visit, chart.at(days), _AT_PROGRESSION[assay.name])


def _end_days(entry: NDArray[np.int64], random: np.random.Generator) -> Vector:
    """(n,) when follow-up ends: the study's end, or dropping out independently of everything."""
    last, first = _FOLLOW_UP_DAYS
    administrative = first - (first - last) * entry / _ENTRY_DAYS
    return np.maximum(np.minimum(administrative, random.exponential(_DROP_OUT_MEAN_DAYS, len(entry))), 1.0)


def _visit_days(patients: int, random: np.random.Generator) -> Vector:
    """(n, 3) days of visits from the index, NaN where the first did not take place."""
    days = np.array([-180.0, -90.0, 0.0]) + np.rint(random.uniform(-10.0, 10.0, (patients, 3)))
    days[:, -1] = 0.0
    days[random.random(patients) >= _FIRST_VISIT_SHARE, 0] = np.nan
    return days


def _oracle(
    records: tuple[PatientRecord, ...],
    planted: PlantedCohort,
    dials: Dials,
    course: FollowUp,
    causes: tuple[tuple[PlantedCause, ...], ...],
) -> Oracle:
    incidence_by_arm, survival_by_arm, mean_days_by_arm, kept_days_by_arm = {}, {}, {}, {}
    effect, observed_effect = {}, {}
    for arm in ARMS:
        given = np.full(len(records), arm)
        parts = {
            cause: hazard_parts(cause, dials, planted.clinical, planted.text, planted.lesion_hazard, given)
            for cause in CAUSES
        }
        eta = {cause: parts[cause].full() for cause in CAUSES}
        incidence_by_arm[arm] = cumulative_incidence(eta, course.scale_days, HORIZONS_DAYS)["progression"]
        survival_by_arm[arm], mean_days_by_arm[arm] = event_free(eta, course.scale_days, HORIZONS_DAYS)
        kept_days_by_arm[arm] = days_kept(eta, course.scale_days, HORIZONS_DAYS)
    for cause, own in parts.items():  # those of the arm named last: of the standard arm they are zero
        effect[cause] = own.arm + own.arm_text + own.arm_imaging
        observed_effect[cause] = own.observed_arm(planted.has_text, planted.has_imaging)
    eta = {cause: planted.parts[cause].full() for cause in CAUSES}
    return Oracle(
        patient_ids=tuple(record.patient_id for record in records),
        parts=planted.parts,
        has_text=planted.has_text,
        has_imaging=planted.has_imaging,
        chance_of_intensified=planted.chance_of_intensified,
        arm=planted.arm,
        days=course.days,
        cause=course.cause,
        horizons_days=HORIZONS_DAYS,
        incidence=cumulative_incidence(eta, course.scale_days, HORIZONS_DAYS),
        incidence_by_arm=incidence_by_arm,
        survival_by_arm=survival_by_arm,
        mean_days_by_arm=mean_days_by_arm,
        kept_days_by_arm=kept_days_by_arm,
        effect=effect,
        observed_effect=observed_effect,
        planted=causes,
        true_values=planted.true_values,
    )
