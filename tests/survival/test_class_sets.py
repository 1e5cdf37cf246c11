"""Sets of classes hold the true one as often as they say, within every class."""

from __future__ import annotations

import numpy as np
import pytest

from prognosis.errors import InputError
from prognosis.survival.class_sets import fit_class_sets


def drawn(cases: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of three classes, too sure of themselves, and the truth; the third class is rare."""
    rng = np.random.default_rng(seed)
    log_odds = rng.normal([0.5, 0.0, -2.0], 1.2, (cases, 3))
    truth = (log_odds + rng.gumbel(size=(cases, 3))).argmax(axis=1)
    odds = np.exp(2.0 * log_odds)
    return odds / odds.sum(axis=1, keepdims=True), truth


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
def test_each_class_is_in_its_patients_sets_as_often_as_the_level_says(level: float) -> None:
    probability, truth = drawn(6000, 0)
    sets = fit_class_sets(probability, truth, np.arange(6000).astype(str))
    fresh, answer = drawn(20000, 1)
    holds = sets.holds(fresh, level)[np.arange(20000), answer]
    for number in range(3):
        assert holds[answer == number].mean() == pytest.approx(level, abs=0.03)


def test_the_quantile_is_the_rank_of_split_conformal_prediction() -> None:
    score = np.arange(19) / 100.0
    probability = np.column_stack([1.0 - score, score])
    truth, patients = np.zeros(19, dtype=np.int64), np.arange(19).astype(str)
    sets = fit_class_sets(probability, truth, patients, (0.9, 0.95))
    assert sets.largest_score[0, 0] == pytest.approx(score[17])  # the 18th of 19: ceil(0.9 x 20)
    assert sets.largest_score[1, 0] == pytest.approx(score[18])


def test_a_class_with_too_few_patients_is_never_left_out() -> None:
    probability, truth = drawn(300, 2)
    few = np.where(truth == 2, 0, truth)
    few[:3] = 2
    sets = fit_class_sets(probability, few, np.arange(300).astype(str))
    assert sets.holds(probability, 0.95)[:, 2].all()


def test_a_patient_with_many_cases_counts_once() -> None:
    score = np.concatenate([np.full(1000, 0.9), np.linspace(0.0, 0.5, 99)])
    probability = np.column_stack([1.0 - score, score])
    patients = np.array(["many"] * 1000 + [f"p{number}" for number in range(99)])
    sets = fit_class_sets(probability, np.zeros(1099, dtype=np.int64), patients, (0.9,))
    assert sets.largest_score[0, 0] < 0.5


def test_a_level_that_was_not_calibrated_is_refused() -> None:
    probability, truth = drawn(100, 3)
    with pytest.raises(InputError, match="no calibrated sets"):
        fit_class_sets(probability, truth, np.arange(100).astype(str)).holds(probability, 0.5)
