"""A last value far beyond all that were learnt from: the answer goes on from it, and is withheld."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prognosis.cohort import build_cohort
from prognosis.fusion import train_model
from prognosis.prediction import Prediction, predict_cases
from tests.measured import CONFIG, measured_task, planted


def predicted(scale: str, *last: float) -> tuple[Prediction, ...]:
    """Of patients whose last value is given, by a model that learnt from values of 10, give or take 2."""
    model = train_model(planted(120).cohort(scale=scale), CONFIG)
    record = planted(1, seed=3).records[0]
    changed = [
        replace(
            record,
            patient_id=f"far-{value:g}",
            events=tuple(
                replace(event, number=value)
                if str(event.code) == "lab|x" and event.time == record.events[0].time
                else event
                for event in record.events
            ),
        )
        for value in last
    ]
    return predict_cases(model, build_cohort(measured_task(scale=scale), changed).cases)


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_a_value_ten_to_ten_thousand_times_those_seen_is_answered_near_it_and_withheld(scale: str) -> None:
    near, *far = predicted(scale, 11.0, 100.0, 1e3, 1e5)
    assert not near.abstained
    for value, answer in zip((100.0, 1e3, 1e5), far, strict=True):
        assert answer.abstained
        assert answer.measured is not None
        assert value / 10.0 < answer.measured.value < value * 10.0
