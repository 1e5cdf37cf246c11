"""Weighted counts of pairs of people: one is asked about, one is already there, and their risks compare.

Every concordance is a sum of such counts. People come in the order of a day, and a Fenwick tree (1994) over
the ranks of their risks holds the weight that has come so far, so a weighting of n people costs O(n log n)
steps and no memory beyond 2n numbers. The order and the ranks are found once and serve every weighting: a
bootstrap replicate is another weighting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.compiled import compiled
from prognosis.survival.curves import Floats

Rows = NDArray[np.int64]

_TIED = 1e-9


@dataclass(frozen=True, slots=True)
class PairSums:
    """The weight of pairs, for each weighting.

    Attributes:
        lower: (R,) of pairs in which the one who was there has a lower risk than the one asked about.
        equal: (R,) of pairs with equal risks.
        total: (R,) of all pairs.
    """

    lower: Floats
    equal: Floats
    total: Floats


@dataclass(frozen=True, slots=True)
class PairPlan:
    """n people in the order of their days, and which pairs they form.

    A day has three steps: some people come, then people are asked about and meet everybody who is there,
    then others come, whom only later days' questions meet.

    Attributes:
        row: (n,) the row of each person among the weights.
        bounds: (D + 1,) the place at which each of D days begins, and n.
        rank: (n,) the rank of each person's risk, from 0.
        factor: (3, n) what a person's weight is multiplied by at each step; 0 for no part in it.
    """

    row: Rows
    bounds: Rows
    rank: Rows
    factor: Floats

    def sums(self, weights: Floats) -> PairSums:
        """Count the pairs, each with the product of its two weights.

        Args:
            weights: (R, n) the weight of each person, in their original order.
        """
        sums = np.zeros((3, len(weights)))
        _add_pairs(
            np.ascontiguousarray(weights, dtype=np.float64),
            self.row,
            self.bounds,
            self.rank,
            self.factor,
            sums,
        )
        return PairSums(*sums)


def plan_pairs(order: Rows, days: Floats, rank: Rows, factor: Floats) -> PairPlan:
    """Prepare the pairs.

    Args:
        order: (n,) rows, so that those of equal days are neighbours.
        days: (n,) the day of each row.
        rank: (n,) from `risk_ranks`, of each row.
        factor: (3, n) as in `PairPlan`, of each row.
    """
    ordered = days[order]
    starts = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    return PairPlan(
        order,
        np.concatenate([[0], starts, [len(order)]]),
        rank[order],
        np.ascontiguousarray(factor[:, order]),
    )


@compiled
def _add_pairs(weights: Floats, row: Rows, bounds: Rows, rank: Rows, factor: Floats, sums: Floats) -> None:
    """Add to (3, R) `sums` what `PairSums` holds; the other arguments as in `PairPlan`."""
    for replicate in range(len(weights)):
        tree = np.zeros(len(row) + 1)  # tree[k] holds the weight at the ranks k - (k & -k) to k - 1
        at_rank = np.zeros(len(row))
        there = lower = equal = total = 0.0
        for day in range(len(bounds) - 1):
            for step in range(3):
                for place in range(bounds[day], bounds[day + 1]):
                    weight = weights[replicate, row[place]] * factor[step, place]
                    if weight == 0.0:
                        continue
                    own = rank[place]
                    if step == 1:
                        node, below = own, 0.0
                        while node > 0:
                            below += tree[node]
                            node &= node - 1
                        lower += weight * below
                        equal += weight * at_rank[own]
                        total += weight * there
                    else:
                        there += weight
                        at_rank[own] += weight
                        node = own + 1
                        while node < len(tree):
                            tree[node] += weight
                            node += node & -node
        sums[0, replicate] += lower
        sums[1, replicate] += equal
        sums[2, replicate] += total


def risk_ranks(risk: Floats) -> Rows:
    """(n,) ranks 0, 1, ...; risks closer than a billionth of their range are tied.

    Two people with the same features get risks that differ in the last bit when a sum is taken in another
    order; without this, whether they are tied would depend on the machine.
    """
    order = np.argsort(risk)
    ordered = risk[order]
    gaps = np.diff(ordered)
    apart = gaps > _TIED * (ordered[-1] - ordered[0]) if len(risk) else gaps > 0
    ranks = np.zeros(len(risk), dtype=np.int64)
    ranks[order[1:]] = np.cumsum(apart)
    return ranks
