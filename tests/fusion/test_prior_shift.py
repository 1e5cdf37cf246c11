"""A model trained on cases collected by class answers for patients as they come."""

from __future__ import annotations

import numpy as np
import pytest

from prognosis.cohort import Cohort, Task, build_cohort, cohort_target
from prognosis.errors import TaskError
from prognosis.explanation import explain_case
from prognosis.fusion import FusionModel, train_model
from tests.findings import CONFIG, class_task, planted

DAYS = np.array([1.0])


def stating(present: float) -> Task:
    stated = class_task("effusion").model_dump(mode="json")
    stated["outcome"]["prevalence"] = {"none": 1.0 - present, "effusion": present}
    return Task.from_statement(stated, "a test")


def collected(task: Task) -> Cohort:
    """Of 800 patients all with the class and a tenth of those without."""
    cohort = build_cohort(task, planted(800, unknown=(0.0, 0.0, 0.0)).records)
    happened = cohort_target(cohort).cause > 0
    return cohort.take(np.flatnonzero(happened | (np.arange(len(cohort)) % 10 == 0)))


def log_odds(model: FusionModel, cohort: Cohort) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    probability = model.cumulative_incidence(cohort.cases, DAYS)[:, 0, 0]
    return np.asarray(np.log(probability) - np.log1p(-probability))


def test_a_stated_prevalence_moves_all_log_odds_by_the_ratio_of_the_odds() -> None:
    task = class_task("effusion")
    plain, moved = train_model(collected(task), CONFIG), train_model(collected(stating(0.4)), CONFIG)
    share = (cohort_target(collected(task)).cause > 0).mean()
    gain = np.log(0.4 / 0.6) - np.log(share / (1.0 - share))
    assert gain < -1.0
    asked = build_cohort(task, planted(50, seed=5).records)
    np.testing.assert_allclose(log_odds(moved, asked), log_odds(plain, asked) + gain, atol=1e-9)
    np.testing.assert_allclose(moved.replicates.alpha, plain.replicates.alpha + gain, atol=1e-9)
    held = [model.class_sets(model.inputs(asked.cases), 0.9) for model in (plain, moved)]
    np.testing.assert_array_equal(*held)  # sets hold within each class, however common it is
    why = explain_case(moved, asked.cases[0])
    assert why.base + sum(each.contribution for each in why.attributions) == pytest.approx(
        log_odds(moved, asked)[0], abs=1e-9
    )


def test_patients_as_they_come_get_probabilities_that_are_right_on_average() -> None:
    new = build_cohort(class_task("effusion"), planted(1200, seed=9, unknown=(0.0, 0.0, 0.0)).records)
    truth = (cohort_target(new).cause > 0).mean()
    plain = train_model(collected(class_task("effusion")), CONFIG)
    moved = train_model(collected(stating(float(truth))), CONFIG)
    error = 3.0 * np.sqrt(truth * (1.0 - truth) / len(new))
    assert plain.cumulative_incidence(new.cases, DAYS).mean() > truth + 0.2
    assert abs(moved.cumulative_incidence(new.cases, DAYS).mean() - truth) < error


@pytest.mark.parametrize(
    ("prevalence", "problem"),
    [
        ({"effusion": 0.4}, "each of effusion, none"),
        ({"none": 0.4, "effusion": 0.4}, "sum to 1"),
        ({"none": 1.0, "effusion": 0.0}, "less than 1"),
    ],
)
def test_a_prevalence_that_is_none_is_refused(prevalence: dict[str, float], problem: str) -> None:
    stated = class_task("effusion").model_dump(mode="json")
    stated["outcome"]["prevalence"] = prevalence
    with pytest.raises(TaskError, match=problem):
        Task.from_statement(stated, "a test")
