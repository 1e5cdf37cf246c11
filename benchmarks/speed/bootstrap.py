"""1,000 bootstrap replicates of Harrell's C: ours with its interval, peers called once a resample.

Peers are run on the first few of the same resamples, and their seconds are scaled to 1,000: a replicate costs
as much as the next. Each value of theirs is compared with ours for that resample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.speed import concordance
from benchmarks.speed.follow_up import FollowUp, follow_up
from benchmarks.speed.timing import OURS, Comparison, in_turn, scaled
from prognosis.survival.bootstrap import clustered_bootstrap, replicate_values
from prognosis.survival.concordance import harrell_statistic
from prognosis.survival.statistic import Statistic, ratio_of

PACKAGES = concordance.PACKAGES
_SEED = 7
_PEERS = {
    "lifelines": concordance.lifelines,
    "scikit-survival": concordance.scikit_survival,
    "torchsurv": concordance.torchsurv,
}


def _statistic(people: FollowUp) -> Statistic:
    return ratio_of(harrell_statistic(people.days, people.cause, people.risk))


def _peer(
    people: FollowUp, prepare: Callable[[FollowUp], Callable[[], float]], replicates: int
) -> Callable[[], list[float]]:
    """One C a resample; people are drawn as ours are, so that the resamples are the same."""

    def run() -> list[float]:
        n = len(people.days)
        drawn = np.random.default_rng(_SEED).integers(0, n, size=(replicates, n))
        return [
            prepare(FollowUp(people.days[rows], people.cause[rows], people.risk[rows]))() for rows in drawn
        ]

    return run


def _compare(n: int, replicates: int, repeats: int, run: dict[str, int]) -> Comparison:
    people = follow_up(n)
    patients: NDArray[np.str_] = np.char.zfill(np.arange(n).astype(str), 7)  # in order, as peers draw them
    candidates = {
        OURS: lambda: clustered_bootstrap(_statistic(people), patients, replicates, _SEED),
        **{name: _peer(people, _PEERS[name], count) for name, count in run.items()},
    }
    timings, values = in_turn(candidates, {OURS: repeats, "lifelines": 2})
    most = max(run.values())
    mine = replicate_values(_statistic(people), patients, most, _SEED)
    for name, count in run.items():
        np.testing.assert_allclose(values[name], mine[:count], rtol=0, atol=1e-12, err_msg=name)
        timings[name] = scaled(timings[name], count / replicates)
    return Comparison(
        task=f"{replicates:,} bootstrap replicates of Harrell's C, {n:,} people",
        timings=timings,
        goals={"lifelines": 20.0},
        equality="the C of every resample that a peer was run on equals ours to 1e-12",
    )


def comparisons(*, quick: bool, threads: int) -> Iterator[Comparison]:
    """7,874 people as in SUPPORT-like cohorts, and 100,000."""
    torch.set_num_threads(threads)
    if quick:
        yield _compare(1_000, 100, 2, {"lifelines": 5, "scikit-survival": 5, "torchsurv": 1})
        return
    yield _compare(7_874, 1_000, 5, {"lifelines": 50, "scikit-survival": 10, "torchsurv": 1})
    yield _compare(100_000, 1_000, 2, {"lifelines": 5, "scikit-survival": 1})
