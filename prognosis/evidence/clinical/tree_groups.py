"""Neighbouring leaves in groups, so that one look-up answers for all the leaves of a group.

Within a group, each feature that its leaves ask about is cut at their bounds into cells, such that cases of
one cell meet the same conditions. A case then has one cell a feature, and the cells together number a row of
the group's table. A subtree of four leaves, four splits below its root, asks seven questions: 128 rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.compiled import compiled
from prognosis.evidence.clinical.tree_tables import LeafTable

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Bools = NDArray[np.bool_]
Bins = NDArray[np.int32]

_MOST_ROWS = 256
_MOST_LEAVES = 24  # their conditions on one feature make at most 50 cells, which are bits of one word


@dataclass(frozen=True, slots=True)
class Ranks:
    """Conditions as whole numbers: where bounds lie among all bounds of their feature.

    The rank of a value is 1 + the number of bounds up to it, and 0 where it is missing.

    Attributes:
        bounds: One sorted array a feature.
        low: (leaves, D) ranks from here on meet the condition.
        high: (leaves, D) ranks from here on do not.
        asked: (leaves, D) False for conditions that only fill up a leaf.
    """

    bounds: tuple[Floats, ...]
    low: Bins
    high: Bins
    asked: Bools

    @classmethod
    def of(cls, table: LeafTable, asked: Bools, features: int) -> Ranks:
        """The ranks of a table's bounds, for rows of so many features."""
        low, high = np.ones(table.feature.shape, np.int32), np.ones(table.feature.shape, np.int32)
        bounds = []
        flat = table.feature.ravel()
        order = np.argsort(flat, kind="stable")
        starts = np.searchsorted(flat[order], np.arange(features + 1))
        for feature in range(features):
            here = order[starts[feature] : starts[feature + 1]]
            lows, highs = table.low.ravel()[here], table.high.ravel()[here]
            own = np.unique(np.concatenate([lows, highs]))
            own = own[np.isfinite(own)]
            bounds.append(own)
            low.ravel()[here] = 1 + np.searchsorted(own, lows, side="right")
            high.ravel()[here] = np.where(
                np.isposinf(highs), len(own) + 2, 2 + np.searchsorted(own, highs, side="left")
            )
        return cls(tuple(bounds), low, high, asked)

    def rows(self, raw: Floats) -> Bins:
        """(2 p, n) ranks of the values, missing ones first: 0 in the upper half, above all in the lower."""
        single = raw.astype(np.float32).astype(float)
        count = len(self.bounds)
        out = np.empty((2 * count, len(raw)), np.int32)
        for feature, own in enumerate(self.bounds):
            values = single[:, feature]
            gone = np.isnan(values)
            out[feature] = 1 + np.searchsorted(own, values, side="right")
            out[count + feature] = np.where(gone, len(own) + 2, out[feature])
            out[feature, gone] = 0
        return out


@dataclass(frozen=True, slots=True)
class LeafGroups:
    """Which leaves belong together, and how a case finds its row in each group's table.

    A case's row is the group's `base` plus `add` of every step whose rank it reaches; sums wrap at 65,536.

    Attributes:
        leaf: (groups + 1) first leaf of each group.
        feature: (groups + 1) first feature of each group.
        step: (groups + 1) first step of each group.
        table: (groups + 1) first number of each group's table, which is (features, rows).
        base: (groups) row of a case that takes no step.
        column: (features of all groups) column of each.
        cells: (features of all groups) into which each is cut.
        source: (steps) row of `Ranks.rows` that is compared.
        at: (steps) rank that must be reached.
        add: (steps) what the row then grows by.
        slot: (leaves, D) place of each condition's feature in its group.
        met: (leaves, D) cells that meet the condition, one bit each.
    """

    leaf: Counts
    feature: Counts
    step: Counts
    table: Counts
    base: NDArray[np.uint16]
    column: Counts
    cells: Counts
    source: Counts
    at: Bins
    add: NDArray[np.uint16]
    slot: Counts
    met: NDArray[np.uint64]

    @classmethod
    def of(cls, table: LeafTable, ranks: Ranks) -> LeafGroups:
        """Group the leaves so that building and reading the tables is cheapest, by dynamic programming."""
        top = np.array([len(own) + 2 for own in ranks.bounds], np.int32)
        conditions = (table.feature, ranks.low, ranks.high, table.missing, ranks.asked)
        before = _cut(*conditions, top, _MOST_ROWS, _MOST_LEAVES)
        ends = [len(table.value)]
        while ends[-1]:
            ends.append(int(before[ends[-1]]))
        leaf = np.array(ends[::-1], np.int64)
        groups, size = len(leaf) - 1, ranks.asked.size
        starts = np.zeros((3, groups + 1), np.int64)
        base = np.zeros(groups, np.uint16)
        column, cells = np.zeros(size, np.int64), np.zeros(size, np.int64)
        source, at, add = (
            np.zeros(3 * size, np.int64),
            np.zeros(3 * size, np.int32),
            np.zeros(3 * size, np.uint16),
        )
        slot, met = np.zeros(ranks.asked.shape, np.int64), np.zeros(ranks.asked.shape, np.uint64)
        _lay_out(*conditions, top, leaf, starts, base, column, cells, source, at, add, slot, met)
        own, steps = starts[0, -1], starts[1, -1]
        return cls(
            leaf, *starts, base, column[:own], cells[:own], source[:steps], at[:steps], add[:steps], slot, met
        )


