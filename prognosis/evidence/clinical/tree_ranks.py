"""Leaf tables made ready for loops: the conditions that count come first, and bounds are whole numbers."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.clinical.tree_tables import LeafTable

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Bools = NDArray[np.bool_]
Bins = NDArray[np.int32]


def packed(table: LeafTable, asked: Bools) -> tuple[LeafTable, Counts]:
    """The table with each leaf's asked conditions first, and how many they are, (leaves,)."""
    order = np.argsort(~asked, axis=1, kind="stable")
    ordered = {
        field.name: np.take_along_axis(getattr(table, field.name), order, axis=1)
        for field in fields(table)
        if field.name != "value"
    }
    return LeafTable(value=table.value, **ordered), asked.sum(axis=1)


@dataclass(frozen=True, slots=True)
class Ranks:
    """Conditions as whole numbers: where bounds lie among all bounds of their feature.

    The rank of a value is 1 + the number of bounds up to it, and 0 where it is missing.

    Attributes:
        bounds: One sorted array a feature.
        count: (leaves,) conditions of each leaf; those that follow only fill it up.
        low: (leaves, D) ranks from here on meet the condition.
        high: (leaves, D) ranks from here on do not.
    """

    bounds: tuple[Floats, ...]
    count: Counts
    low: Bins
    high: Bins

    @classmethod
    def of(cls, table: LeafTable, count: Counts, features: int) -> Ranks:
        """The ranks of a packed table's bounds, for rows of so many features."""
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
            above = 2 + np.searchsorted(own, highs, side="left")
            high.ravel()[here] = np.where(np.isposinf(highs), len(own) + 2, above)
        return cls(tuple(bounds), count, low, high)

    @property
    def top(self) -> Counts:
        """(p,) what is above every rank of a feature."""
        return np.array([len(own) + 2 for own in self.bounds], np.int64)

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
