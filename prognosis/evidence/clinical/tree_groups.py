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
from prognosis.evidence.clinical.tree_ranks import Ranks
from prognosis.evidence.clinical.tree_tables import LeafTable

Counts = NDArray[np.int64]
Bools = NDArray[np.bool_]
Bins = NDArray[np.int32]

_PLACE = 1 << 32  # above any rank
_MOST_ROWS = 256
_MOST_LEAVES = 24  # their conditions on one feature make at most 50 cells, which are bits of one word


@dataclass(frozen=True, slots=True)
class LeafGroups:
    """Which leaves belong together, and how a case finds its row in each group's table.

    A case's row is the group's `base` plus `add` of every step whose rank it reaches; sums wrap at 65,536.

    Attributes:
        leaf: (groups + 1) first leaf of each group.
        feature: (groups + 1) first feature of each group.
        step: (groups + 1) first step of each group.
        table: (groups + 1) first number of each group's table, which is (features, rows).
        rows: (groups) of each group's table.
        base: (groups) row of a case that takes no step.
        column: (features of all groups) column of each.
        cells: (features of all groups) into which each is cut.
        stride: (features of all groups) by how much a row grows from cell to cell.
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
    rows: Counts
    base: NDArray[np.uint16]
    column: Counts
    cells: Counts
    stride: Counts
    source: Counts
    at: Bins
    add: NDArray[np.uint16]
    slot: Counts
    met: NDArray[np.uint64]

    @classmethod
    def of(cls, table: LeafTable, ranks: Ranks) -> LeafGroups:
        """Group the leaves of a packed table so that building and reading the tables is cheapest."""
        leaf = _ends(table, ranks)
        feature, column, slot = _places(table.feature, ranks.count, leaf)
        group = np.repeat(np.arange(len(leaf) - 1), np.diff(leaf))
        # Conditions in the order of their groups' features, and each condition's leaf as a bit.
        row, d = np.nonzero(np.arange(slot.shape[1]) < ranks.count[:, None])
        place = feature[group[row]] + slot[row, d]
        order = np.argsort(place, kind="stable")
        row, d, place = row[order], d[order], place[order]
        low, high, missing = ranks.low[row, d].astype(np.int64), ranks.high[row, d], table.missing[row, d]
        bit = np.uint64(1) << (row - leaf[group[row]]).astype(np.uint64)
        # The cells, by the lowest rank of each: missing, first, and every bound.
        features, real = np.arange(len(column)), high < ranks.top[column[place]]
        starts = (
            (features, 0 * features),
            (features, 0 * features + 1),
            (place, low),
            (place[real], high[real]),
        )
        cell = np.unique(np.concatenate([own * _PLACE + rank for own, rank in starts]))
        own, rank = np.divmod(cell, _PLACE)
        first = np.searchsorted(own, np.arange(len(column) + 1))
        begin = np.searchsorted(place, np.arange(len(column) + 1))
        digit, met = _digits(rank, first, begin, low, high, missing, bit)
        cells = np.maximum.reduceat(digit, first[:-1]) + 1 if len(column) else features
        stride = _strides(cells, feature)
        # Where missing values fall into the highest cell they count as above all, else as below all.
        above = digit[first[:-1]] == digit[first[1:] - 1]
        before = np.concatenate([[0], digit])[:-1]
        before = np.where((rank == 1) & above[own], digit, before)
        step = (rank > 0) & (digit != before)
        start = np.where(above, digit[first[:-1] + 1], digit[first[:-1]]) * stride
        groups = np.repeat(np.arange(len(leaf) - 1), np.diff(feature))
        all_met = np.zeros(slot.shape, np.uint64)
        all_met[row, d] = met
        rows = np.ones(len(leaf) - 1, np.int64)
        np.maximum.at(rows, groups, stride * cells)
        return cls(
            leaf=leaf,
            feature=feature,
            step=np.searchsorted(own[step], feature),
            table=np.concatenate([[0], np.cumsum(np.diff(feature) * rows)]),
            rows=rows,
            base=np.bincount(groups, weights=start, minlength=len(rows)).astype(np.uint16),
            column=column,
            cells=cells,
            stride=stride,
            source=(column + above * len(ranks.bounds))[own[step]],
            at=rank[step].astype(np.int32),
            add=((digit - before) * stride[own])[step].astype(np.uint16),
            slot=slot,
            met=all_met,
        )


def _ends(table: LeafTable, ranks: Ranks) -> Counts:
    """(groups + 1) the first leaf of each group and the number of leaves, by dynamic programming."""
    top = ranks.top
    shift = np.concatenate([[0], np.cumsum(top + 1)])
    trivial = np.zeros(shift[-1], bool)
    trivial[shift[:-1] + 1] = trivial[shift[1:] - 1] = True
    shift = shift[:-1][table.feature]
    bounds = np.stack([shift + ranks.low, shift + ranks.high], axis=2).astype(np.int64)
    before = _cut(table.feature, ranks.count, bounds, trivial, len(top), _MOST_ROWS, _MOST_LEAVES)
    ends = [len(table.value)]
    while ends[-1]:
        ends.append(int(before[ends[-1]]))
    return np.array(ends[::-1], np.int64)


@compiled
def _cut(
    feature: Counts,
    count: Counts,
    bounds: Counts,
    trivial: Bools,
    features: int,
    most_rows: int,
    most_leaves: int,
) -> Counts:
    """(leaves + 1) where the last group of the cheapest cut of the first so many leaves begins.

    Costs are nanoseconds for about 2,000 cases: of the look-ups and comparisons, and of building.

    Args:
        feature: (leaves, D).
        count: (leaves,) conditions of each.
        bounds: (leaves, D, 2) a number for each bound of each feature.
        trivial: Which of these numbers are bounds that all values lie within.
        features: How many there are.
        most_rows: Where a group stops growing; beyond, its cost forbids it wherever it can be split.
        most_leaves: Of a group.
    """
    leaves = len(count)
    cheapest, before = np.full(leaves + 1, np.inf), np.zeros(leaves + 1, np.int64)
    cheapest[0] = 0.0
    cells, known = np.zeros(features, np.int64), trivial.copy()
    for first in range(leaves):
        asked, steps, rows, last = 0, 0, 1.0, first
        while last < min(leaves, first + most_leaves) and rows <= most_rows:
            for d in range(count[last]):
                own = feature[last, d]
                if cells[own] == 0:
                    asked, cells[own] = asked + 1, 1
                for bound in bounds[last, d]:
                    if not known[bound]:
                        rows *= (cells[own] + 1.0) / cells[own]
                        known[bound], cells[own], steps = True, cells[own] + 1, steps + 1
            last += 1
            cost = cheapest[first] + 500.0 + 900.0 * asked + 200.0 * steps + rows * asked * (last - first)
            if cost < cheapest[last]:
                cheapest[last], before[last] = cost, first
        for leaf in range(first, last):
            cells[feature[leaf]] = 0
            for d in range(count[leaf]):
                known[bounds[leaf, d]] = trivial[bounds[leaf, d]]
    return before


@compiled
def _places(feature: Counts, count: Counts, leaf: Counts) -> tuple[Counts, Counts, Counts]:
    """The groups' first features, the features' columns, and the conditions' places among them."""
    column, slot = np.zeros(feature.size, np.int64), np.zeros(feature.shape, np.int64)
    start = np.zeros(len(leaf), np.int64)
    end = 0
    for g in range(len(leaf) - 1):
        for row in range(leaf[g], leaf[g + 1]):
            for d in range(count[row]):
                place = start[g]
                while place < end and column[place] != feature[row, d]:
                    place += 1
                column[place] = feature[row, d]
                end = max(end, place + 1)
                slot[row, d] = place - start[g]
        start[g + 1] = end
    return start, column[:end].copy(), slot


