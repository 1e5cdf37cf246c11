"""Trees as a table of leaves: exact margins and exact interventional Shapley values, without recursion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_BLOCK = 2_000_000


@dataclass(frozen=True, slots=True)
class LeafTable:
    """Every leaf of every tree as the conditions that lead to it, one a distinct feature.

    A value meets a condition when low <= value < high, or when it is missing and `missing` is true. A leaf
    with fewer than D conditions is filled up with ones that everything meets.

    Attributes:
        value: (leaves,) what the leaf adds to the margin.
        feature: (leaves, D) column of each condition.
        low: (leaves, D) bound, inclusive.
        high: (leaves, D) bound, exclusive.
        missing: (leaves, D) True where a missing value takes this way.
    """

    value: Floats
    feature: NDArray[np.int64]
    low: Floats
    high: Floats
    missing: Bools

    def meets(self, raw: Floats) -> Bools:
        """(n, leaves, D) whether each condition is met; values are rounded as XGBoost rounds them."""
        values = raw.astype(np.float32).astype(float)[:, self.feature]
        inside = (values >= self.low) & (values < self.high)
        return np.asarray(inside | (np.isnan(values) & self.missing))

    def margin(self, raw: Floats) -> Floats:
        """(n,) the sum of the leaves reached, in double precision; NaN in `raw` means missing."""
        step = max(1, _BLOCK // max(1, self.feature.size))
        out = np.zeros(len(raw))
        for start in range(0, len(raw), step):
            reached = self.meets(raw[start : start + step]).all(axis=2)
            out[start : start + step] = reached @ self.value
        return out


def shapley_values(table: LeafTable, raw: Floats, background: Bools) -> Floats:
    """(n, p) interventional Shapley values of the margin; they add up to it less its background mean.

    For one background row a leaf is reached by a coalition that holds every feature that only the case
    meets (a of them) and none that only the row meets (b); each of the first has (a - 1)! b! / (a + b)! of
    the leaf, each of the second loses a! (b - 1)! / (a + b)! (Lundberg et al. 2020, Nat Mach Intell 2:56).

    Args:
        table: The trees.
        raw: (n, p) the cases.
        background: (m, leaves, D) `table.meets` of the background rows.
    """
    depth = table.feature.shape[1]
    gain, loss = _shares(depth)
    out = np.zeros(raw.shape)
    for row, met in enumerate(table.meets(raw)):
        only_case = met[None] & ~background
        only_row = ~met[None] & background
        possible = (met[None] | background).all(axis=2)
        ours, theirs = only_case.sum(axis=2), only_row.sum(axis=2)
        weight = possible * table.value
        part = only_case * (weight * gain[ours, theirs])[:, :, None]
        part -= only_row * (weight * loss[ours, theirs])[:, :, None]
        mean = part.sum(axis=0) / len(background)
        out[row] = np.bincount(table.feature.ravel(), weights=mean.ravel(), minlength=raw.shape[1])
    return out


def leaf_table(trees: Sequence[Mapping[str, Any]]) -> LeafTable:
    """The leaves of XGBoost's trees, as its JSON model gives them."""
    leaves = [leaf for tree in trees for leaf in _leaves(tree)]
    depth = max((len(conditions) for _, conditions in leaves), default=0)
    shape = (len(leaves), max(depth, 1))
    table = LeafTable(
        value=np.array([value for value, _ in leaves], dtype=float),
        feature=np.zeros(shape, dtype=np.int64),
        low=np.full(shape, -np.inf),
        high=np.full(shape, np.inf),
        missing=np.ones(shape, dtype=bool),
    )
    for row, (_, conditions) in enumerate(leaves):
        for place, (feature, condition) in enumerate(conditions.items()):
            table.feature[row, place] = feature
            table.low[row, place], table.high[row, place] = condition.low, condition.high
            table.missing[row, place] = condition.missing
    return table


@dataclass(frozen=True, slots=True)
class _Condition:
    low: float = -np.inf
    high: float = np.inf
    missing: bool = True


def _leaves(tree: Mapping[str, Any]) -> Iterator[tuple[float, dict[int, _Condition]]]:
    """Each leaf's value and its conditions; two splits on one feature become one interval."""
    waiting: list[tuple[int, dict[int, _Condition]]] = [(0, {})]
    while waiting:
        node, conditions = waiting.pop()
        split = float(np.float32(tree["split_conditions"][node]))
        left = tree["left_children"][node]
        if left < 0:
            yield split, conditions
            continue
        feature, missing_left = tree["split_indices"][node], bool(tree["default_left"][node])
        own = conditions.get(feature, _Condition())
        below = _Condition(own.low, min(own.high, split), own.missing and missing_left)
        above = _Condition(max(own.low, split), own.high, own.missing and not missing_left)
        waiting.append((left, {**conditions, feature: below}))
        waiting.append((tree["right_children"][node], {**conditions, feature: above}))


def _shares(depth: int) -> tuple[Floats, Floats]:
    """Shares gained and lost by how many features only the case, and only the row, meets."""
    gain = np.zeros((depth + 1, depth + 1))
    loss = np.zeros_like(gain)
    for ours in range(depth + 1):
        for theirs in range(depth + 1 - ours):
            whole = factorial(ours + theirs)
            if ours:
                gain[ours, theirs] = factorial(ours - 1) * factorial(theirs) / whole
            if theirs:
                loss[ours, theirs] = factorial(ours) * factorial(theirs - 1) / whole
    return gain, loss
