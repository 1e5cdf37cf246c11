"""The time-updated Cox model: each visit's values count until the next, and its hazard goes on from there."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("lifelines")

from benchmarks.time_updated_cox import fit_time_updated, visit_intervals
from prognosis.cohort import Cohort, build_cohort
from prognosis.record import PatientRecord
from tests.cohort.builders import DEATH, INDEX, event, patient, task

LANDMARKS = {"at": "landmarks", "codes": [INDEX], "days": [0, 100]}
BILIRUBIN = "s|bilirubin"


def followed(name: str, values: dict[float, float], end: float, *, died: bool) -> PatientRecord:
    visits = [event(day, BILIRUBIN, value) for day, value in values.items()]
    return patient(
        name, [event(0, INDEX), *visits, event(end, DEATH if died else "prognosis|follow-up-complete")]
    )


def test_each_visit_lasts_to_the_next_and_the_last_one_to_the_end_of_follow_up() -> None:
    records = [
        followed("a", {0: 1.0, 90: 2.0, 300: 9.0}, 200, died=True),  # what comes after death is not a visit
        followed("b", {30: 1.5}, 80, died=False),
    ]
    found = visit_intervals(task(index=LANDMARKS), records)
    assert found.start.tolist() == [0.0, 90.0, 0.0, 30.0]
    assert found.stop.tolist() == [90.0, 200.0, 30.0, 80.0]
    assert found.cause.tolist() == [0, 1, 0, 0]


def test_a_rise_that_makes_the_hazard_four_times_as_high_is_found_and_carried_forward() -> None:
    rng = np.random.default_rng(0)
    records = []
    for number in range(300):
        rises = rng.random() < 0.5
        early = rng.exponential(500.0)
        late = 100.0 + rng.exponential(500.0 / (4.0 if rises else 1.0))
        end = early if early < 100.0 else late
        values = {0.0: 0.0} | ({100.0: 1.0 if rises else 0.0} if end > 100.0 else {})
        records.append(followed(f"p{number}", values, min(end, 900.0), died=end < 900.0))
    cohort = build_cohort(task(index=LANDMARKS), records)
    model = fit_time_updated(cohort, {record.key: record for record in records})
    assert model.per_unit[0, 0] == pytest.approx(np.log(4.0), abs=0.4)
    late_cases = [case for case in cohort.cases if case.record.events[-1].time == case.index_time]
    risen = next(case for case in late_cases if case.record.events[-1].number == 1.0)
    risk = model.cumulative_incidence(Cohort(cohort.task, (risen,)).cases, np.array([50.0, 125.0]))
    np.testing.assert_allclose(risk[0, 0], 1.0 - np.exp(-4.0 / 500.0 * np.array([50.0, 125.0])), atol=0.1)
