"""What can be done with tables of leaves: scale, add up, and fix one column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.clinical.tree_tables import LeafTable

_MET_BY_ALL = {"feature": 0, "low": -np.inf, "high": np.inf, "missing": True}


def scaled(table: LeafTable, factor: float) -> LeafTable:
    """The trees times a number."""
    return replace(table, value=table.value * factor)


def added(tables: Sequence[LeafTable]) -> LeafTable:
    """All trees of several tables together: margins add up."""
    depth = max(table.feature.shape[1] for table in tables)
    joined = {
        field.name: np.concatenate([_widened(table, field.name, depth) for table in tables])
        for field in fields(LeafTable)
    }
    return LeafTable(**joined)


def fixed(table: LeafTable, column: int, value: float) -> LeafTable:
    """The trees with one column known to be `value`: leaves that it rules out go, its condition is met."""
    own = table.feature == column
    inside = (value >= table.low) & (value < table.high)
    kept = (~own | inside).all(axis=1)
    here = own[kept]
    changed = {
        name: np.where(here, neutral, getattr(table, name)[kept]).astype(getattr(table, name).dtype)
        for name, neutral in _neutral(table).items()
    }
    return LeafTable(value=table.value[kept], **changed)


def _neutral(table: LeafTable) -> dict[str, float]:
    """What each condition array holds for a condition that everything meets."""
    return {field.name: _MET_BY_ALL.get(field.name, 1.0) for field in fields(table) if field.name != "value"}


def _widened(table: LeafTable, name: str, depth: int) -> NDArray[np.generic]:
    array: NDArray[np.generic] = getattr(table, name)
    missing = depth - table.feature.shape[1]
    if name == "value" or not missing:
        return array
    return np.pad(array, ((0, 0), (0, missing)), constant_values=_neutral(table)[name])
