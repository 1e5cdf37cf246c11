"""Several findings on one trunk: separate questions, each with its own probability and explanation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from prognosis.cohort import Cohort, build_cohort, cohort_target
from prognosis.evidence.clinical.boosting import TreeSettings
from prognosis.explanation import explain_case
from prognosis.fusion import FusionModel, load_model, save_model, train_model
from prognosis.fusion.head import cause_hazards, cumulative_incidence
from prognosis.fusion.likelihood import exposure_of, negative_log_likelihood
from prognosis.prediction import predict_cases
from tests.findings import CONFIG, FINDINGS, class_task, planted

DAYS = np.array([1.0])


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return planted(150).cohort()


@pytest.fixture(scope="module")
def model(cohort: Cohort) -> FusionModel:
    return train_model(cohort, CONFIG)


def odds(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log(probability) - np.log1p(-probability)


def test_one_finding_is_the_same_model_as_a_class_with_two_values(cohort: Cohort) -> None:
    known = planted(120, seed=3)
    grown = replace(CONFIG.clinical, trees=TreeSettings(depths=(1,), rounds=20))
    config = CONFIG.model_copy(update={"clinical": grown})
    alone = train_model(known.cohort(("effusion",)), config)
    classes = build_cohort(class_task("effusion"), known.records)
    assert len(known.cohort(("effusion",))) == len(classes) < 120
    twin = train_model(classes, config)
    for one, other in zip(
        predict_cases(alone, cohort.cases[:8]), predict_cases(twin, cohort.cases[:8]), strict=True
    ):
        for mine, theirs in zip(one.risks(), other.risks(), strict=True):
            assert (mine.cause, mine.days) == (theirs.cause, theirs.days)
            same = pytest.approx((theirs.probability, theirs.low, theirs.high), abs=1e-9)
            assert (mine.probability, mine.low, mine.high) == same


def test_what_is_not_known_of_one_finding_adds_nothing_to_the_likelihood() -> None:
    target = cohort_target(planted(60).cohort())
    eta = np.random.default_rng(0).normal(size=(60, 3, 1))
    exposure = exposure_of(target)
    probability = 1.0 / (1.0 + np.exp(-eta[:, :, 0]))
    each = np.where(target.happened, -np.log(probability), -np.log1p(-probability))
    assert target.answered.any()
    assert not target.answered.all()
    expected = np.where(target.answered, each, 0.0).sum(axis=1)
    np.testing.assert_allclose(negative_log_likelihood(eta, exposure), expected)
    moved = np.where(target.answered[:, :, None], eta, 99.0)
    np.testing.assert_allclose(negative_log_likelihood(moved, exposure), expected)


def test_the_probabilities_of_findings_are_sigmoids_and_may_add_up_to_more_than_one() -> None:
    eta = np.array([[[2.0], [1.0], [-3.0]]])
    expected = 1.0 / (1.0 + np.exp(-eta))
    np.testing.assert_allclose(cause_hazards(eta, 3), expected)
    incidence = cumulative_incidence(eta, np.array([0.0, 1.0]), DAYS, 3)
    np.testing.assert_allclose(incidence, expected)
    assert incidence.sum() > 1.0
    assert cumulative_incidence(eta, np.array([0.0, 1.0]), DAYS).sum() < 1.0


def test_the_log_odds_of_each_finding_are_the_sum_of_its_parts(cohort: Cohort, model: FusionModel) -> None:
    incidence = model.cumulative_incidence(cohort.cases[:5], DAYS)[:, :, 0]
    for case, probability in zip(cohort.cases[:5], incidence, strict=True):
        for place, name in enumerate(FINDINGS):
            found = explain_case(model, case, name)
            assert found.scale == "log_odds"
            assert found.max_additivity_error < 1e-9
            whole = found.base + found.values().sum()
            assert whole == pytest.approx(odds(probability)[place], abs=1e-6)


def test_what_raises_one_finding_is_not_what_raises_another(cohort: Cohort, model: FusionModel) -> None:
    case = cohort.cases[1]
    strongest = {
        name: max(
            (a for a in explain_case(model, case, name).attributions if a.modality == "clinical"),
            key=lambda a: abs(a.contribution),
        ).name
        for name in ("oedema", "nodule")
    }
    assert strongest == {"oedema": "0", "nodule": "2"}


def test_a_saved_model_of_findings_predicts_the_same(
    cohort: Cohort, model: FusionModel, tmp_path: Path
) -> None:
    saved = save_model(model, tmp_path / "model", "# card\n", {})
    read = load_model(tmp_path / "model")
    assert read.task == model.task
    assert read.model_id == saved.model_id
    mine, theirs = (each.cumulative_incidence(cohort.cases[:9], DAYS) for each in (model, read))
    np.testing.assert_array_equal(mine, theirs)


def test_intervals_hold_each_probability_and_a_wide_one_abstains(cohort: Cohort, model: FusionModel) -> None:
    without_note = next(case for case in cohort.cases if not case.record.notes)
    prediction = predict_cases(model, [without_note])[0]
    assert [risk.cause for risk in prediction.risks()] == list(FINDINGS)
    assert all(0.0 <= risk.low <= risk.probability <= risk.high <= 1.0 for risk in prediction.risks())
    assert prediction.modalities_missing == {"text": "not in the record at the index"}
    assert not prediction.abstained
    strict = replace(model, task=model.task.model_copy(update={"widest_interval": 1e-4}))
    assert "wide, above the task's limit" in predict_cases(strict, [without_note])[0].abstained_because
