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
def path_shares(value: Floats, cover: Floats, players: Counts, weights: Floats, out: Floats) -> None:
    """Path-dependent shares: where a feature is unknown, the trees go both ways by their covers.

    With the conditions A met and the others not, a leaf of value v and covers z gives a feature j of A
    v Z (1 - z_j) E(A without j), and each other one -v Z E(A); Z is the product of the covers of conditions
    not met, and E(X) the sum over subsets S of X of S's weight times the covers of X without S.

    Args:
        value: (leaves,).
        cover: (leaves, D).
        players: (leaves,) conditions of each leaf.
        weights: `coalition_weights` of the most conditions a leaf has, C.
        out: (leaves, D, 2^C) filled; bit i of the last place is the leaf's i-th condition.
    """
    most = len(weights) - 1
    symmetric = np.zeros((1 << most, most + 1))  # of the covers of each subset, by how many are multiplied
    product, total, size = np.ones(1 << most), np.zeros(1 << most), np.zeros(1 << most, np.int64)
    symmetric[0, 0] = 1.0
    for leaf in range(len(value)):
        count = players[leaf]
        total[0] = weights[0, count]
        for last in range(count):
            z = cover[leaf, last]
            for rest in range(1 << last):
                subset = rest + (1 << last)
                size[subset], product[subset] = size[rest] + 1, product[rest] * z
                symmetric[subset, 0], total[subset] = 1.0, weights[size[subset], count]
                for r in range(1, size[subset] + 1):
                    symmetric[subset, r] = symmetric[rest, r] + z * symmetric[rest, r - 1]
                    total[subset] += symmetric[subset, r] * weights[size[subset] - r, count]
                symmetric[subset, size[subset] + 1 :] = 0.0
        full = (1 << count) - 1
        for i in range(count):
            for subset in range(full + 1):
                scale = value[leaf] * product[full ^ subset]
                met = (1.0 - cover[leaf, i]) * total[subset & ~(1 << i)]
                out[leaf, i, subset] = scale * (met if (subset >> i) & 1 else -total[subset])


@compiled
def background_within(
    rows: Bins,
    feature: Counts,
    low: Bins,
    high: Bins,
    missing: Bools,
    players: Counts,
    size: Counts,
    most: int,
) -> Floats:
    """(leaves, 2^C, C + 1) [leaf, A, r]: background rows that do not meet r of its conditions, all in A.

    `rows` are the (p, m) ranks of the background's values; the conditions are given as ranks, (leaves, D);
    `size` says how many conditions each of the 2^C subsets holds.
    """
    out = np.zeros((len(players), len(size), most + 1))
    unmet = np.zeros(rows.shape[1], np.int64)
    for leaf in range(len(players)):
        unmet[:] = 0
        for d in range(players[leaf]):
            own, below, above, gone = rows[feature[leaf, d]], low[leaf, d], high[leaf, d], missing[leaf, d]
            for row in range(len(own)):
                inside = (own[row] >= below) & (own[row] < above)
                unmet[row] += 0 if inside | ((own[row] == 0) & gone) else 1 << d
        for row in range(len(unmet)):
            out[leaf, unmet[row], size[unmet[row]]] += 1.0
        for i in range(players[leaf]):
            for subset in range(1 << players[leaf]):
                if (subset >> i) & 1:
                    for r in range(players[leaf] + 1):
                        out[leaf, subset, r] += out[leaf, subset ^ (1 << i), r]
    return out


@compiled
def interventional_shares(
    value: Floats, within: Floats, players: Counts, size: Counts, weights: Floats, out: Floats
) -> None:
    """Interventional shares: where a feature is unknown, it is that of a background row, averaged over them.

    For one background row a leaf is reached by a coalition that holds every feature that only the case
    meets (a of them) and none that only the row meets (b); each of the first has (a - 1)! b! / (a + b)! of
    the leaf, each of the second loses a! (b - 1)! / (a + b)! (Lundberg et al. 2020, Nat Mach Intell 2:56).
    Rows count only by which conditions they do not meet, so their number does not matter here.

    Args:
        value: (leaves,) divided by the number of background rows.
        within: (leaves, 2^C, C + 1) `background_within`.
        players: (leaves,) conditions of each leaf.
        size: (2^C,) how many conditions each subset holds.
        weights: `coalition_weights` of the most conditions a leaf has, C.
        out: (leaves, D, 2^C) filled, as `path_shares` does.
    """
    for leaf in range(len(value)):
        count, inside = players[leaf], within[leaf]
        for subset in range(1 << count):
            others = count - size[subset]
            lost = 0.0
            for r in range(size[subset] + 1):
                lost += inside[subset, r] * weights[r, r + others]
            for i in range(count):
                share = -lost
                if (subset >> i) & 1:
                    share = 0.0
                    for r in range(1, size[subset] + 1):
                        part = inside[subset, r] - inside[subset ^ (1 << i), r]
                        share += part * weights[r - 1, r + others]
                out[leaf, i, subset] = value[leaf] * share


@compiled
def fill_tables(  # noqa: PLR0913, PLR0917 - compiled loops take arrays
    first: int,
    last: int,
    leaf: Counts,
    start: Counts,
    table: Counts,
    rows: Counts,
    cells: Counts,
    stride: Counts,
    players: Counts,
    slot: Counts,
    met: NDArray[np.uint64],
    shares: Floats,
    out: Floats,
) -> None:
    """Add up the shares of each group's leaves, for every row of its table.

    Groups are those from `first` up to `last`, where `shares`, (leaves, D, 2^C), and `out`, zeros to be
    filled with table after table, begin too. `start` is the `feature` of `LeafGroups`, and `players` the
    number of conditions of each leaf.
    """
    subset = np.zeros(1 << 16, np.int64)
    for g in range(first, last):
        for row in range(leaf[g], leaf[g + 1]):
            subset[: rows[g]] = 0
            for d in range(players[row]):
                place = start[g] + slot[row, d]
                width = stride[place]
                for cell in range(cells[place]):
                    if (met[row, d] >> np.uint64(cell)) & np.uint64(1):
                        for low in range(cell * width, rows[g], cells[place] * width):
                            subset[low : low + width] |= 1 << d
            for d in range(players[row]):
                share = shares[row - leaf[first], d]
                begin = table[g] - table[first] + slot[row, d] * rows[g]
                for number in range(rows[g]):
                    out[begin + number] += share[subset[number]]


@compiled
def add_looked_up(  # noqa: PLR0913, PLR0917 - compiled loops take arrays
    first: int,
    last: int,
    start: Counts,
    step: Counts,
    table: Counts,
    rows: Counts,
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

    Groups are those from `first` up to `last`, where `tables`, those of `fill_tables`, begin too. `start` is
    the `feature` of `LeafGroups`; `ranks` are the (2 p, n) `Ranks.rows` of the cases; `out`, (p, n), is added
    to.
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
            low = table[g] - table[first]
            for place in range(start[g], start[g + 1]):
                share = tables[low : low + rows[g]]
                total = out[column[place], begin:end]
                low += rows[g]
                for i in range(end - begin):
                    total[i] += share[mine[i]]
