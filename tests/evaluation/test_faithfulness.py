"""Deletion, insertion and randomisation on models whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from prognosis.evaluation.faithfulness import (
    SHARES,
    advantage,
    perturbation_curves,
    randomisation,
    rank_correlation,
)

CELLS = (8, 8)


def weights(seed: int) -> np.ndarray:
    return np.repeat(np.repeat(np.random.default_rng(seed).normal(size=CELLS), 2, axis=0), 2, axis=1)


def test_an_order_by_the_true_weights_deletes_and_inserts_better_than_chance() -> None:
    ours, chance = [], []
    for seed in range(12):
        truth = weights(seed)

        def answer(images: np.ndarray, truth: np.ndarray = truth) -> np.ndarray:
            return (images * truth).sum(axis=(1, 2))

        image, blurred = np.ones((16, 16)), np.zeros((16, 16))
        best = np.argsort(-truth[::2, ::2], axis=None)
        order = np.random.default_rng(seed).permutation(64)
        ours.append(perturbation_curves(answer, image, blurred, best, CELLS))
        chance.append(perturbation_curves(answer, image, blurred, order, CELLS))
    patients = np.array([str(number) for number in range(12)])
    gained = advantage(ours, chance, "random", patients, replicates=200)
    assert gained.deletion.low > 0.0
    assert gained.insertion.low > 0.0
    itself = advantage(ours, ours, "itself", patients, replicates=50)
    assert itself.deletion.value == itself.insertion.value == 0.0


def test_curves_run_from_the_whole_image_to_the_blurred_one_and_back() -> None:
    seen = []

    def answer(images: np.ndarray) -> np.ndarray:
        seen.append(images.mean(axis=(1, 2)))
        return seen[-1]

    curves = perturbation_curves(answer, np.ones((16, 16)), np.zeros((16, 16)), np.arange(64), CELLS)
    deleted, inserted = np.split(seen[0], 2)
    assert (deleted[0], deleted[-1], inserted[0], inserted[-1]) == (1.0, 0.0, 0.0, 1.0)
    assert inserted == pytest.approx(SHARES, abs=0.5 / 64)
    assert curves.deletion + curves.insertion == pytest.approx(1.0)


def test_maps_that_ignore_the_weights_fail_the_randomisation_check_and_maps_that_follow_them_pass() -> None:
    random = np.random.default_rng(1)
    images, patients = random.normal(size=(30, 50)), np.array([str(number) for number in range(30)])
    learned = random.normal(size=50)
    drawn = random.normal(size=(6, 1, 50))
    edges = np.abs(images)  # shows the image whatever the model
    fails = randomisation(edges, {"all": np.stack([edges] * 6)}, patients, 100)[0]
    passes = randomisation(images * learned, {"all": images * drawn}, patients, 100)[0]
    assert fails.correlation.value == pytest.approx(1.0)
    assert not fails.changed
    assert passes.changed


def test_a_map_turned_upside_down_has_not_changed() -> None:
    maps = np.random.default_rng(2).normal(size=(10, 40))
    found = randomisation(maps, {"all": -maps[None]}, np.array([str(number) for number in range(10)]), 50)[0]
    assert found.correlation.value == pytest.approx(-1.0)
    assert not found.changed


def test_rank_correlation_is_spearmans_and_zero_of_a_constant() -> None:
    from scipy.stats import spearmanr

    random = np.random.default_rng(3)
    first, second = random.integers(0, 5, (4, 30)).astype(float), random.normal(size=(4, 30))
    expected = [spearmanr(a, b).statistic for a, b in zip(first, second, strict=True)]
    assert rank_correlation(first, second) == pytest.approx(expected)
    assert rank_correlation(np.ones((1, 30)), second[:1])[0] == 0.0
