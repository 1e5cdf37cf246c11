"""The bootstrap draws patients, is repeatable, and covers."""

from __future__ import annotations

import numpy as np
import pytest

from prognosis.errors import CohortError
from prognosis.survival import bootstrap
from prognosis.survival.bootstrap import cluster_weights, clustered_bootstrap, paired_difference
from prognosis.survival.statistic import WeightedMean, once, ratio_of, relative_gain

CLUSTERS = np.repeat([f"p{number}" for number in range(40)], 3)


def test_all_cases_of_a_patient_are_drawn_together() -> None:
    weights = cluster_weights(CLUSTERS, 50, seed=1)
    by_patient = weights.reshape(50, 40, 3)
    assert (by_patient == by_patient[:, :, :1]).all()
    assert (by_patient[:, :, 0].sum(axis=1) == 40).all()


def test_the_same_seed_gives_the_same_interval_and_another_does_not() -> None:
    statistic = ratio_of(WeightedMean(np.arange(120.0)))
    first = clustered_bootstrap(statistic, CLUSTERS, 100, seed=3)
    assert clustered_bootstrap(statistic, CLUSTERS, 100, seed=3) == first
    assert clustered_bootstrap(statistic, CLUSTERS, 100, seed=4) != first


def test_repeated_measures_of_a_patient_do_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(0)
    each = rng.normal(size=40)
    once_each = clustered_bootstrap(ratio_of(WeightedMean(each)), np.unique(CLUSTERS), 500, seed=2)
    thrice = clustered_bootstrap(ratio_of(WeightedMean(np.repeat(each, 3))), np.sort(CLUSTERS), 500, seed=2)
    assert thrice.high - thrice.low == pytest.approx(once_each.high - once_each.low, rel=1e-9)


def test_the_interval_of_a_mean_covers_it_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(9)
    names = np.array([f"p{number}" for number in range(60)])
    covered = 0
    for trial in range(200):
        found = clustered_bootstrap(ratio_of(WeightedMean(rng.normal(size=60))), names, 200, seed=trial)
        covered += found.low <= 0.0 <= found.high
    assert 0.88 <= covered / 200 <= 0.99


def test_a_difference_of_a_statistic_with_itself_is_exactly_zero() -> None:
    statistic = ratio_of(WeightedMean(np.random.default_rng(1).normal(size=120)))
    difference = paired_difference(statistic, statistic, CLUSTERS, 50, seed=0)
    assert (difference.value, difference.low, difference.high) == (0.0, 0.0, 0.0)


def test_pairing_makes_the_interval_of_a_constant_shift_collapse() -> None:
    values = np.random.default_rng(1).normal(size=120)
    shifted, plain = ratio_of(WeightedMean(values + 0.5)), ratio_of(WeightedMean(values))
    difference = paired_difference(shifted, plain, CLUSTERS, 50, seed=0)
    assert difference.low == pytest.approx(0.5)
    assert difference.high == pytest.approx(0.5)


def test_a_statistic_that_most_resamples_lack_is_refused() -> None:
    rare = np.zeros(120)
    rare[:3] = 1.0

    def among_rare(weights: np.ndarray) -> np.ndarray:
        chosen = weights @ rare
        return np.where(chosen > 0, 1.0, np.nan)

    with pytest.raises(CohortError, match="resamples"):
        clustered_bootstrap(among_rare, CLUSTERS, 200, seed=0)


def test_a_statistic_that_the_sample_lacks_is_refused() -> None:
    with pytest.raises(CohortError, match="not defined"):
        clustered_bootstrap(lambda weights: np.full(len(weights), np.nan), CLUSTERS, 20, seed=0)


def test_the_gain_over_a_reference_is_the_share_of_its_error_removed() -> None:
    gain = relative_gain(WeightedMean(np.full(5, 0.15)), WeightedMean(np.full(5, 0.2)))
    assert gain(once(5))[0] == pytest.approx(0.25)


@pytest.mark.parametrize("threads", ["1", "3"])
def test_replicates_are_the_same_however_they_are_split_into_chunks_and_threads(
    monkeypatch: pytest.MonkeyPatch, threads: str
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    monkeypatch.setattr(bootstrap, "_CHUNK_ELEMENTS", 7 * len(CLUSTERS))
    squares = np.arange(120.0) ** 2
    found = bootstrap.replicate_values(lambda weights: (weights * squares).sum(axis=1), CLUSTERS, 50, seed=6)
    expected = (cluster_weights(CLUSTERS, 50, seed=6) * squares).sum(axis=1)
    np.testing.assert_array_equal(found, expected)
