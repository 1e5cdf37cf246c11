"""A measurement's label: the nearest value in the window, in one unit, or a counted reason for none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from prognosis.cohort import MeasurementLabel, build_cohort, cohort_target
from prognosis.cohort.measurement import last_value
from prognosis.errors import CohortError, TaskError
from prognosis.record import Event, PatientRecord
from tests.cohort.builders import INDEX, event, patient, task
from tests.measured import measured_task, planted


def record(*values: Event) -> PatientRecord:
    return patient("p1", [event(0, INDEX), event(1000, "visit|x"), *values])


def label(*values: Event, **outcome: object) -> object:
    cohort = build_cohort(measured_task(**outcome), [record(*values)])
    return cohort.cases[0].label


def reasons(*values: Event, **outcome: object) -> set[str]:
    others = patient("p2", [event(0, INDEX), event(365, "lab|x", 1.0, "mg/dL")])
    return set(build_cohort(measured_task(**outcome), [record(*values), others]).exclusions)


def test_the_value_nearest_to_the_horizon_is_taken_and_of_two_as_near_the_earlier() -> None:
    values = [event(day, "lab|x", number, "mg/dL") for day, number in ((310, 1.0), (360, 2.0), (370, 3.0))]
    assert label(*values) == MeasurementLabel(2.0, 360.0)
    assert label(*values, horizon_days=371) == MeasurementLabel(3.0, 370.0)


def test_a_case_without_a_value_in_the_window_is_left_out_and_counted() -> None:
    early = event(300, "lab|x", 1.0, "mg/dL")
    assert reasons(early) == {"no value within 60 days of day 365"}
    assert reasons(event(365, "lab|other", 1.0, "mg/dL")) == {"no value within 60 days of day 365"}
    assert label(early, window_days=70) == MeasurementLabel(1.0, 300.0)


def test_a_value_cut_off_by_the_assay_or_without_a_logarithm_is_none() -> None:
    below = replace(event(365, "lab|x", 1.0, "mg/dL"), comparator="<")
    assert reasons(below) == {"the value was cut off by the assay's limit"}
    zero = event(365, "lab|x", 0.0, "mg/dL")
    assert reasons(zero, scale="log") == {"the value is not above zero, and has no logarithm"}
    assert label(zero) == MeasurementLabel(0.0, 365.0)


@pytest.mark.parametrize("number", [1e30, float("inf"), float("nan")])
def test_a_value_beyond_what_any_measurement_reaches_is_none(number: float) -> None:
    far = event(365, "lab|x", number, "mg/dL")
    assert reasons(far) == {"the value is beyond what any measurement reaches"}


def test_of_two_values_at_one_time_the_order_of_the_record_decides_nothing() -> None:
    first, second = (
        replace(event(365, "lab|x", number, "mg/dL"), source=source)
        for number, source in ((1.0, "Observation/b"), (9.0, "Observation/a"))
    )
    assert label(first, second) == label(second, first) == MeasurementLabel(9.0, 365.0)


def test_another_unit_is_converted_by_the_stated_factor_and_refused_without_one() -> None:
    molar = event(365, "lab|x", 100.0, "umol/L")
    assert label(molar, other_units={"umol/L": 0.0585}) == MeasurementLabel(pytest.approx(5.85), 365.0)
    with pytest.raises(TaskError, match="was measured in umol/L, not in mg/dL"):
        label(molar)
    with pytest.raises(TaskError, match="in no stated unit"):
        label(event(365, "lab|x", 100.0))
    assert label(event(365, "lab|x", 2.0), other_units={"": 10.0}) == MeasurementLabel(20.0, 365.0)


def test_the_last_value_is_the_last_known_in_the_tasks_unit() -> None:
    outcome = measured_task(other_units={"g/L": 100.0}).measurement
    assert outcome is not None
    known = record(event(-3, "lab|x", 1.0, "mg/dL"), event(-1, "lab|x", 0.02, "g/L"))
    assert last_value(outcome, known) == pytest.approx(2.0)
    assert last_value(outcome, record()) is None
    limit = replace(event(-5, "lab|x", 5.0, "mg/dL"), comparator="<")
    assert last_value(outcome, record(event(-9, "lab|x", 7.0, "mg/dL"), limit)) == 7.0


def test_a_task_refuses_a_window_that_reaches_the_index_and_a_widest_risk() -> None:
    with pytest.raises(TaskError, match="window_days must be below horizon_days"):
        measured_task(window_days=365)
    with pytest.raises(TaskError, match="widest_interval is of a risk"):
        task(outcome=measured_task().outcome.model_dump(), widest_interval=0.2)


def test_earlier_values_of_the_quantity_are_evidence() -> None:
    assert "lab|x" not in measured_task().excluded_codes
    for case in planted(5).cohort().cases:
        known = [found for found in case.record.events if str(found.code) == "lab|x"]
        assert [found.time for found in known] == [case.index_time]


def test_a_target_holds_standard_values_on_the_modelled_scale() -> None:
    known = planted(40)
    target = cohort_target(known.cohort(scale="log"))
    assert target.values is not None
    assert target.values.mean() == pytest.approx(0.0, abs=1e-12)
    assert target.values.std() == pytest.approx(1.0)
    np.testing.assert_allclose(np.exp(target.centre + target.spread * target.values), known.value)
    assert target.answered.all()


def test_a_quantity_that_never_varies_cannot_be_learnt() -> None:
    same = [
        patient(f"p{n}", [event(0, INDEX), event(365, "lab|x", 4.0, "mg/dL"), event(400, "v|x")])
        for n in range(3)
    ]
    with pytest.raises(CohortError, match="the same value in every case"):
        cohort_target(build_cohort(measured_task(), same))
