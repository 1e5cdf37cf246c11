"""Lower bounds on event-free time from a fusion model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from prognosis.fusion import FusionModel
from prognosis.fusion.bounds import ANY_EVENT, bound_days, event_incidence, happened
from prognosis.prediction import predict_cases
from prognosis.survival.censoring import estimate_censoring
from prognosis.survival.conformal import missed_weights, patient_shares
from tests.fakes.additive_evidence import TASK, planted_cases, planted_target, written_model


@pytest.fixture(scope="module")
def model() -> FusionModel:
    return written_model()


@pytest.mark.parametrize("level", [0.8, 0.9])
def test_patients_who_took_no_part_stay_free_as_often_as_stated(model: FusionModel, level: float) -> None:
    cases = planted_cases(2000, 1.5, seed=99)
    target = planted_target(cases)
    bounds = model.lower_bounds(model.inputs(cases), level)
    assert tuple(bounds) == (ANY_EVENT, *TASK.causes)
    rng = np.random.default_rng(0)
    censoring = estimate_censoring(target.days, target.cause > 0)
    for name, days in bounds.items():
        missed = missed_weights(target.days, happened(target.cause, TASK.causes, name), days, censoring)
        drawn = rng.integers(0, 2000, (200, 2000))
        error = (missed[drawn].mean(axis=1)).std()
        calibration_error = np.sqrt(level * (1.0 - level) / 250.0)  # 400 cases, a third of them censored
        assert abs(1.0 - missed.mean() - level) < 3.0 * np.hypot(error, calibration_error), name


def test_a_patient_is_free_of_any_event_no_longer_than_the_follow_up_allows(model: FusionModel) -> None:
    inputs = model.inputs(planted_cases(50, 1.5, seed=5))
    for name, days in model.lower_bounds(inputs, 0.5).items():
        assert (days >= 0.0).all()
        assert (days <= model.bounds[name].last_day).all()


def test_free_of_any_event_is_free_of_each_cause_for_at_least_as_long(model: FusionModel) -> None:
    inputs = model.inputs(planted_cases(50, 1.5, seed=8))
    earlier = {
        name: bound if name == ANY_EVENT else replace(bound, probability=0.2 * bound.probability)
        for name, bound in model.bounds.items()
    }
    strict = replace(model, bounds=earlier)
    given, grid = strict.lower_bounds(inputs, 0.8), bound_days(model.edges)
    curves = event_incidence(strict.incidence_of(inputs, grid), TASK.causes)
    for cause in TASK.causes:
        alone = earlier[cause].days(curves[cause], grid, 0.8)
        assert (alone < given[ANY_EVENT]).any()
        assert np.array_equal(given[cause], np.maximum(alone, given[ANY_EVENT]))


def test_a_patient_at_higher_risk_has_an_earlier_bound(model: FusionModel) -> None:
    inputs = model.inputs(planted_cases(200, 1.5, seed=6))
    risk = model.incidence_of(inputs, np.array([200.0]))[:, :, 0].sum(axis=1)
    days = model.lower_bounds(inputs, 0.9)[ANY_EVENT]
    order = np.argsort(risk)
    assert days[order[:50]].mean() > 2.0 * days[order[-50:]].mean()


def test_a_prediction_states_every_event_at_three_levels_as_the_model_does(model: FusionModel) -> None:
    case = planted_cases(3, 1.5, seed=7)[2]
    stated = predict_cases(model, [case])[0].free_for
    assert [(bound.event, bound.level) for bound in stated] == [
        (event, level) for event in (ANY_EVENT, *TASK.causes) for level in (0.8, 0.9, 0.95)
    ]
    inputs = model.inputs([case])
    for bound in stated:
        assert bound.days == model.lower_bounds(inputs, bound.level)[bound.event][0]


def test_the_days_of_the_curves_hold_every_edge() -> None:
    edges = np.array([0.0, 3.0, 4.0, 100.0])
    days = bound_days(edges)
    assert (np.diff(days) > 0).all()
    assert set(edges) <= set(days)


def test_any_event_is_the_sum_of_the_causes() -> None:
    incidence = np.random.default_rng(0).random((5, 2, 4))
    curves = event_incidence(incidence, ("a", "b"))
    assert np.array_equal(curves[ANY_EVENT], incidence.sum(axis=1))
    assert tuple(event_incidence(incidence[:, :1], ("a",))) == (ANY_EVENT,)


def test_the_cases_of_a_patient_share_one_weight() -> None:
    assert patient_shares(np.array(["a", "b", "a", "a"])).tolist() == pytest.approx([1 / 3, 1, 1 / 3, 1 / 3])
