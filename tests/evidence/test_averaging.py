"""The average of models is trusted as far as its errors cancel, and no further."""

from __future__ import annotations

import numpy as np

from prognosis.evidence.averaging import averaging_gain

CASES, FOLDS = 6000, 3


def _fold_of_case() -> np.ndarray:
    return np.arange(CASES) % FOLDS


def test_models_that_say_the_same_are_worth_no_more_together() -> None:
    said = np.random.default_rng(0).normal(size=(1, CASES, 2)).repeat(FOLDS, axis=0)
    np.testing.assert_allclose(averaging_gain(said, _fold_of_case(), np.ones(CASES, dtype=bool)), 1.0)


def test_models_that_share_nothing_are_worth_as_many_as_they_are() -> None:
    said = np.random.default_rng(0).normal(size=(FOLDS, CASES, 1))
    gain = averaging_gain(said, _fold_of_case(), np.ones(CASES, dtype=bool))
    np.testing.assert_allclose(gain, FOLDS, rtol=0.08)


def test_the_scaled_average_has_the_slope_that_single_models_had_on_cases_unseen() -> None:
    """What a model took from the outcomes of the cases that it saw moves nothing."""
    rng = np.random.default_rng(1)
    features = rng.normal(size=(CASES, 40))
    truth = features[:, :4].sum(axis=1) / 2.0
    outcome = truth + rng.normal(size=CASES) * 6.0
    fold, weights = _fold_of_case(), []
    for own in range(FOLDS):
        kept = np.flatnonzero(fold != own)[::12]
        penalised = features[kept].T @ features[kept] + 100.0 * np.eye(40)
        weights.append(np.linalg.solve(penalised, features[kept].T @ outcome[kept]))
    gain = averaging_gain(
        np.stack([(features @ own)[:, None] for own in weights]), fold, np.ones(CASES, dtype=bool)
    )
    new = rng.normal(size=(40_000, 40))
    actual = new[:, :4].sum(axis=1) / 2.0

    def slope(evidence: np.ndarray) -> float:
        return float(np.cov(evidence, actual)[0, 1] / evidence.var())

    one = np.mean([slope(new @ own) for own in weights])
    together = new @ np.mean(weights, axis=0)
    assert slope(together) > 1.3 * one
    assert abs(slope(gain[0] * together) / one - 1.0) < 0.1


def test_cases_without_the_modality_do_not_count() -> None:
    said = np.random.default_rng(0).normal(size=(FOLDS, CASES, 1))
    present = np.arange(CASES) % 2 == 0
    filled = np.where(present[:, None], said, 0.0)
    fold = _fold_of_case()
    np.testing.assert_array_equal(
        averaging_gain(filled, fold, present),
        averaging_gain(said[:, present], fold[present], present[present]),
    )


def test_one_fold_or_silence_is_left_as_it_is() -> None:
    fold, present = _fold_of_case(), np.ones(CASES, dtype=bool)
    assert averaging_gain(np.zeros((FOLDS, CASES, 2)), fold, present).tolist() == [1.0, 1.0]
    assert averaging_gain(np.ones((1, CASES, 1)), fold * 0, present).tolist() == [1.0]
