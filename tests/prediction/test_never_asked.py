"""A question that a patient is not asked in training gets no answer from the model, but the reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from prognosis.cohort.task import Exclusion
from prognosis.prediction import predict
from prognosis.record import Code, Event, PatientRecord
from tests.fakes.additive_evidence import INDEX, written_case, written_model

MODEL = written_model()
CAUSE = MODEL.task.causes[-1]


def with_event(code: str, days: float) -> PatientRecord:
    """A patient with facts at the index, and an event so many days after it."""
    system, value = code.split("|")
    event = Event(INDEX + timedelta(days=days), Code(system, value), source="Condition/it")
    record = written_case(0, {"clinical": [0.3]}).record
    return replace(record, events=tuple(sorted((*record.events, event), key=lambda each: each.time)))


@pytest.mark.parametrize("days", [-400.0, -1.0, 0.0])
def test_a_patient_who_has_had_the_event_is_given_no_risk_of_it(days: float) -> None:
    code = MODEL.task.outcome.causes[CAUSE][0]
    prediction = predict(MODEL, with_event(code, days), INDEX)
    assert prediction.abstained
    assert f"{CAUSE} is already in the record" in prediction.abstained_because


def test_an_event_that_is_yet_to_come_is_no_reason() -> None:
    code = MODEL.task.outcome.causes[CAUSE][0]
    assert not predict(MODEL, with_event(code, 1.0), INDEX).abstained


def test_a_patient_whom_the_task_leaves_out_is_told_the_rule() -> None:
    rule = Exclusion(name="transplanted before", codes=("t|transplant",))
    task = MODEL.task.model_copy(update={"exclusions": (rule,)})
    prediction = predict(replace(MODEL, task=task), with_event("t|transplant", -10.0), INDEX)
    assert "transplanted before" in prediction.abstained_because
    assert not predict(MODEL, with_event("t|transplant", -10.0), INDEX).abstained
