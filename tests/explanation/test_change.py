"""What moved an answer between two dates, and how two explanations differ."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

import numpy as np
import pytest

from prognosis.errors import InputError
from prognosis.explanation import difference, explain_case, what_changed
from prognosis.record import Code, Event, PatientRecord
from tests.fakes.additive_evidence import INDEX, written_case, written_model

SINCE = INDEX - timedelta(days=30)


def event(modality: str, name: str, value: float, days_before: float, number: int) -> Event:
    return Event(
        INDEX - timedelta(days=days_before),
        Code(modality, name),
        number=value,
        source=f"Observation/{number}",
    )


def record_of(*events: Event) -> PatientRecord:
    return PatientRecord("p", events=tuple(sorted(events, key=lambda e: e.time)), site="test")


OLD = (event("clinical", "clinical-0", 0.6, 60, 0), event("imaging", "imaging-0", 1.1, 50, 1))
NEW = (
    event("clinical", "clinical-1", -0.9, 10, 2),
    event("text", "text-0", 0.4, 5, 3),
    event("imaging", "imaging-1", 0.5, 5, 4),
)


def mean_log_hazard(events: tuple[Event, ...], cause: int, at: datetime = INDEX) -> float:
    model = written_model()
    case = replace(written_case(0, {}), record=record_of(*events), index_time=at)
    return float(model.head.log_hazard(model.inputs([case]))[0, cause].mean())


@pytest.mark.parametrize("cause", [0, 1])
def test_new_evidence_and_the_recalibration_sum_to_the_move(cause: int) -> None:
    model = written_model()
    found = what_changed(model, record_of(*OLD, *NEW), SINCE, INDEX, model.task.causes[cause])
    assert found.before == pytest.approx(mean_log_hazard(OLD, cause, SINCE), abs=1e-12)
    assert found.after == pytest.approx(mean_log_hazard((*OLD, *NEW), cause), abs=1e-12)
    moved = found.recalibration + sum(change.contribution for change in found.changes)
    assert moved == pytest.approx(found.after - found.before, abs=1e-9)
    assert found.max_additivity_error < 1e-9
    assert found.recalibration != 0.0
    assert {change.kind for change in found.changes} == {"new"}
    assert {change.name for change in found.changes} == {"clinical-1", "text-0", "imaging-1"}
    assert found.unchanged == 2
    assert sum(found.by_kind().values()) == pytest.approx(moved - found.recalibration)


def test_each_move_is_its_shapley_value_where_the_same_modalities_are_observed() -> None:
    """Every order in which the new values could have come, each step through the model."""
    old = (*OLD, event("text", "text-1", 0.2, 40, 5))
    found = what_changed(written_model(), record_of(*old, *NEW), SINCE, INDEX)
    assert found.recalibration == 0.0
    expected = dict.fromkeys((new.code.value for new in NEW), 0.0)
    for order in permutations(NEW):
        for place, new in enumerate(order):
            before = mean_log_hazard((*old, *order[:place]), 0)
            expected[new.code.value] += (mean_log_hazard((*old, *order[: place + 1]), 0) - before) / 6
    for change in found.changes:
        assert change.contribution == pytest.approx(expected[change.name], abs=1e-9)


def test_nothing_new_moves_nothing() -> None:
    found = what_changed(written_model(), record_of(*OLD), SINCE, INDEX)
    assert found.changes == ()
    assert found.unchanged == len(OLD)
    assert found.recalibration == 0.0
    assert found.before == found.after


def test_an_empty_record_before_makes_everything_new() -> None:
    found = what_changed(written_model(), record_of(*NEW), SINCE, INDEX)
    assert len(found.changes) == len(NEW)
    assert found.max_additivity_error < 1e-9


def test_dates_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(InputError, match="not before"):
        what_changed(written_model(), record_of(*OLD), INDEX, SINCE)


def test_the_difference_of_two_explanations_is_additive_on_either_scale() -> None:
    model = written_model()
    first = written_case(0, {"clinical": [0.6, -0.9], "imaging": [1.1]})
    second = written_case(1, {"clinical": [0.1], "text": [0.4]})
    for scale in ("log_hazard", "probability"):
        both = [explain_case(model, case, scale=scale) for case in (first, second)]
        found = difference(*both)
        assert found.total == pytest.approx(both[1].total - both[0].total)
        added = found.base + sum(term.difference for term in found.terms)
        assert added == pytest.approx(found.total, abs=1e-9)
        names = [term.name for term in found.terms]
        assert sorted(names) == ["clinical-0", "clinical-1", "imaging-0", "text-0"]
        (shared,) = [term for term in found.terms if term.name == "clinical-0"]
        assert shared.first != 0.0
        assert shared.second != 0.0


def test_an_explanation_does_not_differ_from_itself() -> None:
    why = explain_case(written_model(), written_case(0, {"clinical": [0.6], "text": [0.2]}))
    found = difference(why, why)
    assert found.total == found.base == 0.0
    assert np.abs([term.difference for term in found.terms]).max() == 0.0


def test_explanations_on_two_scales_have_no_difference() -> None:
    model, case = written_model(), written_case(0, {"clinical": [0.6]})
    with pytest.raises(InputError, match="one scale"):
        difference(explain_case(model, case), explain_case(model, case, scale="probability"))
