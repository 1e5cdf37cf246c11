"""The boosted-tree member: one small XGBoost model a cause, read exactly."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.target import Target
from prognosis.evidence.clinical.tree_tables import LeafTable, leaf_table
from prognosis.evidence.readout import FEWEST_EVENTS, rows_of

if TYPE_CHECKING:
    from xgboost import Booster, DMatrix

Floats = NDArray[np.float64]

_ROWS_FOR_THREADS = 20_000  # below, threads wait for one another longer than they work


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """How the trees are grown: small, slow and regularised, since hospital cohorts are small.

    Attributes:
        depth: Of a tree.
        rate: Shrinkage of each tree.
        rounds: Most trees; the number used is chosen on inner folds.
        patience: Rounds without improvement before an inner fold stops.
        share_of_rows: Drawn for each tree.
        share_of_columns: Drawn for each tree.
        shrinkage: L2 penalty on leaf values.
    """

    depth: int = 2
    rate: float = 0.06
    rounds: int = 250
    patience: int = 20
    share_of_rows: float = 0.8
    share_of_columns: float = 0.5
    shrinkage: float = 5.0


@dataclass(frozen=True, slots=True)
class Forest:
    """The trees of one cause, and their leaves as a table.

    XGBoost sums in single precision in an order of its own; the table adds in double precision, so that
    Shapley values add up to the margin to rounding of a double.
    """

    booster: Booster
    leaves: LeafTable

    def margin(self, raw: Floats) -> Floats:
        """(n,) log-hazard (log-odds for a class), up to a constant; NaN in `raw` means missing."""
        return self.leaves.margin(raw)


def forest(booster: Booster) -> Forest:
    """The booster with its leaves read out."""
    model = json.loads(bytes(booster.save_raw("json")))
    return Forest(booster, leaf_table(model["learner"]["gradient_booster"]["model"]["trees"]))


def fit_forests(
    raw: Floats,
    target: Target,
    inner_folds: NDArray[np.int64],
    weights: Floats,
    settings: TreeSettings,
    seed: int,
) -> tuple[Forest | None, ...]:
    """One forest a cause; None for a cause with too few events or without columns.

    Args:
        raw: (n, p) columns, NaN where missing.
        target: What happened.
        inner_folds: (n,) folds by patient, for the number of trees.
        weights: (n,) case weights.
        settings: How to grow.
        seed: Of the draws.
    """
    forests: list[Forest | None] = []
    for place in range(len(target.causes)):
        rows = rows_of(target, place)
        event = target.cause[rows] == place + 1
        if event.sum() < 2 * FEWEST_EVENTS or not raw.shape[1]:
            forests.append(None)
            continue
        label = np.maximum(target.days[rows], 1e-3)
        label = np.where(event, label, -label) if target.survival else event.astype(float)
        table = _Table(raw[rows].astype(np.float32), label, weights[rows], inner_folds[rows], event)
        forests.append(_grow(table, _parameters(target, settings, seed, len(label)), settings))
    return tuple(forests)


@dataclass(frozen=True, slots=True)
class _Table:
    raw: NDArray[np.float32]
    label: Floats
    weights: Floats
    folds: NDArray[np.int64]
    event: NDArray[np.bool_]

    def matrix(self, rows: NDArray[np.bool_]) -> DMatrix:
        from xgboost import DMatrix

        return DMatrix(self.raw[rows], label=self.label[rows], weight=self.weights[rows])


def _parameters(target: Target, settings: TreeSettings, seed: int, rows: int) -> dict[str, object]:
    return {
        "objective": "survival:cox" if target.survival else "binary:logistic",
        "eval_metric": "cox-nloglik" if target.survival else "logloss",
        "max_depth": settings.depth,
        "eta": settings.rate,
        "subsample": settings.share_of_rows,
        "colsample_bytree": settings.share_of_columns,
        "lambda": settings.shrinkage,
        "tree_method": "hist",
        "max_bin": 64,
        "seed": seed,
        "verbosity": 0,
        "nthread": 1 if rows < _ROWS_FOR_THREADS else 0,
    }


def _grow(table: _Table, parameters: dict[str, object], settings: TreeSettings) -> Forest | None:
    """Grow as many trees as the inner folds found best on average."""
    import xgboost

    found: list[int] = []
    for fold in np.unique(table.folds):
        kept = table.folds != fold
        if not table.event[kept].any() or not table.event[~kept].any():
            continue
        booster = xgboost.train(
            parameters,
            table.matrix(kept),
            settings.rounds,
            evals=[(table.matrix(~kept), "inner")],
            early_stopping_rounds=settings.patience,
            verbose_eval=False,
        )
        found.append(booster.best_iteration + 1)
    if not found:
        return None
    everyone = np.ones(len(table.label), dtype=bool)
    rounds = max(1, round(float(np.mean(found))))
    return forest(xgboost.train(parameters, table.matrix(everyone), rounds))
