"""The Brier score weighted by the inverse probability of censoring, at many times."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sksurv.metrics import brier_score
from sksurv.util import Surv

from benchmarks.speed.follow_up import Floats, follow_up
from benchmarks.speed.timing import OURS, Comparison, in_turn
from prognosis.survival.brier import brier_scores
from prognosis.survival.censoring import estimate_censoring

PACKAGES = ("scikit-survival",)


def _compare(n: int, times_asked: int) -> Comparison:
    people = follow_up(n)
    times = np.quantile(people.days[people.event], np.linspace(0.1, 0.9, times_asked))
    hazard = np.exp(people.risk / 2.0) / 700.0
    risk = 1.0 - np.exp(-hazard[:, None] * times)
    survival = 1.0 - risk
    outcome = Surv.from_arrays(people.event, people.days)

    def ours() -> Floats:
        censoring = estimate_censoring(people.days, people.event, left_limit=False)
        return brier_scores(people.days, people.cause, risk, times, censoring)

    run = {OURS: ours, "scikit-survival": lambda: brier_score(outcome, outcome, survival, times)[1]}
    timings, values = in_turn(run, {OURS: 15, "scikit-survival": 7})
    np.testing.assert_allclose(values["scikit-survival"], values[OURS], rtol=0, atol=1e-12)
    return Comparison(
        task=f"IPCW Brier score, {n:,} people x {times_asked} times, with the censoring estimate",
        timings=timings,
        goals={"scikit-survival": 2.0},
        equality="the score at every time equals ours to 1e-12, both with G(t) for an event at t",
    )


def comparisons(*, quick: bool, threads: int) -> Iterator[Comparison]:
    """100,000 people at 50 times, and 10,000 at 100."""
    for n, times_asked in [(2_000, 10)] if quick else [(100_000, 50), (10_000, 100)]:
        yield _compare(n, times_asked)
