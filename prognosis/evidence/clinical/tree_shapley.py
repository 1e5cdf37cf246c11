"""Exact Shapley values of trees for many patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.clinical.tree_tables import LeafTable, shapley_values

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class InterventionalTables:
    """Trees made ready for interventional Shapley values against a background.

    Attributes:
        table: The trees.
        met: (m, leaves, D) conditions that the background rows meet.
    """

    table: LeafTable
    met: NDArray[np.bool_]

    @classmethod
    def prepare(cls, table: LeafTable, background: Floats) -> InterventionalTables:
        """The tables for (m, p) background rows, NaN where missing."""
        return cls(table, table.meets(background))

    def values(self, raw: Floats) -> Floats:
        """(n, p) Shapley values; they add up to the margin less its background mean."""
        return shapley_values(self.table, raw, self.met)
