"""XGBoost models as peers: boosted Cox with Breslow's baseline, boosted failure times (AFT), boosted classes.

The number of trees (and the AFT scale) is chosen by inner cross-validation, so that the peers are not
weakened by settings that suit another data set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from prognosis.survival.breslow import BaselineHazard, breslow_baseline
from prognosis.survival.curves import Floats

if TYPE_CHECKING:
    import xgboost

_TREES = {"eta": 0.05, "max_depth": 3, "subsample": 0.8, "min_child_weight": 5.0, "verbosity": 0}
_MOST_ROUNDS = 300
_PATIENCE = 20
_AFT_SCALES = (0.6, 0.9, 1.2, 1.6)
_EARLIEST_DAY = 0.5


@dataclass(frozen=True, slots=True)
class BoostedCox:
    """Boosted log-hazards with one baseline hazard."""

    booster: xgboost.Booster
    baseline: BaselineHazard

    def survival(self, covariates: Floats, days: Floats) -> Floats:
        """(n, len(days)) probability of no event by each day."""
        hazard = self.baseline.at(days)[None, :] * np.exp(_margin(self.booster, covariates))[:, None]
        return np.asarray(np.exp(-hazard), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class BoostedAft:
    """Boosted log-times with normal errors of one scale."""

    booster: xgboost.Booster
    scale: float

    def survival(self, covariates: Floats, days: Floats) -> Floats:
        """(n, len(days)) probability of no event by each day."""
        late = np.log(np.maximum(days, _EARLIEST_DAY))[None, :] - _margin(self.booster, covariates)[:, None]
        return np.asarray(norm.sf(late / self.scale), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class BoostedClasses:
    """Boosted log-odds of classes."""

    booster: xgboost.Booster

    def probabilities(self, covariates: Floats) -> Floats:
        """(n, classes) probability of each class; rows sum to 1."""
        import xgboost

        return np.asarray(self.booster.predict(xgboost.DMatrix(covariates)), dtype=np.float64)


def fit_boosted_cox(
    covariates: Floats, days: Floats, event: NDArray[np.bool_], folds: NDArray[np.int64], *, seed: int
) -> BoostedCox:
    """Boost the Cox partial likelihood; the baseline uses margins of cases left out of the trees.

    A baseline from the margins of the cases that grew the trees would be too low: they fit too well.

    Args:
        covariates: (n, p) finite.
        days: (n,) follow-up in days.
        event: (n,) True where the event ended it.
        folds: (n,) inner fold of each case.
        seed: Of the trees' subsampling.
    """
    import xgboost

    matrix = xgboost.DMatrix(covariates, label=np.where(event, 1.0, -1.0) * np.maximum(days, _EARLIEST_DAY))
    settings = _TREES | {"objective": "survival:cox", "eval_metric": "cox-nloglik", "seed": seed}
    rounds, _ = _best_rounds(settings, matrix, folds)
    left_out = np.zeros(len(days))
    for fold in np.unique(folds):
        inside = np.flatnonzero(folds != fold)
        booster = xgboost.train(settings, matrix.slice(inside), rounds)
        left_out[folds == fold] = _margin(booster, covariates[folds == fold])
    baseline = breslow_baseline(days, event, left_out)
    return BoostedCox(xgboost.train(settings, matrix, rounds), baseline)


def fit_boosted_aft(
    covariates: Floats, days: Floats, event: NDArray[np.bool_], folds: NDArray[np.int64], *, seed: int
) -> BoostedAft:
    """Boost log-time with normal errors; the scale has the best cross-validated likelihood.

    Args:
        covariates: (n, p) finite.
        days: (n,) follow-up in days; an event on the index day counts as half a day after it.
        event: (n,) True where the event ended it.
        folds: (n,) inner fold of each case.
        seed: Of the trees' subsampling.
    """
    import xgboost

    lower = np.maximum(days, _EARLIEST_DAY)
    matrix = xgboost.DMatrix(covariates)
    matrix.set_float_info("label_lower_bound", lower)
    matrix.set_float_info("label_upper_bound", np.where(event, lower, np.inf))
    settings = _TREES | {
        "objective": "survival:aft",
        "eval_metric": "aft-nloglik",
        "aft_loss_distribution": "normal",
        "base_score": float(np.median(lower)),
        "seed": seed,
    }
    tried = []
    for scale in _AFT_SCALES:
        scaled = settings | {"aft_loss_distribution_scale": scale}
        tried.append((*_best_rounds(scaled, matrix, folds), scale))
    rounds, _, scale = min(tried, key=lambda each: each[1])
    scaled = settings | {"aft_loss_distribution_scale": scale}
    return BoostedAft(xgboost.train(scaled, matrix, rounds), scale)


def fit_boosted_classes(
    covariates: Floats, label: NDArray[np.int64], folds: NDArray[np.int64], *, seed: int
) -> BoostedClasses:
    """Boost the softmax likelihood of classes.

    Args:
        covariates: (n, p) finite.
        label: (n,) the class, from 0; every class occurs.
        folds: (n,) inner fold of each case.
        seed: Of the trees' subsampling.
    """
    import xgboost

    matrix = xgboost.DMatrix(covariates, label=label)
    settings = _TREES | {
        "objective": "multi:softprob",
        "eval_metric": "mlogloss",
        "num_class": int(label.max()) + 1,
        "seed": seed,
    }
    rounds, _ = _best_rounds(settings, matrix, folds)
    return BoostedClasses(xgboost.train(settings, matrix, rounds))


def _best_rounds(
    settings: dict[str, object], matrix: xgboost.DMatrix, folds: NDArray[np.int64]
) -> tuple[int, float]:
    """The number of trees with the lowest cross-validated loss, and that loss."""
    import xgboost

    splits = [
        (np.flatnonzero(folds != fold).tolist(), np.flatnonzero(folds == fold).tolist())
        for fold in np.unique(folds)
    ]
    history = xgboost.cv(
        settings, matrix, _MOST_ROUNDS, folds=splits, early_stopping_rounds=_PATIENCE, as_pandas=False
    )
    loss = np.asarray(history[f"test-{settings['eval_metric']}-mean"])
    best = int(loss.argmin())
    return best + 1, float(loss[best])


def _margin(booster: xgboost.Booster, covariates: Floats) -> Floats:
    import xgboost

    margin = booster.predict(xgboost.DMatrix(covariates), output_margin=True)
    return np.asarray(margin, dtype=np.float64)
