"""Small cohorts whose hazard is known, as records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import numpy as np

from prognosis.cohort import Case, Cohort, SurvivalLabel, Target, Task, cohort_target
from prognosis.record import Code, Event, PatientRecord
from prognosis.survival.curves import Floats

INDEX = datetime(2020, 1, 1, tzinfo=UTC)


def task(causes: Sequence[str] = ("death",), horizons: Sequence[float] = (100.0, 300.0)) -> Task:
    """A question about the time to the first of some causes."""
    return Task.from_statement(
        {
            "name": "test",
            "question": "When?",
            "index": {"at": "event", "codes": ["prognosis|index"]},
            "outcome": {
                "kind": "time_to_event",
                "causes": {cause: [f"outcome|{cause}"] for cause in causes},
                "horizons_days": list(horizons),
            },
        },
        reference="test",
    )


def case(number: int, marker: float, label: SurvivalLabel, stage: str | None = None) -> Case:
    """One patient with a marker, perhaps a stage, and an outcome."""
    events = [Event(INDEX, Code("table", "marker"), number=marker)]
    if stage is not None:
        events.append(Event(INDEX, Code("table", "stage"), text=stage))
    record = PatientRecord(
        f"p{number:04d}",
        birth_date=date(1930 + number % 60, 1, 1),
        sex="female" if number % 2 else "male",
        events=tuple(events),
        site="here",
    )
    return Case(record, INDEX, label)


def cohort(n: int = 300, causes: Sequence[str] = ("death",), seed: int = 0) -> Cohort:
    """Exponential times with log-hazard `marker` for the first cause, none for the others; censored."""
    rng = np.random.default_rng(seed)
    marker = rng.normal(size=n)
    end = rng.uniform(50.0, 900.0, n)
    cases = []
    for number in range(n):
        scales = [300.0 * np.exp(-marker[number]), *[600.0] * (len(causes) - 1)]
        times = rng.exponential(scales)
        first = int(times.argmin())
        happened = times[first] <= end[number]
        label = SurvivalLabel(causes[first] if happened else None, float(min(times[first], end[number])))
        cases.append(case(number, float(marker[number]), label, stage="I" if marker[number] < 0 else "II"))
    return Cohort(task(causes), tuple(cases))


def markers(cohort: Cohort) -> Floats:
    """(n,) the true log-hazard of the first cause."""
    numbers = [case.record.events[0].number for case in cohort.cases]
    return np.array([number if number is not None else 0.0 for number in numbers])


def true_incidence(cohort: Cohort, days: Floats) -> Floats:
    """(n, 1, T) the true risk, for a cohort with one cause."""
    rate = np.exp(markers(cohort)) / 300.0
    return 1.0 - np.exp(-np.outer(rate, days))[:, None, :]


def target(cohort: Cohort) -> Target:
    """The labels as arrays."""
    return cohort_target(cohort)
