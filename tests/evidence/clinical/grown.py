"""Small forests on rounded values, a fifth of them missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xgboost

from prognosis.evidence.clinical.tree_tables import LeafTable, leaf_table
from prognosis.evidence.clinical.trees import booster_trees


@dataclass(frozen=True)
class Forest:
    """XGBoost's model, and its leaves as we read them."""

    booster: xgboost.Booster
    leaves: LeafTable


def grown(objective: str, depth: int, rounds: int = 25, columns: int = 6) -> tuple[Forest, np.ndarray]:
    """A forest and the 300 rows it was grown on; rounding makes values equal to one another."""
    rng = np.random.default_rng(depth)
    raw = np.round(rng.normal(size=(300, columns)), 1)
    raw[rng.random(raw.shape) < 0.2] = np.nan
    risk = np.nan_to_num(raw[:, 0]) + np.nan_to_num(raw[:, 1]) * (np.nan_to_num(raw[:, 2]) > 0.0)
    days = rng.exponential(np.exp(-risk))
    label = days * np.where(rng.random(300) < 0.7, 1.0, -1.0) if "cox" in objective else risk > 0.2
    settings = {"objective": objective, "max_depth": depth, "eta": 0.2, "nthread": 1, "verbosity": 0}
    booster = xgboost.train(settings, xgboost.DMatrix(raw, label=label), rounds)
    return Forest(booster, leaf_table(booster_trees(booster))), raw
