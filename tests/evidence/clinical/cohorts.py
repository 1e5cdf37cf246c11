"""Small cohorts with planted clinical effects."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np

from prognosis.cohort.case import Case, SurvivalLabel
from prognosis.cohort.target import Target, event_quantile_edges
from prognosis.record import Code, Event, PatientRecord

INDEX = datetime(2020, 3, 2, tzinfo=UTC)
CRP = Code("http://loinc.org", "1988-5")
SMEAR = Code("http://loinc.org", "11545-1")
DIABETES = Code("http://snomed.info/sct", "44054006")


def laboratory(number: float, days_before: float, code: Code = CRP, unit: str = "mg/L") -> Event:
    return Event(
        INDEX - timedelta(days=days_before),
        code,
        number=number,
        unit=unit,
        source=f"Observation/{code.value}-{days_before:g}",
        display="C reactive protein",
    )


def case_of(events: list[Event], name: str = "p", birth: date | None = date(1960, 1, 1)) -> Case:
    ordered = tuple(sorted(events, key=lambda event: event.time))
    return Case(PatientRecord(name, birth, "female" if birth else None, ordered), INDEX)


def planted_cohort(cases: int = 240, seed: int = 0) -> tuple[list[Case], Target]:
    """C reactive protein and diabetes raise the hazard; a noise assay is measured in half of the patients."""
    rng = np.random.default_rng(seed)
    crp = rng.normal(size=cases)
    diabetes = rng.random(cases) < 0.4
    days = rng.exponential(300.0 * np.exp(-0.9 * crp - 0.7 * diabetes))
    cause = np.where(rng.random(cases) < 0.25, 2, 1)
    ends = rng.uniform(50.0, 900.0, cases)
    cause = np.where(days <= ends, cause, 0).astype(np.int64)
    days = np.minimum(days, ends)
    made = []
    for row in range(cases):
        events = [laboratory(float(np.exp(2.0 + 0.6 * crp[row])), 3.0)]
        events.append(laboratory(float(np.exp(2.0 + 0.3 * rng.normal())), 90.0))
        if diabetes[row]:
            events.append(Event(INDEX - timedelta(days=200), DIABETES, source=f"Condition/{row}"))
        if rng.random() < 0.5:
            events.append(laboratory(float(rng.normal(140.0, 3.0)), 10.0, Code("http://loinc.org", "2951-2")))
        smear = "positive" if rng.random() < 0.3 else "negative"
        events.append(Event(INDEX - timedelta(days=5), SMEAR, text=smear, source=f"Observation/s{row}"))
        case = case_of(events, f"p{row}", date(1940 + row % 40, 1, 1))
        label = SurvivalLabel(
            ("progression", "death")[cause[row] - 1] if cause[row] else None, float(days[row])
        )
        made.append(Case(case.record, INDEX, label))
    edges = event_quantile_edges(days, cause > 0, 10)
    return made, Target(("progression", "death"), cause, days, edges, survival=True)