def _strides(cells: Counts, feature: Counts) -> Counts:
    """(features of all groups) by how much a row grows with the feature's cell."""
    widths = np.diff(feature)
    slot = np.arange(len(cells)) - np.repeat(feature[:-1], widths)
    stride = np.ones_like(cells)
    for number in range(1, int(widths.max(initial=0))):
        here = np.flatnonzero(slot == number)
        stride[here] = stride[here - 1] * cells[here - 1]
    return stride


@compiled
def _digits(
    rank: Counts,
    first: Counts,
    begin: Counts,
    low: Counts,
    high: Bins,
    missing: Bools,
    bit: NDArray[np.uint64],
) -> tuple[Counts, NDArray[np.uint64]]:
    """A number for each cell, equal where the same conditions are met, and the numbers that meet a condition.

    Features come one after the other, both in the cells (from `first`) and in the conditions (from `begin`).
    A cell has its lowest rank, 0 for missing values; a condition has its bounds and its leaf as a bit.
    """
    digit, pattern = np.zeros(len(rank), np.int64), np.zeros(len(rank), np.uint64)
    met = np.zeros(len(low), np.uint64)
    for place in range(len(first) - 1):
        kinds = 0
        for cell in range(first[place], first[place + 1]):
            for c in range(begin[place], begin[place + 1]):
                if low[c] <= rank[cell] < high[c] or (rank[cell] == 0 and missing[c]):
                    pattern[cell] |= bit[c]
            same = first[place]
            while pattern[same] != pattern[cell]:
                same += 1
            digit[cell] = digit[same] if same < cell else kinds
            kinds = max(kinds, digit[cell] + 1)
            for c in range(begin[place], begin[place + 1]):
                if pattern[cell] & bit[c]:
                    met[c] |= np.uint64(1) << np.uint64(digit[cell])
    return digit, met
