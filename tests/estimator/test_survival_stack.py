"""`SurvivalStack` behaves as users of scikit-learn and scikit-survival expect."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import (
    check_get_params_invariance,
    check_no_attributes_set_in_init,
    check_parameters_default_constructible,
    check_set_params,
)

import prognosis
from prognosis.cli.sources import read_records
from prognosis.cohort import Task, build_cohort
from prognosis.errors import ConfigError, InputError
from prognosis.estimator import SurvivalStack
from prognosis.fusion import ModelConfig, train_model
from prognosis.record import Quarantine

QUICK: dict[str, Any] = {"folds": 2, "bins": 6}
ROWS = 240


def table(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """Numbers with gaps, a truth value, an ordered category and a text."""
    rng = np.random.default_rng(seed)
    size = rng.normal(20.0, 5.0, rows)
    frame = pd.DataFrame(
        {
            "size": np.where(rng.random(rows) < 0.15, np.nan, size),
            "treated": rng.random(rows) < 0.5,
            "grade": pd.Categorical(rng.choice(["I", "II", "III"], rows)),
            "site": rng.choice(["north", "south"], rows),
        }
    )
    frame.loc[::17, "site"] = None
    return frame


def log_rate(frame: pd.DataFrame) -> np.ndarray:
    grade = frame["grade"].map({"I": -0.7, "II": 0.0, "III": 0.7}).astype(float).to_numpy()
    return grade - 0.8 * frame["treated"].to_numpy() + 0.08 * (frame["size"].fillna(20.0).to_numpy() - 20.0)


def structured(event: np.ndarray, time: np.ndarray) -> np.ndarray:
    y = np.empty(len(time), dtype=[("event", event.dtype), ("time", float)])
    y["event"], y["time"] = event, time
    return y


def one_event(frame: pd.DataFrame, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    times = rng.exponential(400.0 * np.exp(-log_rate(frame)))
    censored = rng.uniform(50.0, 1200.0, len(frame))
    return structured(times <= censored, np.minimum(times, censored))


def two_causes(frame: pd.DataFrame, seed: int = 2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    first = rng.exponential(400.0 * np.exp(-log_rate(frame)))
    other = rng.exponential(900.0, len(frame))
    censored = rng.uniform(50.0, 1200.0, len(frame))
    times = np.minimum(np.minimum(first, other), censored)
    return structured(np.where(times == first, 1, np.where(times == other, 2, 0)), times)


@pytest.fixture(scope="module")
def stack() -> SurvivalStack:
    return SurvivalStack(**QUICK).fit(table(), one_event(table()))


@pytest.fixture(scope="module")
def competing() -> SurvivalStack:
    return SurvivalStack(**QUICK, concordance="uno").fit(table(), two_causes(table()))


def test_the_same_rows_through_the_table_connector_give_the_same_model() -> None:
    task = Task.load("configs/tasks/gbsg2.yaml")
    source = "package:lifelines/gbsg2.csv"
    cohort = build_cohort(task, read_records([source], task, Quarantine()))
    config = ModelConfig.from_statement({"modalities": ["clinical"], "fusion": {"bootstrap": 2}}, "test")
    expected = train_model(cohort, config)
    from lifelines.datasets import load_gbsg2

    frame = load_gbsg2()
    y = structured(frame["cens"].to_numpy().astype(bool), frame["time"].to_numpy().astype(float))
    stack = SurvivalStack().fit(frame.drop(columns=["cens", "time"]), y)
    days = np.array([365.0, 1095.0, 1825.0])
    told = stack.predict_cumulative_incidence(frame.drop(columns=["cens", "time"]), days)
    assert np.array_equal(told, expected.cumulative_incidence(cohort.cases, days))


@pytest.mark.parametrize(
    "check",
    [
        check_parameters_default_constructible,
        check_no_attributes_set_in_init,
        check_get_params_invariance,
        check_set_params,
    ],
)
def test_its_parameters_are_those_of_an_estimator(check: Any) -> None:
    check("SurvivalStack", SurvivalStack())


def test_a_clone_and_a_pickle_keep_the_parameters_and_no_fit(stack: SurvivalStack) -> None:
    assert clone(stack).get_params() == stack.get_params()
    assert not hasattr(clone(stack), "model_")
    unread = SurvivalStack(ModelConfig(folds=4), random_state=3)
    assert pickle.loads(pickle.dumps(unread)).get_params() == unread.get_params()  # noqa: S301 - our own bytes


def test_a_pickled_fit_predicts_and_explains_as_before(stack: SurvivalStack) -> None:
    frame = table().head(6)
    before = stack.explain(frame).values
    copy = pickle.loads(pickle.dumps(stack))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(copy.predict(frame), stack.predict(frame))
    np.testing.assert_array_equal(copy.explain(frame).values, before)


def test_it_is_cross_validated_inside_a_pipeline_above_chance() -> None:
    frame = table()
    steps = Pipeline([("as_is", FunctionTransformer()), ("stack", SurvivalStack())])
    steps.set_params(stack__folds=2, stack__bins=6)
    scores = cross_val_score(steps, frame, one_event(frame), cv=2, error_score="raise")
    assert (scores > 0.6).all()


def test_it_is_offered_by_the_package() -> None:
    assert prognosis.SurvivalStack is SurvivalStack


def test_a_higher_prediction_means_an_earlier_event(stack: SurvivalStack) -> None:
    frame = table(300, seed=8)
    y = one_event(frame, seed=9)
    assert stack.score(frame, y) > 0.65
    free = stack.predict_survival_function(frame, return_array=True, times=[300.0])[:, 0]
    assert np.corrcoef(stack.predict(frame), free)[0, 1] < -0.9


def test_contributions_of_the_columns_add_up_to_the_log_hazard(stack: SurvivalStack) -> None:
    frame = table(60, seed=4)
    why = stack.explain(frame)
    assert why.values.shape == (60, 4)
    assert list(why.feature_names) == ["size", "treated", "grade", "site"]
    assert np.abs(why.base_values + why.values.sum(axis=1) - stack.predict(frame)).max() < 1e-6
    importance = np.abs(why.values).mean(axis=0)
    assert importance[3] < importance[:3].min()  # the site is noise


def test_each_cause_is_explained_apart(competing: SurvivalStack) -> None:
    frame = table(30, seed=4)
    for cause in (1, 2):
        why = competing.explain(frame, cause)
        told = why.base_values + why.values.sum(axis=1)
        assert np.abs(told - competing.predict(frame, cause)).max() < 1e-6


def test_curves_are_arrays_or_functions_of_the_same_values(stack: SurvivalStack) -> None:
    frame = table(20, seed=5)
    array = stack.predict_survival_function(frame, return_array=True)
    curves = stack.predict_survival_function(frame)
    assert array.shape == (20, len(stack.unique_times_))
    assert (np.diff(array, axis=1) <= 0).all()
    assert all(np.array_equal(curve.y, row) for curve, row in zip(curves, array, strict=True))
    assert np.array_equal(curves[0](stack.unique_times_), array[0])
    assert curves[0](0.0) == 1.0
    assert curves[0].domain == (0.0, stack.unique_times_[-1])
    with pytest.raises(InputError, match="lie outside the curve"):
        curves[0](1e6)


def test_causes_and_survival_sum_to_one(competing: SurvivalStack) -> None:
    frame, times = table(20, seed=5), np.array([10.0, 200.0, 600.0])
    incidence = competing.predict_cumulative_incidence(frame, times)
    free = competing.predict_survival_function(frame, return_array=True, times=times)
    assert incidence.shape == (20, 2, 3)
    assert np.allclose(incidence.sum(axis=1) + free, 1.0)
    assert competing.causes_ == ("cause_1", "cause_2")
    assert 0.5 < competing.score(table(200, seed=7), two_causes(table(200, seed=7), seed=8)) < 1.0


def test_free_of_any_event_is_no_longer_than_free_of_one_cause(competing: SurvivalStack) -> None:
    frame = table(50, seed=5)
    any_event = competing.predict_lower_bound(frame, 0.8)
    assert (any_event > 0).any()
    assert any_event.mean() <= competing.predict_lower_bound(frame, 0.8, cause=1).mean()
    assert (competing.predict_lower_bound(frame, 0.9) <= any_event).all()


def test_times_keep_the_unit_that_they_were_given_in(stack: SurvivalStack) -> None:
    frame, y = table(), one_event(table())
    in_years = SurvivalStack(**QUICK, days_per_unit=365.25)
    in_years.fit(frame, structured(y["event"], y["time"] / 365.25))
    assert np.allclose(in_years.predict(frame), stack.predict(frame), atol=1e-4)
    told, meant = in_years.predict_lower_bound(frame), stack.predict_lower_bound(frame)
    assert np.allclose(365.25 * told, meant, rtol=1e-3)
    days = stack.predict_survival_function(frame, return_array=True, times=[365.25])
    assert np.allclose(
        in_years.predict_survival_function(frame, return_array=True, times=[1.0]), days, atol=1e-4
    )


def test_a_category_never_seen_counts_as_not_measured(stack: SurvivalStack) -> None:
    frame = table(5, seed=5).assign(site="east", grade=["IV"] * 5)
    unknown = frame.assign(site=None, grade=pd.Series([None] * 5, dtype=object))
    assert np.array_equal(stack.predict(frame), stack.predict(unknown))


def test_the_order_of_the_columns_does_not_matter(stack: SurvivalStack) -> None:
    frame = table(10, seed=5)
    assert np.array_equal(stack.predict(frame), stack.predict(frame[frame.columns[::-1]]))
    assert stack.feature_names_in_.tolist() == list(frame.columns)


def test_an_array_and_every_form_of_outcome_give_the_same_model() -> None:
    frame, y = table(), one_event(table())
    values = frame[["size", "treated"]].astype(float).to_numpy()
    first = SurvivalStack(**QUICK).fit(values, y)
    assert not hasattr(first, "feature_names_in_")
    for form in (pd.DataFrame({"event": y["event"], "time": y["time"]}), (y["event"], y["time"])):
        assert np.array_equal(SurvivalStack(**QUICK).fit(values, form).predict(values), first.predict(values))


def test_a_row_with_every_cell_missing_gets_the_average_answer(stack: SurvivalStack) -> None:
    empty = table(3).assign(size=np.nan, treated=None, grade=None, site=None)
    assert np.isfinite(stack.predict(empty)).all()
    assert not stack.explain(empty).values.any()


def test_what_was_not_fitted_does_not_answer() -> None:
    with pytest.raises(NotFittedError):
        SurvivalStack().predict(table())
    with pytest.raises(NotFittedError):
        SurvivalStack().predict_lower_bound(table())


@pytest.mark.parametrize(
    ("stated", "error"),
    [
        ({"folds": 1}, ConfigError),
        ({"bins": 0}, ConfigError),
        ({"days_per_unit": 0.0}, InputError),
        ({"days_per_unit": "year"}, InputError),
        ({"random_state": -1}, ConfigError),
        ({"random_state": np.random.default_rng(0)}, ConfigError),
        ({"config": {"folds": 2}}, ConfigError),
    ],
)
def test_a_parameter_out_of_range_is_refused_at_the_fit(stated: dict[str, Any], error: type) -> None:
    with pytest.raises(error):
        SurvivalStack(**stated).fit(table(), one_event(table()))


def test_times_beyond_the_follow_up_and_unknown_causes_are_refused(stack: SurvivalStack) -> None:
    with pytest.raises(InputError, match="beyond the follow-up"):
        stack.predict_cumulative_incidence(table(3), [5000.0])
    with pytest.raises(InputError, match="was not in the fit"):
        stack.predict(table(3), cause=2)
    with pytest.raises(InputError, match="was not in the fit"):
        stack.predict_lower_bound(table(3), cause=2)


def test_a_curve_needs_times_that_increase_and_one_time_is_enough(stack: SurvivalStack) -> None:
    (curve,) = stack.predict_survival_function(table(1), times=300.0)
    array = stack.predict_survival_function(table(1), return_array=True, times=[400.0, 300.0])
    assert curve(300.0) == array[0, 1]
    for times in ([400.0, 300.0], [], [[300.0]], ["soon"]):
        with pytest.raises(InputError, match="times: "):
            stack.predict_survival_function(table(1), times=times)
