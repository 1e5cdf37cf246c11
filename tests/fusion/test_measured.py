"""A measurement on the trunk: fitted by least squares, explained in its unit, with errors that hold."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import factorial
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from prognosis.cohort import Case, Cohort, Target, cohort_target
from prognosis.cohort.target import ONE_BIN
from prognosis.errors import BundleError, ConfigError, InputError
from prognosis.evidence.clinical.boosting import TreeSettings
from prognosis.evidence.model_folder import write_json
from prognosis.explanation import explain_case
from prognosis.explanation.tokens import case_tokens
from prognosis.fusion import FusionModel, load_model, save_model, train_model
from prognosis.fusion.config import FusionConfig, TrainingConfig
from prognosis.fusion.fitting import fit_head
from prognosis.fusion.likelihood import average_log_odds, exposure_of, negative_log_likelihood
from prognosis.fusion.measured import beside_levels
from prognosis.fusion.measured_json import measured_json, read_measured
from prognosis.fusion.optimiser import EVIDENCE_PENALTY, minimise
from prognosis.fusion.recalibration import MASKED_WEIGHT, recalibrate
from prognosis.prediction import predict_cases
from tests.fusion.synthetic import inputs_of
from tests.measured import CONFIG, LAST, NOISE, OTHER, WORDS, Planted, planted


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return planted(240).cohort()


@pytest.fixture(scope="module")
def model(cohort: Cohort) -> FusionModel:
    return train_model(cohort, CONFIG)


@pytest.fixture(scope="module")
def new() -> Planted:
    return planted(600, seed=9)


def target_of(values: np.ndarray) -> Target:
    ones, days = np.ones(len(values), dtype=np.int64), np.full(len(values), 0.5)
    return Target(("x",), ones, days, ONE_BIN, survival=False, values=values)


def without_notes(case: Case) -> Case:
    return replace(case, record=replace(case.record, notes=()))


def test_the_likelihood_is_the_normal_one_up_to_a_constant_of_each_case() -> None:
    rng = np.random.default_rng(0)
    values, eta = rng.normal(size=50), rng.normal(size=(50, 1, 1))
    inputs = inputs_of(50, widths=(2,), causes=1)
    exposure = exposure_of(target_of(values), inputs)
    error = 1.0 / np.sqrt(exposure.at_risk[0, 0, 0])
    at_zero = negative_log_likelihood(np.zeros_like(eta), exposure)
    found = negative_log_likelihood(eta, exposure) - at_zero
    expected = norm.logpdf(values, 0.0, error) - norm.logpdf(values, eta[:, 0, 0], error)
    np.testing.assert_allclose(found, expected)
    design = np.column_stack([np.ones(50), inputs.evidence[0][:, 0, 0]])
    residual = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    assert error == pytest.approx(residual.std())
    assert average_log_odds(exposure)[0, 0] == pytest.approx(values.mean())


def test_the_weights_of_modalities_are_those_of_penalised_least_squares() -> None:
    inputs = inputs_of(400, widths=(2, 3), causes=1)
    sums = np.column_stack([each[:, 0, 0] for each in inputs.evidence])
    values = 0.3 + sums @ [0.8, 1.4] + np.random.default_rng(1).normal(size=400)
    exposure = exposure_of(target_of(values), inputs)
    head = minimise(inputs, exposure, np.ones(400)).head()
    precision = exposure.at_risk[0, 0, 0]
    design, toward = np.column_stack([np.ones(400), sums]), np.array([0.0, 1.0, 1.0])
    ridge = np.diag([0.0, 2.0 * EVIDENCE_PENALTY, 2.0 * EVIDENCE_PENALTY])
    solved = np.linalg.solve(
        precision * design.T @ design + ridge, precision * design.T @ values + ridge @ toward
    )
    np.testing.assert_allclose([head.alpha[0, 0], *head.beta[:, 0, 0]], solved, atol=1e-4)


def test_a_last_value_beyond_all_that_were_seen_is_gone_on_from(model: FusionModel) -> None:
    near = planted(1, seed=3).cohort().cases[0]
    (last,) = (each for each in near.record.events if str(each.code) == "lab|x")
    others = tuple(each for each in near.record.events if each is not last)
    far = replace(near, record=replace(near.record, events=(*others, replace(last, number=30.0))))
    told = [each.measured.value for each in predict_cases(model, [near, far]) if each.measured]
    assert last.number is not None
    assert (told[1] - told[0]) / (30.0 - last.number) == pytest.approx(LAST, abs=0.15)


def test_values_are_measured_from_the_mean_that_their_folds_models_learnt_from() -> None:
    rng = np.random.default_rng(4)
    folds, patients = np.arange(60) % 3, np.arange(60).astype(str)
    values = rng.normal(size=60)
    levelled = beside_levels(target_of(values), folds, patients).values
    means = [values[folds != fold].mean() for fold in folds]
    np.testing.assert_allclose(levelled, values - means)


def test_recalibration_levels_each_subset_of_modalities_with_the_cases_masked_to_it() -> None:
    inputs = inputs_of(1500, widths=(2, 3), causes=1)
    sums = np.sum([each[:, 0, 0] for each in inputs.evidence], axis=0)
    moved = np.where(inputs.present[:, 1], 0.0, 1.5)
    values = sums + moved + np.random.default_rng(2).normal(0.0, 0.5, 1500)
    exposure = exposure_of(target_of(values), inputs)
    plain = minimise(inputs, exposure, np.ones(1500)).head()
    head = recalibrate(plain, inputs, exposure, np.ones(1500))
    able = inputs.present[:, 0]
    only = inputs.keeping([True, False])
    weight = able * np.where(inputs.present[:, 1], MASKED_WEIGHT, 1.0)
    before, after = (weight @ (values - each.log_hazard(only)[:, 0, 0]) for each in (plain, head))
    assert abs(after) < 0.05 * abs(before)


@pytest.mark.parametrize(("planted_strength", "found"), [(0.0, False), (0.6, True)])
def test_an_interaction_of_values_is_found_where_there_is_one(planted_strength: float, found: bool) -> None:
    inputs = inputs_of(500, widths=(2, 2), causes=1)
    product_of = inputs.vectors[0][:, 0] * inputs.vectors[1][:, 1]
    sums = np.sum([each[:, 0, 0] for each in inputs.evidence], axis=0)
    values = sums + planted_strength * product_of + np.random.default_rng(3).normal(size=500)
    head = fit_head(inputs, exposure_of(target_of(values), inputs), FusionConfig()).head()
    assert bool(head.strengths.size) is found
    if found:
        matrix = head.interaction_matrix(0, 1)[0]
        assert matrix[0, 1] == pytest.approx(planted_strength, abs=0.25)
        assert np.abs(matrix).sum() - abs(matrix[0, 1]) < 0.3


def test_values_of_new_patients_are_explained_but_for_the_noise_and_what_no_note_says(
    model: FusionModel, new: Planted
) -> None:
    predictions = predict_cases(model, new.cohort().cases)
    value = np.array([each.measured.value for each in predictions if each.measured])
    error = np.array([each.measured.error for each in predictions if each.measured])
    known = np.arange(600) % 3 > 0
    squared = (value - new.value) ** 2
    unread = NOISE**2 + (WORDS / 2.0) ** 2
    assert np.sqrt(squared[known].mean()) == pytest.approx(NOISE, rel=0.12)
    assert np.sqrt(squared[~known].mean()) == pytest.approx(np.sqrt(unread), rel=0.12)
    np.testing.assert_allclose(error[known].mean(), NOISE, rtol=0.15)
    np.testing.assert_allclose(error[~known].mean(), np.sqrt(unread), rtol=0.15)


def test_intervals_hold_as_many_values_of_new_patients_as_they_say(model: FusionModel, new: Planted) -> None:
    predictions = predict_cases(model, new.cohort().cases)
    for place, level in enumerate((0.5, 0.8, 0.9, 0.95)):
        inside = []
        for prediction, value in zip(predictions, new.value, strict=True):
            assert prediction.measured is not None
            interval = prediction.measured.intervals[place]
            assert interval.level == level
            assert interval.low < prediction.measured.value < interval.high
            inside.append(interval.low <= value <= interval.high)
        assert abs(np.mean(inside) - level) < 0.1


def test_what_a_driver_adds_is_in_the_unit_and_sums_to_the_value(model: FusionModel, new: Planted) -> None:
    cases = new.cohort().cases
    for case in cases[:6]:
        (prediction,) = predict_cases(model, [case])
        explanation = explain_case(model, case)
        assert explanation.scale == "value"
        assert prediction.measured is not None
        assert explanation.base + explanation.values().sum() == pytest.approx(
            prediction.measured.value, abs=1e-9
        )
        assert explanation.max_additivity_error < 1e-9
    higher = explain_case(model, _with_last(cases[1], 14.0))
    lower = explain_case(model, _with_last(cases[1], 12.0))
    difference = {a.name: a.contribution for a in higher.attributions}["quantity"]
    difference -= {a.name: a.contribution for a in lower.attributions}["quantity"]
    assert difference == pytest.approx(2.0 * LAST, rel=0.1)
    with pytest.raises(InputError, match="predicts a value, no probability"):
        explain_case(model, cases[1], scale="probability")


def _with_last(case: Case, value: float) -> Case:
    events = tuple(
        replace(event, number=value) if str(event.code) == "lab|x" else event for event in case.record.events
    )
    return replace(case, record=replace(case.record, events=events))


def test_drivers_are_the_shapley_values_of_the_value_over_every_coalition(
    model: FusionModel, new: Planted
) -> None:
    known = case_tokens(model, new.cohort().cases[1])
    n = len(known.tokens)
    coalitions = np.array(list(product([0.0, 1.0], repeat=n))).T
    worth = known.game.log_hazard(*known.game.sums(coalitions))[0, 0]
    of = {tuple(column): value for column, value in zip(coalitions.T, worth, strict=True)}
    values = np.zeros(n)
    for members, value in of.items():
        size = int(sum(members))
        for player in range(n):
            if not members[player]:
                more = (*members[:player], 1.0, *members[player + 1 :])
                share = factorial(size) * factorial(n - size - 1) / factorial(n)
                values[player] += share * (of[more] - value)
    np.testing.assert_allclose(values, np.sum(known.game.shares(), axis=0)[:, 0], atol=1e-9)


def test_without_its_note_a_patient_s_value_is_less_sure_and_the_note_would_help_most(
    model: FusionModel, new: Planted
) -> None:
    case = new.cohort().cases[1]
    whole, lacking = predict_cases(model, [case, without_notes(case)])
    assert whole.measured is not None
    assert lacking.measured is not None
    assert lacking.measured.error > whole.measured.error
    assert (whole.helps_most, lacking.helps_most) == (None, "text")
    assert lacking.risks() == ()
    with pytest.raises(InputError, match=r"a value is predicted.*read `measured`"):
        lacking.at(365)


def test_a_logarithm_is_modelled_where_the_task_says_so() -> None:
    model = train_model(planted(150).cohort(scale="log"), CONFIG)
    case = planted(5, seed=2).cohort(scale="log").cases[1]
    (prediction,) = predict_cases(model, [case])
    explanation = explain_case(model, case)
    assert prediction.measured is not None
    assert explanation.scale == "log_value"
    assert prediction.measured.value == pytest.approx(np.exp(explanation.total))
    assert all(each.low > 0.0 for each in prediction.measured.intervals)


def test_a_model_folder_gives_the_same_values(model: FusionModel, new: Planted, tmp_path: Path) -> None:
    save_model(model, tmp_path / "model", "", {})
    again = load_model(tmp_path / "model")
    for one, other in zip(
        *(predict_cases(each, new.cohort().cases[:4]) for each in (model, again)), strict=True
    ):
        assert one.measured is not None
        assert other.measured is not None
        assert other.measured.value == pytest.approx(one.measured.value, abs=1e-9)
        assert other.measured.intervals == pytest.approx(one.measured.intervals)


def test_trees_learn_what_is_not_linear_and_add_up_in_the_unit() -> None:
    grown = replace(CONFIG.clinical, trees=TreeSettings(depths=(2,), rounds=60))
    config = CONFIG.model_copy(update={"clinical": grown, "modalities": ("clinical",)})
    known = planted(300, seed=5)
    bent = [
        replace(
            record,
            events=tuple(
                replace(event, number=4.0 * abs(_number(record.events, "t|o")) + 5.0)
                if str(event.code) == "lab|x" and event.time > record.events[0].time
                else event
                for event in record.events
            ),
        )
        for record in known.records
    ]
    cohort = replace(known, records=tuple(bent)).cohort()
    model = train_model(cohort.take(range(200)), config)
    judged = cohort.take(range(200, 300)).cases
    values = np.array([case.label.value for case in judged])  # type: ignore[union-attr]
    found = [each.measured.value for each in predict_cases(model, judged) if each.measured]
    assert ((values - found) ** 2).mean() < 0.35 * values.var()
    explanation = explain_case(model, judged[0])
    assert explanation.base + explanation.values().sum() == pytest.approx(found[0], abs=1e-9)


def _number(events: tuple, code: str) -> float:
    return next(event.number for event in events if str(event.code) == code)


def test_end_to_end_training_is_refused_for_a_measurement(cohort: Cohort) -> None:
    config = CONFIG.model_copy(update={"training": TrainingConfig(way="end_to_end")})
    with pytest.raises(ConfigError, match="no measurement"):
        train_model(cohort, config)


def test_the_last_value_alone_is_learnt_beside_the_model(cohort: Cohort, model: FusionModel) -> None:
    assert model.measured is not None
    last = model.measured.last
    target = cohort_target(cohort)
    assert last.mean == pytest.approx(target.centre)
    assert last.slope == pytest.approx(LAST, abs=0.1)
    assert last.error == pytest.approx(np.sqrt(NOISE**2 + OTHER**2 + (WORDS / 2.0) ** 2), rel=0.1)


def test_a_model_folder_with_an_error_that_does_not_fit_is_refused(
    model: FusionModel, tmp_path: Path
) -> None:
    assert model.measured is not None
    write_json(tmp_path / "measured.json", measured_json(model.measured))
    assert read_measured(tmp_path / "measured.json", 2) is not None
    with pytest.raises(BundleError, match="error does not fit the head"):
        read_measured(tmp_path / "measured.json", 3)
