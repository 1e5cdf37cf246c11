"""The effect for one patient by boosted trees on doubly robust scores: where a line is too stiff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.clinical.boosting import TreeSettings, grow
from prognosis.survival.bootstrap import cluster_weights

if TYPE_CHECKING:
    from xgboost import Booster, DMatrix

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_SETTINGS = TreeSettings(depths=(1, 2, 3), rate=0.05, rounds=150, patience=15, shrinkage=20.0)


@dataclass(frozen=True, slots=True)
class BoostedEffect:
    """Trees of the difference between two arms, and of its bootstrap samples.

    Attributes:
        booster: On all cases; None where no depth could be judged, so that the average holds for everybody.
        replicates: On patients drawn again.
        average: Mean difference.
        spread: Standard deviation of the differences, the trees' unit.
    """

    booster: Booster | None
    replicates: tuple[Booster, ...]
    average: float
    spread: float

    def effect(self, covariates: Floats) -> Floats:
        """(n,) difference of the two arms for each case, in the unit of the scores."""
        return self._of(self.booster, covariates)

    def standard_error(self, covariates: Floats) -> Floats:
        """(n,) spread of each case's effect over patients drawn again; shrinkage is not allowed for."""
        drawn = np.stack([self._of(each, covariates) for each in self.replicates])
        return np.asarray(drawn.std(axis=0, ddof=1))

    def _of(self, booster: Booster | None, covariates: Floats) -> Floats:
        from xgboost import DMatrix

        if booster is None:
            return np.full(len(covariates), self.average)
        return self.average + self.spread * booster.predict(DMatrix(covariates, nthread=1)).astype(np.float64)


def fit_boosted_effect(
    covariates: Floats,
    difference: Floats,
    patients: NDArray[np.str_],
    folds: Ints,
    *,
    replicates: int = 0,
    seed: int = 0,
) -> BoostedEffect:
    """Grow trees of squared error on the differences; depth and number by the folds.

    Args:
        covariates: (n, p).
        difference: (n,) scores under the arm asked about less those under the reference.
        patients: (n,) the patient of each case.
        folds: (n,) folds by patient.
        replicates: Bootstrap samples for `standard_error`, two or more; 0 for none.
        seed: Of all draws.
    """
    import xgboost

    average, spread = float(difference.mean()), float(difference.std()) or 1.0
    label = (difference - average) / spread

    def table(kept: Bools, weights: Floats | None = None) -> DMatrix:
        own = None if weights is None else weights[kept]
        return xgboost.DMatrix(covariates[kept], label=label[kept], weight=own, nthread=1)

    parameters = {
        **_SETTINGS.parameters(seed, len(label)),
        "objective": "reg:squarederror",
        "eval_metric": "rmse",
        "base_score": 0.0,
    }
    grown = grow(table, parameters, _SETTINGS, _SETTINGS.depths, folds, np.ones(len(label), dtype=bool))
    if grown is None:
        return BoostedEffect(None, (), average, spread)
    rounds = grown.booster.num_boosted_rounds()
    own = {**parameters, "max_depth": grown.depth}
    drawn = cluster_weights(patients, replicates, seed).astype(np.float64) if replicates else ()
    again = tuple(xgboost.train(own, table(weights > 0, weights), rounds) for weights in drawn)
    return BoostedEffect(grown.booster, again, average, spread)


def cross_fitted_boosted_effect(
    covariates: Floats, difference: Floats, patients: NDArray[np.str_], folds: Ints, seed: int = 0
) -> Floats:
    """(n,) effect of each case by trees of the other folds."""
    found = np.zeros(len(difference))
    for fold in np.unique(folds):
        held = folds == fold
        model = fit_boosted_effect(
            covariates[~held], difference[~held], patients[~held], folds[~held], seed=seed
        )
        found[held] = model.effect(covariates[held])
    return found
