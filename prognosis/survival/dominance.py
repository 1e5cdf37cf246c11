"""Weighted counts of "who comes earlier in this order with a lower risk", for many weightings at once.

Every concordance is a sum of such counts. The structure is a merge-sort tree: at level l the order is cut
into blocks of 2**l and each block is sorted by risk, so the answer for the first P people is one look-up
for each bit set in P. It is built once, O(n log n), and then reused for every bootstrap replicate with
cumulative sums only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.survival.curves import Floats

Rows = NDArray[np.int64]

_TIED = 1e-9


@dataclass(frozen=True, slots=True)
class _Level:
    order: Rows
    query: Rows
    start: Rows
    below: Rows
    upto: Rows


@dataclass(frozen=True, slots=True)
class DominanceCounts:
    """(R, Q) weight among the first P people with a lower risk, an equal risk, and in all."""

    lower: Floats
    equal: Floats
    total: Floats


@dataclass(frozen=True, slots=True)
class DominancePlan:
    """A prepared set of Q questions about n people; see the module."""

    order: Rows
    prefix: Rows
    levels: tuple[_Level, ...]

    def count(self, weights: Floats) -> DominanceCounts:
        """Answer all questions for each weighting.

        Args:
            weights: (R, n) the weight of each person, in their original order.
        """
        ordered = weights[:, self.order]
        shape = (len(weights), len(self.prefix))
        lower, equal = np.zeros(shape), np.zeros(shape)
        for level in self.levels:
            running = _running(ordered[:, level.order])
            below = running[:, level.below]
            lower[:, level.query] += below - running[:, level.start]
            equal[:, level.query] += running[:, level.upto] - below
        return DominanceCounts(lower, equal, _running(ordered)[:, self.prefix])


def _running(weights: Floats) -> Floats:
    sums = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums


def risk_ranks(risk: Floats) -> Floats:
    """(n,) ranks 0, 1, ...; risks closer than a billionth of their range are tied.

    Two people with the same features get risks that differ in the last bit when a sum is taken in another
    order; without this, whether they are tied would depend on the machine.
    """
    order = np.argsort(risk, kind="stable")
    gaps = np.diff(risk[order])
    apart = gaps > _TIED * (risk[order[-1]] - risk[order[0]]) if len(risk) else gaps > 0
    ranks = np.empty(len(risk), dtype=np.float64)
    ranks[order] = np.concatenate([[0.0], np.cumsum(apart)])[: len(risk)]
    return ranks


def plan_dominance(order: Rows, prefix: Rows, risk: Floats, asked_risk: Floats) -> DominancePlan:
    """Prepare the questions.

    Args:
        order: (n,) the rows of the people, in the order that prefixes refer to.
        prefix: (Q,) each question is about the first `prefix` people of `order`.
        risk: (n,) the risk of each person, by row.
        asked_risk: (Q,) the risk that each question compares with.
    """
    distinct = np.unique(risk)
    rank = np.searchsorted(distinct, risk[order])
    asked_low = np.searchsorted(distinct, asked_risk, side="left")
    asked_high = np.searchsorted(distinct, asked_risk, side="right")
    stride = len(distinct) + 1
    position = np.arange(len(order))
    levels = []
    for bit in range(len(order).bit_length()):
        query = np.flatnonzero((prefix >> bit) & 1)
        if not len(query):
            continue
        block = (prefix[query] >> bit) - 1
        key = (position >> bit) * stride + rank
        by_key = np.argsort(key, kind="stable")
        sorted_key = key[by_key]
        levels.append(
            _Level(
                order=by_key,
                query=query,
                start=block << bit,
                below=np.searchsorted(sorted_key, block * stride + asked_low[query]),
                upto=np.searchsorted(sorted_key, block * stride + asked_high[query]),
            )
        )
    return DominancePlan(order, prefix, tuple(levels))
