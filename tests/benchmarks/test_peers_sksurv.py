"""scikit-survival's peers; skipped where it is not installed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers_sksurv import PEERS, on_quantiles
from prognosis.errors import MissingDependencyError
from prognosis.evaluation.peer_registry import peer_fits
from prognosis.survival.concordance import harrell_c
from tests.evaluation.cohorts import cohort, markers, target

FILE = Path(__file__).parents[2] / "benchmarks" / "peers_sksurv.py"
DAYS = np.array([1.0, 50.0, 200.0, 400.0])


@pytest.mark.parametrize("name", sorted(PEERS))
def test_incidences_rise_sum_to_at_most_one_and_rank_unseen_patients(name: str) -> None:
    pytest.importorskip("sksurv", reason="scikit-survival (GPL) comes with the extra `oracles`")
    known, unseen = cohort(150, ("relapse", "death"), seed=1), cohort(150, ("relapse", "death"), seed=7)
    found = peer_fits(1, [FILE])[name](known).cumulative_incidence(unseen.cases, DAYS)
    assert found.shape == (150, 2, 4)
    assert (np.diff(found, axis=2) >= -1e-12).all()
    assert (found >= 0).all()
    assert (found.sum(axis=1) <= 1.0 + 1e-9).all()
    labels = target(unseen)
    truth = harrell_c(labels.days, labels.cause, markers(unseen)).value
    assert harrell_c(labels.days, labels.cause, found[:, 0, 2]).value > truth - 0.07


def test_without_scikit_survival_each_peer_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sksurv", None)  # as Python marks a module that cannot be imported
    for name in ("sksurv.ensemble", "sksurv.linear_model"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    days = np.arange(1.0, 21.0)
    for fit in PEERS.values():
        with pytest.raises(MissingDependencyError, match=r"pip install 'prognosis\[oracles\]'"):
            fit(days[:, None], days, days > 0, np.arange(20) % 5, seed=1)


def test_follow_up_on_quantiles_is_never_moved_back_nor_past_the_next_one() -> None:
    rng = np.random.default_rng(0)
    days, event = rng.exponential(100.0, 500), rng.random(500) < 0.6
    found = on_quantiles(days, event, 20)
    assert len(np.unique(found[event])) <= 20
    assert (found >= days).all()
    grid = np.unique(found[event])
    inside = days <= grid[-1]
    np.testing.assert_array_equal(found[inside], grid[np.searchsorted(grid, days[inside])])
    np.testing.assert_array_equal(found[~inside], days[~inside])


def test_few_event_times_are_left_as_they_are() -> None:
    days = np.array([1.0, 2.0, 2.0, 5.0])
    np.testing.assert_array_equal(on_quantiles(days, days > 1, 20), days)
