"""Exact Shapley values of trees for many patients, by look-up.

Shapley values of a leaf depend on a case only through which of the leaf's conditions it meets, so they are
worked out once for all subsets (TreeSHAP's sums: Lundberg et al. 2020, Nat Mach Intell 2:56; tables over
subsets: Yang 2022, Fast TreeSHAP, arXiv 2109.09847). Here the tables of neighbouring leaves are added up into
one table a group of leaves, so a case needs one look-up a group and feature, whatever the background's size.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from prognosis.compiled import threads_allowed
from prognosis.errors import ConfigError
from prognosis.evidence.clinical.tree_groups import LeafGroups
from prognosis.evidence.clinical.tree_ranks import Ranks, packed
from prognosis.evidence.clinical.tree_shares import (
    add_looked_up,
    background_within,
    coalition_weights,
    fill_tables,
    interventional_shares,
    path_shares,
)
from prognosis.evidence.clinical.tree_tables import LeafTable

Floats = NDArray[np.float64]

_MOST_CONDITIONS = 12  # a leaf's table has 2^12 rows then
_TABLES_AT_ONCE = 60_000  # numbers: half a megabyte, so that they stay in the processor's cache
_SHARES_AT_ONCE = 4_000_000  # numbers
_KEPT = 64_000_000  # numbers: half a gigabyte
_CASES_FOR_THREADS = 512


class _Shares(Protocol):
    """Gives (leaves, D, 2^D) shares of the leaves from `first` up to `last`."""

    def __call__(self, first: int, last: int) -> Floats: ...


@dataclass(frozen=True, slots=True)
class _Tables:
    """Groups of leaves with their tables, kept where they fit into memory and else built for every call."""

    ranks: Ranks
    groups: LeafGroups
    chunks: tuple[tuple[int, int], ...]
    shares: _Shares
    kept: tuple[Floats, ...]

    @classmethod
    def of(cls, table: LeafTable, ranks: Ranks, shares: _Shares) -> _Tables:
        groups = LeafGroups.of(table, ranks)
        numbers_a_leaf = ranks.low.shape[1] << int(ranks.count.max(initial=0))
        made = cls(ranks, groups, tuple(_chunks(groups, numbers_a_leaf)), shares, ())
        if groups.table[-1] > _KEPT:
            return made
        return cls(ranks, groups, made.chunks, shares, tuple(made.build(chunk) for chunk in made.chunks))

    def build(self, chunk: tuple[int, int]) -> Floats:
        """The tables of a chunk of groups."""
        first, last = chunk
        own = self.groups
        out = np.zeros(own.table[last] - own.table[first])
        shares = self.shares(int(own.leaf[first]), int(own.leaf[last]))
        layout = (own.leaf, own.feature, own.table, own.rows, own.cells, own.stride)
        fill_tables(first, last, *layout, self.ranks.count, own.slot, own.met, shares, out)
        return out

    def values(self, raw: Floats) -> Floats:
        """(n, p) Shapley values."""
        threads = min(threads_allowed(), len(raw) // _CASES_FOR_THREADS)
        if threads <= 1:
            return self._values(raw)
        with ThreadPoolExecutor(threads) as pool:
            return np.concatenate(list(pool.map(self._values, np.array_split(raw, threads))))

    def _values(self, raw: Floats) -> Floats:
        ranks = self.ranks.rows(raw)
        out = np.zeros((len(self.ranks.bounds), len(raw)))
        own = self.groups
        for number, (first, last) in enumerate(self.chunks):
            tables = self.kept[number] if self.kept else self.build((first, last))
            steps = (
                own.feature,
                own.step,
                own.table,
                own.rows,
                own.base,
                own.column,
                own.source,
                own.at,
                own.add,
            )
            add_looked_up(first, last, *steps, ranks, tables, out)
        return np.ascontiguousarray(out.T)


def _packed(table: LeafTable, asked: NDArray[np.bool_]) -> tuple[LeafTable, NDArray[np.int64]]:
    own, count = packed(table, asked)
    if count.max(initial=0) > _MOST_CONDITIONS:
        raise ConfigError(
            "boosted trees",
            f"a leaf depends on {count.max()} features",
            f"grow trees of depth {_MOST_CONDITIONS} or less for exact Shapley values",
        )
    return own, count


def _chunks(groups: LeafGroups, numbers_a_leaf: int) -> Iterator[tuple[int, int]]:
    """Runs of groups whose tables, and whose leaves' shares, are small enough to be built at once."""
    first, count = 0, len(groups.base)
    while first < count:
        tables = np.searchsorted(groups.table, groups.table[first] + _TABLES_AT_ONCE, side="right")
        shares = np.searchsorted(
            groups.leaf, groups.leaf[first] + _SHARES_AT_ONCE // max(1, numbers_a_leaf), side="right"
        )
        last = max(first + 1, int(min(tables, shares)) - 1)
        yield first, last
        first = last


@dataclass(frozen=True, slots=True)
class PathTables:
    """Trees made ready for path-dependent Shapley values, those of XGBoost's pred_contribs.

    Attributes:
        expected: The mean of the leaves, weighted by how many training rows went to each.
    """

    expected: float
    _tables: _Tables

    @classmethod
    def prepare(cls, table: LeafTable, features: int) -> PathTables:
        """The tables, for cases with so many columns.

        Raises:
            ConfigError: A leaf depends on more than 12 features.
        """
        own, count = _packed(table, table.asked | (table.cover != 1.0))
        most = int(count.max(initial=0))
        weights = coalition_weights(most)

        def shares(first: int, last: int) -> Floats:
            here = slice(first, last)
            out = np.empty((last - first, own.feature.shape[1], 1 << most))
            path_shares(own.value[here], own.cover[here], count[here], weights, out)
            return out

        expected = float(table.value @ table.cover.prod(axis=1))
        return cls(expected, _Tables.of(own, Ranks.of(own, count, features), shares))

    def values(self, raw: Floats) -> Floats:
        """(n, p) Shapley values; they add up to the margin less `expected`.

        Args:
            raw: (n, p) cases, NaN where missing.
        """
        return self._tables.values(raw)


@dataclass(frozen=True, slots=True)
class InterventionalTables:
    """Trees made ready for interventional Shapley values against a background.

    Attributes:
        expected: The mean margin of the background.
    """

    expected: float
    _tables: _Tables

    @classmethod
    def prepare(cls, table: LeafTable, background: Floats) -> InterventionalTables:
        """The tables for (m, p) background rows, NaN where missing.

        Raises:
            ConfigError: A leaf depends on more than 12 features.
        """
        own, count = _packed(table, table.asked)
        most = int(count.max(initial=0))
        weights = coalition_weights(most)
        size = np.array([subset.bit_count() for subset in range(1 << most)])
        ranks = Ranks.of(own, count, background.shape[1])
        rows = ranks.rows(background)[: background.shape[1]]
        value = own.value / len(background)

        def shares(first: int, last: int) -> Floats:
            here = slice(first, last)
            conditions = (
                own.feature[here],
                ranks.low[here],
                ranks.high[here],
                own.missing[here],
                count[here],
            )
            within = background_within(rows, *conditions, size, most)
            out = np.empty((last - first, own.feature.shape[1], 1 << most))
            interventional_shares(value[here], within, count[here], size, weights, out)
            return out

        return cls(float(table.margin(background).mean()), _Tables.of(own, ranks, shares))

    def values(self, raw: Floats) -> Floats:
        """(n, p) Shapley values; they add up to the margin less `expected`.

        Args:
            raw: (n, p) cases, NaN where missing.
        """
        return self._tables.values(raw)