@compiled
def _cut(
    feature: Counts,
    low: Bins,
    high: Bins,
    missing: Bools,
    asked: Bools,
    top: Bins,
    most_rows: int,
    most_leaves: int,
) -> Counts:
    """(leaves + 1) where the last group of the cheapest cut of the first so many leaves begins.

    Costs are nanoseconds for about 2,000 cases: of the look-ups and comparisons, and of building.
    """
    leaves, depth = feature.shape
    cheapest = np.full(leaves + 1, np.inf)
    cheapest[0] = 0.0
    before = np.zeros(leaves + 1, np.int64)
    slot = np.full(len(top), -1)
    used = np.zeros(most_leaves * depth, np.int64)
    bounds = np.zeros((most_leaves * depth, 2 * most_leaves), np.int64)
    counts = np.zeros(most_leaves * depth, np.int64)
    for first in range(leaves):
        features, rows, steps = 0, 1.0, 0
        for last in range(first, min(leaves, first + most_leaves)):
            for d in range(depth):
                if not asked[last, d]:
                    continue
                column = feature[last, d]
                place = slot[column]
                if place < 0:
                    place = features
                    slot[column], used[place], counts[place] = place, column, 0
                    features += 1
                for bound in (low[last, d], high[last, d]):
                    if bound == 1 or bound == top[column]:
                        continue
                    known = False
                    for b in range(counts[place]):
                        known = known or bounds[place, b] == bound
                    if not known:
                        bounds[place, counts[place]] = bound
                        counts[place] += 1
                        steps += 1
                        rows *= (counts[place] + 1.0) / counts[place]
            if last > first and rows > most_rows:
                break
            cost = cheapest[first] + 500.0 + 900.0 * features + 200.0 * steps
            cost += rows * features * (last - first + 1.0)
            if cost < cheapest[last + 1]:
                cheapest[last + 1], before[last + 1] = cost, first
        for place in range(features):
            slot[used[place]] = -1
    return before


@compiled
def _lay_out(
    feature: Counts,
    low: Bins,
    high: Bins,
    missing: Bools,
    asked: Bools,
    top: Bins,
    leaf: Counts,
    starts: Counts,
    base: NDArray[np.uint16],
    column: Counts,
    cells: Counts,
    source: Counts,
    at: Bins,
    add: NDArray[np.uint16],
    slot: Counts,
    met: NDArray[np.uint64],
) -> None:
    """Fill the arrays of `LeafGroups`.

    Where missing values fall into a feature's highest cell they count as above all, else as below all.
    """
    depth = feature.shape[1]
    features, steps, numbers = 0, 0, 0
    bound = np.zeros(256, np.int64)
    pattern = np.zeros(256, np.uint64)
    digit = np.zeros(256, np.int64)
    for g in range(len(leaf) - 1):
        first = features
        for row in range(leaf[g], leaf[g + 1]):
            for d in range(depth):
                if asked[row, d]:
                    place = first
                    while place < features and column[place] != feature[row, d]:
                        place += 1
                    if place == features:
                        column[features] = feature[row, d]
                        features += 1
                    slot[row, d] = place - first
        stride, start = 1, 0
        for place in range(first, features):
            own = column[place]
            # The cells' lowest ranks, sorted: 1, then every bound of the group's conditions.
            bound[0], count = 1, 1
            for row in range(leaf[g], leaf[g + 1]):
                for d in range(depth):
                    if asked[row, d] and feature[row, d] == own:
                        for new in (low[row, d], high[row, d]):
                            b = count
                            while b > 0 and bound[b - 1] > new:
                                b -= 1
                            if new < top[own] and bound[b - 1] != new:
                                for later in range(count, b, -1):
                                    bound[later] = bound[later - 1]
                                bound[b] = new
                                count += 1
            # Which leaves' conditions each cell meets; the one after the last is for missing values.
            for cell in range(count + 1):
                pattern[cell] = 0
            for row in range(leaf[g], leaf[g + 1]):
                bit = np.uint64(1) << np.uint64(row - leaf[g])
                for d in range(depth):
                    if asked[row, d] and feature[row, d] == own:
                        for cell in range(count):
                            if low[row, d] <= bound[cell] < high[row, d]:
                                pattern[cell] |= bit
                        if missing[row, d]:
                            pattern[count] |= bit
            kinds = 0
            for cell in range(count + 1):
                digit[cell] = kinds
                for before in range(cell):
                    if pattern[before] == pattern[cell]:
                        digit[cell] = digit[before]
                        break
                kinds += digit[cell] == kinds
            for row in range(leaf[g], leaf[g + 1]):
                bit = np.uint64(1) << np.uint64(row - leaf[g])
                for d in range(depth):
                    if asked[row, d] and feature[row, d] == own:
                        for cell in range(count + 1):
                            if pattern[cell] & bit:
                                met[row, d] |= np.uint64(1) << np.uint64(digit[cell])
            above = digit[count] == digit[count - 1]
            now = digit[0] if above else digit[count]
            start += now * stride
            for cell in range(count):
                if digit[cell] != now:
                    source[steps] = own + len(top) if above else own
                    at[steps] = bound[cell]
                    add[steps] = np.uint16((digit[cell] - now) * stride)
                    now = digit[cell]
                    steps += 1
            cells[place] = kinds
            stride *= kinds
        base[g] = start
        numbers += stride * (features - first)
        starts[0, g + 1], starts[1, g + 1], starts[2, g + 1] = features, steps, numbers
