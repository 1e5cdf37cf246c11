"""Each feature's Shapley share of a leaf, for every subset of the leaf's conditions that a case may meet."""

from __future__ import annotations

from math import factorial

import numpy as np
from numpy.typing import NDArray

from prognosis.compiled import compiled

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Bins = NDArray[np.int32]
Bools = NDArray[np.bool_]


def coalition_weights(most: int) -> Floats:
    """(most + 1, most + 1) [s, k]: s! (k - 1 - s)! / k!, the weight of a coalition of s among k players."""
    out = np.zeros((most + 1, most + 1))
    for players in range(1, most + 1):
        for size in range(players):
            out[size, players] = factorial(size) * factorial(players - 1 - size) / factorial(players)
    return out


@compiled
def path_shares(value: Floats, cover: Floats, asked: Bools, weights: Floats, out: Floats) -> None:
    """Path-dependent shares: where a feature is unknown, the trees go both ways by their covers.

    With the conditions A met and the others not, a leaf of value v and covers z gives a feature j of A
    v Z (1 - z_j) E(A without j), and each other one -v Z E(A); Z is the product of the covers of conditions
    not met, and E(X) the sum over subsets S of X of S's weight times the covers of X without S.

    Args:
        value: (leaves,).
        cover: (leaves, D).
        asked: (leaves, D) False for conditions that only fill up a leaf.
        weights: `coalition_weights` of the most conditions a leaf has, C.
        out: (leaves, D, 2^C) filled; bit i of the last place is the leaf's i-th condition asked.
    """
    depth, most = cover.shape[1], len(weights) - 1
    place = np.zeros(most, np.int64)
    ratio = np.zeros(most)
    symmetric = np.zeros((1 << most, most + 1))
    product = np.ones(1 << most)
    total = np.zeros(1 << most)
    symmetric[0, 0] = 1.0
    for leaf in range(len(value)):
        players = 0
        for d in range(depth):
            if asked[leaf, d]:
                place[players], ratio[players] = d, cover[leaf, d]
                players += 1
        full = (1 << players) - 1
        size, bit = 0, 0
        for subset in range(full + 1):
            if subset:
                while subset >= 2 << bit:
                    bit += 1
                rest = subset - (1 << bit)
                z = ratio[bit]
                product[subset] = product[rest] * z
                symmetric[subset, 0] = 1.0
                for count in range(1, players + 1):
                    symmetric[subset, count] = symmetric[rest, count] + z * symmetric[rest, count - 1]
            size = 0
            for i in range(players):
                size += (subset >> i) & 1
            total[subset] = 0.0
            for count in range(size + 1):
                total[subset] += symmetric[subset, count] * weights[size - count, players]
        for subset in range(full + 1):
            scale = value[leaf] * product[full ^ subset]
            for i in range(players):
                if (subset >> i) & 1:
                    out[leaf, place[i], subset] = scale * (1.0 - ratio[i]) * total[subset ^ (1 << i)]
                else:
                    out[leaf, place[i], subset] = -scale * total[subset]


@compiled
def interventional_shares(
    value: Floats,
    rows: Bins,
    feature: Counts,
    low: Bins,
    high: Bins,
    missing: Bools,
    asked: Bools,
    weights: Floats,
    out: Floats,
) -> None:
    """Interventional shares: where a feature is unknown, it is that of a background row, averaged over them.

    For one background row a leaf is reached by a coalition that holds every feature that only the case
    meets (a of them) and none that only the row meets (b); each of the first has (a - 1)! b! / (a + b)! of
    the leaf, each of the second loses a! (b - 1)! / (a + b)! (Lundberg et al. 2020, Nat Mach Intell 2:56).
    Rows count only by which conditions they do not meet, so they are counted once by subset, and then for
    every subset A and number r, those that do not meet r conditions, all of them in A.

    Args:
        value: (leaves,).
        rows: (p, m) ranks of the background's values.
        feature: (leaves, D), as are low, high, missing and asked: the conditions as ranks.
        weights: `coalition_weights` of the most conditions a leaf has, C.
        out: (leaves, D, 2^C) filled, as `path_shares` does.
    """
    depth, most = feature.shape[1], len(weights) - 1
    place = np.zeros(most, np.int64)
    unmet = np.zeros(rows.shape[1], np.int64)
    within = np.zeros((1 << most, most + 1))
    for leaf in range(len(value)):
        players = 0
        unmet[:] = 0
        for d in range(depth):
            if asked[leaf, d]:
                own = rows[feature[leaf, d]]
                below, above, gone = low[leaf, d], high[leaf, d], missing[leaf, d]
                for row in range(len(own)):
                    rank = own[row]
                    reached = ((rank >= below) & (rank < above)) | ((rank == 0) & gone)
                    unmet[row] |= (not reached) << players
                place[players] = d
                players += 1
        full = (1 << players) - 1
        within[: full + 1, : players + 1] = 0.0
        for subset in unmet:
            size = 0
            for i in range(players):
                size += (subset >> i) & 1
            within[subset, size] += 1.0
        for i in range(players):
            for subset in range(full + 1):
                if (subset >> i) & 1:
                    for count in range(players + 1):
                        within[subset, count] += within[subset ^ (1 << i), count]
        scale = value[leaf] / rows.shape[1]
        for subset in range(full + 1):
            size = 0
            for i in range(players):
                size += (subset >> i) & 1
            others = players - size
            lost = 0.0
            if others:
                for count in range(size + 1):
                    lost -= within[subset, count] * weights[count, count + others]
            for i in range(players):
                share = lost
                if (subset >> i) & 1:
                    share = 0.0
                    less = subset ^ (1 << i)
                    for count in range(1, size + 1):
                        part = within[subset, count] - within[less, count]
                        share += part * weights[count - 1, count + others]
                out[leaf, place[i], subset] = scale * share


