"""Where `prognosis evaluate` learns censoring from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from prognosis.cli.evaluate import unseen
from prognosis.cohort import Case, Cohort
from prognosis.evaluation.judging import evaluate_folds_of, held_out_fold
from prognosis.evaluation.results import EvaluationResult
from prognosis.fusion import FusionModel
from tests.fakes.additive_evidence import TASK, planted_cases, written_model

COUNT = 100


@pytest.fixture(scope="module")
def model() -> FusionModel:
    return written_model(count=COUNT)


def strangers() -> list[Case]:
    return [
        replace(case, record=replace(case.record, patient_id=f"new-{number}"))
        for number, case in enumerate(planted_cases(80, 1.5, seed=42))
    ]


def judged(model: FusionModel, cases: list[Case]) -> EvaluationResult:
    return evaluate_folds_of([unseen(Cohort(TASK, tuple(cases)), model)], 0, 20).result


def test_training_cases_among_the_sources_state_the_censoring_as_they_do_after_training(
    model: FusionModel,
) -> None:
    training, new = planted_cases(COUNT, 1.5, seed=0), strangers()
    at_training = held_out_fold(model, Cohort(TASK, tuple(new)), Cohort(TASK, tuple(training)))
    known = evaluate_folds_of([at_training], 0, 20).result
    found = judged(model, [*training, *new])
    assert found.protocol.censoring == "reverse Kaplan-Meier of the training cases, left limit at events"
    for name in ("ibs", "uno_c", "brier@100", "ipa@100"):
        assert found.result.metrics[name] == known.result.metrics[name], name


def test_without_all_training_cases_censoring_is_that_of_the_judged_and_said_to_be(
    model: FusionModel,
) -> None:
    new = strangers()
    alone = judged(model, new)
    some = judged(model, [*planted_cases(COUNT, 1.5, seed=0)[:50], *new])
    assert alone.protocol.censoring == some.protocol.censoring
    assert "of the judged cases" in alone.protocol.censoring
    assert np.isclose(alone.result.metrics["ibs"].value, some.result.metrics["ibs"].value)
