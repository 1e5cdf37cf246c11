"""Predicted values judged beside the last value alone, with intervals over patients."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

import prognosis
from prognosis.cohort import Case, Cohort
from prognosis.errors import CohortError
from prognosis.evaluation.judging import evaluate_folds_of, held_out_fold
from prognosis.evaluation.measured import (
    CARRIED_FORWARD,
    OTHER_UNIT,
    REGRESSION,
    Forecast,
    prepare_measured,
    without_other_units,
)
from prognosis.evaluation.results import EvaluationResult
from prognosis.fusion import train_model
from prognosis.fusion.measured import last_values
from tests.measured import CONFIG, NOISE, OTHER, WORDS, measured_task, planted


@pytest.fixture(scope="module")
def judged() -> tuple[EvaluationResult, Cohort]:
    new = planted(300, seed=9)
    model = train_model(planted(240).cohort(), CONFIG)
    return evaluate_folds_of([held_out_fold(model, new.cohort())], 0, 200).result, new.cohort()


def test_the_model_errs_less_than_the_last_value_by_what_is_known_besides(
    judged: tuple[EvaluationResult, Cohort],
) -> None:
    result, _ = judged
    rmse = {name: found.metrics["rmse"].value for name, found in result.members.items()}
    beside_last = np.sqrt(NOISE**2 + OTHER**2 + (WORDS / 2.0) ** 2)
    assert rmse[REGRESSION] == pytest.approx(beside_last, rel=0.1)
    assert rmse[CARRIED_FORWARD] > rmse[REGRESSION]
    assert result.result.metrics["rmse"].high < rmse[REGRESSION]
    gains = {(each.b, each.metric): each.difference for each in result.comparisons}
    for name in (CARRIED_FORWARD, REGRESSION, "text only"):
        for metric in ("mae", "rmse", "crps"):
            assert gains[name, metric].high < 0.0
        assert gains[name, "r2"].low > 0.0


def test_the_last_value_is_carried_forward_as_it_is(judged: tuple[EvaluationResult, Cohort]) -> None:
    result, cohort = judged
    outcome = cohort.task.measurement
    assert outcome is not None
    last = last_values(outcome, cohort)
    values = np.array([case.label.value for case in cohort.cases])  # type: ignore[union-attr]
    found = result.members[CARRIED_FORWARD].metrics
    assert found["mae"].value == pytest.approx(np.abs(values - last).mean())
    assert found["crps"].value == found["mae"].value
    assert found["mean_error"].value == pytest.approx((last - values).mean())


def test_an_evaluation_says_who_was_judged_and_how_well_intervals_hold(
    judged: tuple[EvaluationResult, Cohort],
) -> None:
    result, _ = judged
    assert (result.n, result.patients, dict(result.events)) == (300, 300, {"quantity": 300})
    metrics = result.result.metrics
    assert metrics["calibration_slope"].low < 1.0 < metrics["calibration_slope"].high
    assert abs(metrics["coverage@0.8"].value - 0.8) < 0.1
    assert metrics["width@0.8"].value < metrics["width@0.95"].value
    levels = {each.level: each.n for each in result.subgroups if each.name == "modalities"}
    assert levels == {"clinical": 100, "clinical and text": 200}
    assert result.to_json()["n"] == 300


def test_without_an_earlier_value_the_last_value_gives_the_training_mean() -> None:
    model = train_model(planted(120).cohort(), CONFIG)
    known = planted(60, seed=3)
    cohort = known.cohort()
    emptied = Cohort(cohort.task, tuple(without_last(case) for case in cohort.cases))
    found = evaluate_folds_of([held_out_fold(model, emptied)], 0, 20).result.members[CARRIED_FORWARD]
    assert model.measured is not None
    expected = np.abs(known.value - model.measured.last.mean).mean()
    assert found.metrics["mae"].value == pytest.approx(expected)


def test_a_case_whose_last_value_is_in_a_unit_of_which_no_factor_is_known_is_left_out_and_counted() -> None:
    model = train_model(planted(60).cohort(), CONFIG)
    mixed = Cohort(
        measured_task(),
        tuple(
            in_unit_of_old(case) if row < 2 else case
            for row, case in enumerate(planted(30, 3).cohort().cases)
        ),
        Counter({"no index event": 4}),
    )
    kept = without_other_units(mixed)
    assert kept.cases == mixed.cases[2:]
    assert kept.exclusions == {"no index event": 4, OTHER_UNIT: 2}
    assert mixed.exclusions == {"no index event": 4}
    found, alone = (prognosis.evaluate(model, cohort, seed=1) for cohort in (mixed, kept))
    assert found.n == 28
    assert found.to_json()["exclusions"] == {"no index event": 4, OTHER_UNIT: 2}
    assert found.result.metrics == alone.result.metrics
    with pytest.raises(CohortError, match="of all 2 cases"):
        without_other_units(mixed.take([0, 1]))


def in_unit_of_old(case: Case) -> Case:
    events = tuple(
        replace(event, unit="grain") if str(event.code) == "lab|x" else event for event in case.record.events
    )
    return replace(case, record=replace(case.record, events=events))


def without_last(case: Case) -> Case:
    events = tuple(event for event in case.record.events if str(event.code) != "lab|x")
    return replace(case, record=replace(case.record, events=events))


def test_the_metrics_of_a_logarithm_are_ratios_and_the_error_in_the_unit_beside() -> None:
    outcome = measured_task(scale="log").measurement
    assert outcome is not None
    rng = np.random.default_rng(0)
    mean = rng.normal(size=50)
    values = mean + 0.3 * rng.normal(size=50)
    half = norm.ppf(0.9) * 0.3
    forecast = Forecast(mean, np.full(50, 0.3), {0.8: np.column_stack([mean - half, mean + half])})
    found = prepare_measured(outcome, values, forecast, np.arange(50).astype(str)).bootstrap(50, 0).metrics
    assert found["mae"].value == pytest.approx(np.abs(values - mean).mean())
    assert found["mae_in_unit"].value == pytest.approx(np.abs(np.exp(values) - np.exp(mean)).mean())
    assert found["width@0.8"].value == pytest.approx(2.0 * half)
    assert 0.6 < found["coverage@0.8"].value < 0.95