@compiled
def fill_tables(
    first: int,
    last: int,
    leaf: Counts,
    start: Counts,
    table: Counts,
    cells: Counts,
    asked: Bools,
    slot: Counts,
    met: NDArray[np.uint64],
    shares: Floats,
    out: Floats,
) -> None:
    """Add up the shares of each group's leaves, for every row of its table.

    Args:
        first: Group to begin with; `out` and `shares` begin there too.
        last: Group to end before.
        leaf: Of `LeafGroups`, as are start (its `feature`), table, cells, slot and met.
        asked: (leaves, D) False for conditions that only fill up a leaf.
        shares: (leaves of these groups, D, 2^C).
        out: Zeros, filled: every group's table, one after the other.
    """
    depth = slot.shape[1]
    subset = np.zeros(1 << 16, np.int64)
    for g in range(first, last):
        features = start[g + 1] - start[g]
        if features == 0:
            continue
        rows = (table[g + 1] - table[g]) // features
        for row in range(leaf[g], leaf[g + 1]):
            subset[:rows] = 0
            players = 0
            for d in range(depth):
                if not asked[row, d]:
                    continue
                stride = 1
                for other in range(start[g], start[g] + slot[row, d]):
                    stride *= cells[other]
                own = cells[start[g] + slot[row, d]]
                for cell in range(own):
                    if (met[row, d] >> np.uint64(cell)) & np.uint64(1):
                        for low in range(cell * stride, rows, own * stride):
                            for number in range(low, low + stride):
                                subset[number] |= 1 << players
                players += 1
            for d in range(depth):
                if asked[row, d]:
                    share = shares[row - leaf[first], d]
                    begin = table[g] - table[first] + slot[row, d] * rows
                    for number in range(rows):
                        out[begin + number] += share[subset[number]]


@compiled
def add_looked_up(
    first: int,
    last: int,
    start: Counts,
    step: Counts,
    table: Counts,
    base: NDArray[np.uint16],
    column: Counts,
    source: Counts,
    at: Bins,
    add: NDArray[np.uint16],
    ranks: Bins,
    tables: Floats,
    out: Floats,
) -> None:
    """Add what the groups' tables say of each case.

    Args:
        first: Group to begin with; `tables` begins there too.
        last: Group to end before.
        start: Of `LeafGroups` (its `feature`), as are step, table, base, column, source, at and add.
        ranks: (2 p, n) `Ranks.rows` of the cases.
        tables: `fill_tables` of these groups.
        out: (p, n) added to.
    """
    block = 512
    number = np.zeros(block, np.uint16)
    for begin in range(0, ranks.shape[1], block):
        end = min(begin + block, ranks.shape[1])
        mine = number[: end - begin]
        for g in range(first, last):
            mine[:] = base[g]
            for s in range(step[g], step[g + 1]):
                own, least, more = ranks[source[s], begin:end], at[s], add[s]
                for i in range(end - begin):
                    mine[i] += more if own[i] >= least else np.uint16(0)
            features = start[g + 1] - start[g]
            if features == 0:
                continue
            rows = (table[g + 1] - table[g]) // features
            low = table[g] - table[first]
            for place in range(features):
                share = tables[low + place * rows : low + (place + 1) * rows]
                total = out[column[start[g] + place], begin:end]
                for i in range(end - begin):
                    total[i] += share[mine[i]]
