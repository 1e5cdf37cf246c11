from __future__ import annotations

import numpy as np

from prognosis.cohort import Target
from prognosis.cohort.target import ABSENT, ONE_BIN, PRESENT, UNKNOWN
from prognosis.evaluation.haim import embeddings, fit_haim
from prognosis.survival.concordance import harrell_c
from tests.fusion.synthetic import exponential_target, inputs_of

DAY = np.array([1.0])


def a_class(cause: np.ndarray, names: tuple[str, ...]) -> Target:
    return Target(names, cause.astype(np.int64), np.full(len(cause), 0.5), ONE_BIN, survival=False)


def test_an_embedding_is_every_vector_and_a_flag_for_what_is_absent() -> None:
    inputs = inputs_of(50)
    embedded = embeddings(inputs)
    assert embedded.shape == (50, 2 + 3 + 2 + 3)
    np.testing.assert_array_equal(embedded[:, -3:], ~inputs.present)
    assert (embedded[~inputs.present[:, 1], 2:5] == 0.0).all()


def test_trees_on_embeddings_find_an_interaction_between_modalities_in_a_time_to_event() -> None:
    inputs = inputs_of(1500, causes=1)
    log_rate = 2.0 * np.sign(inputs.vectors[0][:, 0] * inputs.vectors[1][:, 0])
    target = exponential_target(log_rate)
    seen = np.arange(1500) < 1000
    haim = fit_haim(inputs.take(seen), target.take(seen), np.arange(1000) % 3, seed=0)
    unseen, days = inputs.take(~seen), np.array([100.0, 365.0, 700.0])
    incidence = haim.incidence(embeddings(unseen), days)
    assert incidence.shape == (500, 1, 3)
    assert (np.diff(incidence, axis=2) >= 0.0).all()
    judged = target.take(~seen)
    assert harrell_c(judged.days, judged.cause, incidence[:, 0, 1]).value > 0.75


def test_the_probabilities_of_classes_move_by_the_stated_log_odds() -> None:
    inputs = inputs_of(300, causes=2)
    cause = np.digitize(inputs.vectors[0][:, 0], [-0.5, 0.5])
    target, folds = a_class(cause, ("a", "b")), np.arange(300) % 3
    plain = fit_haim(inputs, target, folds, seed=0).incidence(embeddings(inputs), DAY)[:, :, 0]
    shift = np.array([1.0, -2.0])
    moved = fit_haim(inputs, target, folds, 0, shift).incidence(embeddings(inputs), DAY)[:, :, 0]

    def log_odds(chance: np.ndarray) -> np.ndarray:
        return np.asarray(np.log(chance / (1.0 - chance.sum(axis=1, keepdims=True))))

    np.testing.assert_allclose(log_odds(moved) - log_odds(plain), np.tile(shift, (300, 1)), atol=1e-5)


def test_a_finding_is_learnt_only_from_the_cases_in_which_it_is_known() -> None:
    inputs = inputs_of(300, causes=2)
    high = inputs.vectors[0][:, 0] > 0.0
    marks = np.where(np.column_stack([high, high]), PRESENT, ABSENT).astype(np.int8)
    hidden = np.random.default_rng(0).random(300) < 0.5
    marks[hidden, 1] = UNKNOWN

    def answers(label_of_hidden: int) -> np.ndarray:
        cause = np.where(hidden, label_of_hidden, high).astype(np.int64)
        target = Target(("a", "b"), cause, np.full(300, 0.5), ONE_BIN, False, marks)
        return fit_haim(inputs, target, np.arange(300) % 3, 0).incidence(embeddings(inputs), DAY)

    np.testing.assert_array_equal(answers(0), answers(1))
    chance = answers(0)[:, :, 0]
    assert (chance[high & inputs.present[:, 0]] > 0.5).mean() > 0.95
