"""Trees as a table of leaves, each with the conditions that lead to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prognosis.compiled import compiled

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Bools = NDArray[np.bool_]

_FEW = 1_000_000  # numbers to compare, below which numpy has finished before a compiled loop is loaded


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
        cover: (leaves, D) part of the training rows, by weight, that meets the condition where it is asked.
    """

    value: Floats
    feature: Counts
    low: Floats
    high: Floats
    missing: Bools
    cover: Floats

    @property
    def asked(self) -> Bools:
        """(leaves, D) False for conditions that everything meets."""
        return ~(np.isneginf(self.low) & np.isposinf(self.high) & self.missing)

    def margin(self, raw: Floats) -> Floats:
        """(n,) the sum of the leaves reached, in double precision; NaN in `raw` means missing."""
        single = raw.astype(np.float32).astype(float)  # as XGBoost rounds
        if len(raw) * self.feature.size > _FEW:
            return _margin(single, self.value, self.feature, self.low, self.high, self.missing)
        values = single[:, self.feature]
        inside = (values >= self.low) & (values < self.high)
        reached = (inside | (np.isnan(values) & self.missing)).all(axis=2)
        return np.asarray(reached @ self.value)


@compiled
def _margin(raw: Floats, value: Floats, feature: Counts, low: Floats, high: Floats, missing: Bools) -> Floats:
    """The margin, skipping after each condition that is not met all leaves that follow with the same one."""
    out = np.zeros(len(raw))
    leaves, depth = feature.shape
    following = np.full((leaves, depth), leaves)
    for leaf in range(leaves - 2, -1, -1):
        for d in range(depth):
            same = feature[leaf, d] == feature[leaf + 1, d] and missing[leaf, d] == missing[leaf + 1, d]
            same = same and low[leaf, d] == low[leaf + 1, d] and high[leaf, d] == high[leaf + 1, d]
            following[leaf, d] = following[leaf + 1, d] if same else leaf + 1
    for row in range(len(raw)):
        leaf = 0
        while leaf < leaves:
            d = 0
            while d < depth:
                own = raw[row, feature[leaf, d]]
                if not (low[leaf, d] <= own < high[leaf, d] or (missing[leaf, d] and np.isnan(own))):
                    break
                d += 1
            if d == depth:
                out[row] += value[leaf]
            leaf = leaf + 1 if d == depth else following[leaf, d]
    return out


def leaf_table(trees: Sequence[Mapping[str, Any]]) -> LeafTable:
    """The leaves of XGBoost's trees, as its JSON model gives them, from left to right.

    Two splits on one feature become one interval, and their covers are multiplied.
    """
    sizes = [len(tree["left_children"]) for tree in trees]
    root = np.concatenate([[0], np.cumsum(sizes)])[:-1].astype(np.int64)
    nodes = _Nodes.of(trees, root)
    rows = _Rows.everything(root)
    while (branch := nodes.left[rows.node] >= 0).any():
        rows = rows.split(branch, nodes)
    depth = max(1, int(rows.count.max(initial=0)))
    return LeafTable(
        value=nodes.split[rows.node],
        feature=rows.feature[:, :depth].copy(),
        low=rows.low[:, :depth].copy(),
        high=rows.high[:, :depth].copy(),
        missing=rows.missing[:, :depth].copy(),
        cover=rows.cover[:, :depth].copy(),
    )


@dataclass(frozen=True, slots=True)
class _Nodes:
    """All trees' nodes in one list; `split` is a bound, or the value of a leaf."""

    left: Counts
    right: Counts
    feature: Counts
    split: Floats
    missing_left: Bools
    share: Floats

    @classmethod
    def of(cls, trees: Sequence[Mapping[str, Any]], root: Counts) -> _Nodes:
        def joined(name: str) -> Floats:
            return np.concatenate([np.zeros(0), *(np.asarray(tree[name], dtype=float) for tree in trees)])

        left, right, cover = joined("left_children"), joined("right_children"), joined("sum_hessian")
        inner, share = left >= 0, np.ones(len(left))
        start = np.repeat(root, np.diff(root, append=len(left)))
        sides = [np.where(inner, side + start, -1).astype(np.int64) for side in (left, right)]
        for side in sides:
            above, below = cover[inner], cover[side[inner]]
            share[side[inner]] = np.divide(below, above, out=np.full(len(below), 0.5), where=above > 0.0)
        return cls(
            left=sides[0],
            right=sides[1],
            feature=joined("split_indices").astype(np.int64),
            split=joined("split_conditions").astype(np.float32).astype(float),
            missing_left=joined("default_left").astype(bool),
            share=share,
        )


@dataclass(frozen=True, slots=True)
class _Rows:
    """Nodes reached so far, from left to right, with the conditions that lead to them."""

    node: Counts
    count: Counts
    feature: Counts
    low: Floats
    high: Floats
    missing: Bools
    cover: Floats

    @classmethod
    def everything(cls, root: Counts) -> _Rows:
        shape = (len(root), 0)
        low, high, cover = (np.zeros(shape) for _ in range(3))
        return cls(
            root, np.zeros_like(root), np.zeros(shape, np.int64), low, high, np.zeros(shape, bool), cover
        )

    def split(self, branch: Bools, nodes: _Nodes) -> _Rows:
        """Each row of a branch replaced by its two children's."""
        source = np.repeat(np.arange(len(branch)), np.where(branch, 2, 1))
        right = np.concatenate([[False], source[1:] == source[:-1]])
        count, above = self.count[source], self.node[source]
        feature, low, high, missing, cover = (
            np.concatenate([part[source], np.full((len(source), 1), filling)], axis=1)
            for part, filling in (
                (self.feature, 0),
                (self.low, -np.inf),
                (self.high, np.inf),
                (self.missing, True),
                (self.cover, 1.0),
            )
        )
        row = np.flatnonzero(branch[source])
        to_right, parent = right[row], above[row]
        node = above.copy()
        node[row] = np.where(to_right, nodes.right[parent], nodes.left[parent])
        same = (feature[row] == nodes.feature[parent][:, None]) & (
            np.arange(feature.shape[1]) < count[row][:, None]
        )
        place = np.where(same.any(axis=1), same.argmax(axis=1), count[row])
        bound = nodes.split[parent]
        feature[row, place] = nodes.feature[parent]
        low[row, place] = np.where(to_right, np.maximum(low[row, place], bound), low[row, place])
        high[row, place] = np.where(to_right, high[row, place], np.minimum(high[row, place], bound))
        missing[row, place] &= nodes.missing_left[parent] != to_right
        cover[row, place] *= nodes.share[node[row]]
        count[row] = np.maximum(count[row], place + 1)
        return _Rows(node, count, feature, low, high, missing, cover)
