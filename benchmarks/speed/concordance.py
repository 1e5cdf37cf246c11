"""Harrell's C of 100,000 people, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from lifelines.utils import concordance_index
from sksurv.metrics import concordance_index_censored
from torchsurv.metrics.cindex import ConcordanceIndex

from benchmarks.speed.follow_up import FollowUp, follow_up
from benchmarks.speed.timing import OURS, Comparison, in_turn
from prognosis.survival.concordance import harrell_c

PACKAGES = ("lifelines", "scikit-survival", "torchsurv", "torch")
_GOALS = {"lifelines": 25.0, "scikit-survival": 400.0}


def ours(people: FollowUp) -> Callable[[], float]:
    """Ours, from arrays to the value, sorting included."""
    return lambda: harrell_c(people.days, people.cause, people.risk).value


def lifelines(people: FollowUp) -> Callable[[], float]:
    """Lifelines asks for a predicted time, so the risk is negated beforehand."""
    event, predicted = people.event, -people.risk
    return lambda: float(concordance_index(people.days, predicted, event))


def scikit_survival(people: FollowUp) -> Callable[[], float]:
    """scikit-survival with its default tolerance for ties, 1e-8."""
    event = people.event
    return lambda: float(concordance_index_censored(event, people.days, people.risk)[0])


def torchsurv(people: FollowUp) -> Callable[[], float]:
    """Torchsurv in double precision, equal risks counting one half; it holds an n x n matrix."""
    event, days = torch.from_numpy(people.event), torch.from_numpy(people.days)
    risk = torch.from_numpy(people.risk)
    measure = ConcordanceIndex(tied_tol=1e-8)
    return lambda: float(measure(risk, event, days))


def comparisons(*, quick: bool, threads: int) -> Iterator[Comparison]:
    """100,000 people beside lifelines and scikit-survival; 10,000 beside torchsurv too."""
    torch.set_num_threads(threads)
    sizes = (2_000, 1_000) if quick else (100_000, 10_000)
    peers = {"lifelines": lifelines, "scikit-survival": scikit_survival}
    for size, others in zip(sizes, (peers, {**peers, "torchsurv": torchsurv}), strict=True):
        people = follow_up(size)
        run = {OURS: ours(people), **{name: prepare(people) for name, prepare in others.items()}}
        repeats = {OURS: 15, "lifelines": 7, "scikit-survival": 2, "torchsurv": 3}
        timings, values = in_turn(run, repeats)
        for name in others:
            np.testing.assert_allclose(values[name], values[OURS], rtol=0, atol=1e-12, err_msg=name)
        yield Comparison(
            task=f"Harrell's C, {size:,} people, {people.cause.mean():.0%} events",
            timings=timings,
            goals=_GOALS if size == 100_000 else {},
            equality="every C equals ours to 1e-12",
        )
