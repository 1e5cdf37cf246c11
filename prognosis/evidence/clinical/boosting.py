"""How boosted trees are grown: depth and number chosen on inner folds, within a budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from xgboost import Booster, DMatrix

Bools = NDArray[np.bool_]
MakeMatrix = Callable[[Bools], "DMatrix"]
"""From a mask over cases to XGBoost's table of them."""

_ROWS_FOR_THREADS = 20_000  # below, threads wait for one another longer than they work
_CASES_FOR_ONE_SPLIT = 4_000  # from here, one inner fold says as much as all of them do for a small cohort


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """How the trees are grown: slow and regularised, since hospital cohorts are small.

    Attributes:
        members: Kinds of trees beside the linear member: "boosted_cox" (log-hazard), "boosted_aft"
            (log-time) and "boosted_hazard" (discrete hazards of all causes together, which may change with
            time). A class at the index has one kind, "boosted_class", and a
            measurement too, "boosted_value", whatever stands here.
        depths: Depths tried on inner folds for the first kind of trees; the others use the depth found, and
            "boosted_hazard" one more, for its split by time.
        rate: Shrinkage of each tree.
        rounds: Most trees; the number used is chosen on inner folds.
        patience: Rounds without improvement before an inner fold stops.
        share_of_rows: Drawn for each tree.
        share_of_columns: Drawn for each tree.
        shrinkage: L2 penalty on leaf values.
        steps: Stretches of follow-up between which the discrete hazard's trees may tell apart.
    """

    members: tuple[str, ...] = ("boosted_cox", "boosted_aft", "boosted_hazard")
    depths: tuple[int, ...] = (1, 2, 4)
    rate: float = 0.06
    rounds: int = 250
    patience: int = 20
    share_of_rows: float = 0.8
    share_of_columns: float = 0.5
    shrinkage: float = 5.0
    steps: int = 5

    def parameters(self, seed: int, rows: int) -> dict[str, object]:
        """XGBoost's names for these settings, without objective and depth.

        Args:
            seed: Of the draws.
            rows: Rows of the table, for the number of threads.
        """
        return {
            "eta": self.rate,
            "subsample": self.share_of_rows,
            "colsample_bytree": self.share_of_columns,
            "lambda": self.shrinkage,
            "tree_method": "hist",
            "max_bin": 64,
            "seed": seed,
            "verbosity": 0,
            "nthread": threads(rows),
        }


def threads(rows: int) -> int:
    """XGBoost's number of threads for a table: one where more would wait longer than they work, else all."""
    return 1 if rows < _ROWS_FOR_THREADS else 0


@dataclass(frozen=True, slots=True)
class Grown:
    """Trees on all training cases, with the depth that the inner folds chose."""

    booster: Booster
    depth: int


def grow(
    matrix: MakeMatrix,
    parameters: dict[str, object],
    settings: TreeSettings,
    depths: Sequence[int],
    folds: NDArray[np.int64],
    event: Bools,
) -> Grown | None:
    """Grow the depth and the number of trees that cases left out find best.

    Args:
        matrix: The table of the cases under a mask.
        parameters: Objective and metric (lower is better), and `TreeSettings.parameters`.
        settings: How to grow.
        depths: Depths to try.
        folds: (n,) inner folds by patient.
        event: (n,) True where the case tells of an event; a fold without any cannot judge.

    Returns:
        None where no fold can judge.
    """
    import xgboost

    splits = [
        (matrix(folds != fold), matrix(folds == fold))
        for fold in np.unique(folds)
        if event[folds != fold].any() and event[folds == fold].any()
    ]
    if not splits:
        return None
    if len(folds) >= _CASES_FOR_ONE_SPLIT:
        splits = splits[:1]
    best = (np.inf, 0, 0)
    for depth in depths:
        own = {**parameters, "max_depth": depth}
        runs = [
            xgboost.train(
                own,
                train,
                settings.rounds,
                evals=[(test, "inner")],
                early_stopping_rounds=settings.patience,
                verbose_eval=False,
            )
            for train, test in splits
        ]
        score = float(np.mean([run.best_score for run in runs]))
        rounds = max(1, round(float(np.mean([run.best_iteration + 1 for run in runs]))))
        best = min(best, (score, depth, rounds))
    _, depth, rounds = best
    everyone = matrix(np.ones(len(folds), dtype=bool))
    return Grown(xgboost.train({**parameters, "max_depth": depth}, everyone, rounds), depth)
