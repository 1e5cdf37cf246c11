"""scikit-survival's methods as peers of the benchmark: random survival forest, boosting, Coxnet.

scikit-survival is under the GPL, so these stand outside the packages `prognosis` and `connectors`, which
never import it; a benchmark opts in by naming this file under `peer_files`. The extra `oracles` installs it.

Settings bound time and memory on the largest sets, and are the same on every set. A forest sees follow-up on
at most 50 quantiles of the event times, because each of its nodes keeps a curve over all of them and its
search for splits takes time in proportion; each tree draws at most 2,000 patients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import CohortError, MissingDependencyError
from prognosis.survival.breslow import BaselineHazard, breslow_baseline
from prognosis.survival.curves import Floats
from prognosis.survival.partial_likelihood import RiskSets

Flags = NDArray[np.bool_]
Folds = NDArray[np.int64]

FOREST = {"n_estimators": 200, "min_samples_leaf": 15, "max_features": "sqrt", "n_jobs": 1}
FOREST_TIMES = 50
FOREST_SAMPLES = 2_000
BOOSTING = {
    "learning_rate": 0.1,
    "max_depth": 3,
    "min_samples_leaf": 10,
    "subsample": 0.5,
    "max_features": 0.5,
}
TREES_TRIED = (10, 20, 30, 50, 75, 100, 150)
TREES = 100
MOST_TUNED = 1_000
COXNET = {"l1_ratio": 0.9, "max_iter": 10_000}
PENALTIES = 40


class _Ensemble(Protocol):
    unique_times_: Floats

    def predict_survival_function(self, covariates: Floats, *, return_array: bool) -> Floats: ...


class _Path(Protocol):
    alphas_: Floats
    coef_: Floats


@dataclass(frozen=True, slots=True)
class Curves:
    """A fitted ensemble whose curves are read from scikit-survival.

    Attributes:
        model: The estimator.
        columns: (p,) the covariates that it read: those that vary in training.
    """

    model: _Ensemble
    columns: Flags

    def survival(self, covariates: Floats, days: Floats) -> Floats:
        """(n, len(days)) probability of no event by each day."""
        curves = self.model.predict_survival_function(covariates[:, self.columns], return_array=True)
        steps: Floats = np.concatenate([np.ones((len(covariates), 1)), curves], axis=1)
        return steps[:, np.searchsorted(self.model.unique_times_, days, side="right")]


@dataclass(frozen=True, slots=True)
class Linear:
    """Coefficients of an elastic net and Breslow's baseline.

    Attributes:
        coefficients: (p,) log-hazard per standard deviation; 0 for a covariate left out.
        means: (p,) what is subtracted from each covariate.
        scales: (p,) what each is then divided by.
        baseline: Cumulative hazard at the means.
    """

    coefficients: Floats
    means: Floats
    scales: Floats
    baseline: BaselineHazard

    def survival(self, covariates: Floats, days: Floats) -> Floats:
        """(n, len(days)) probability of no event by each day."""
        log_hazard = ((covariates - self.means) / self.scales) @ self.coefficients
        return np.asarray(np.exp(-self.baseline.at(days)[None, :] * np.exp(log_hazard)[:, None]))


def fit_forest(covariates: Floats, days: Floats, event: Flags, folds: Folds, *, seed: int) -> Curves:
    """A random survival forest (Ishwaran et al. 2008) of 200 trees; `folds` is not used: nothing is tuned."""
    del folds
    ensemble = _module("ensemble")
    coarse = on_quantiles(days, event, FOREST_TIMES)
    columns = _varying(covariates)
    model = ensemble.RandomSurvivalForest(
        **FOREST, max_samples=min(FOREST_SAMPLES, len(days)), random_state=seed
    )
    return Curves(model.fit(covariates[:, columns], _outcome(coarse, event)), columns)


def fit_boosting(covariates: Floats, days: Floats, event: Flags, folds: Folds, *, seed: int) -> Curves:
    """Gradient-boosted Cox trees.

    Their number has the best partial likelihood over the inner folds; with more than 1,000 patients, where
    trees take long to grow, it is 100.
    """
    ensemble = _module("ensemble")
    columns = _varying(covariates)
    covariates = covariates[:, columns]

    def staged(kept: Flags) -> list[Floats]:
        model = ensemble.GradientBoostingSurvivalAnalysis(
            **BOOSTING, n_estimators=max(TREES_TRIED), random_state=seed
        )
        model.fit(covariates[kept], _outcome(days[kept], event[kept]))
        stages = list(model.staged_predict(covariates))
        return [stages[trees - 1] for trees in TREES_TRIED]

    trees = TREES
    if len(days) <= MOST_TUNED:
        trees = TREES_TRIED[_best(days, event, folds, staged)]
    final = ensemble.GradientBoostingSurvivalAnalysis(**BOOSTING, n_estimators=trees, random_state=seed)
    return Curves(final.fit(covariates, _outcome(days, event)), columns)


def fit_coxnet(covariates: Floats, days: Floats, event: Flags, folds: Folds, *, seed: int) -> Linear:
    """Elastic-net Cox with the penalty of the best likelihood over inner folds; `seed` is not used."""
    del seed
    linear = _module("linear_model")
    means, spread = covariates.mean(axis=0), covariates.std(axis=0)
    scales = np.where(spread > 0, spread, 1.0)
    design = (covariates - means) / scales

    def fitted(kept: Flags, **penalties: float | Floats) -> _Path:
        try:
            return linear.CoxnetSurvivalAnalysis(**COXNET, **penalties).fit(
                design[kept], _outcome(days[kept], event[kept])
            )
        except ArithmeticError as error:  # raised by its coordinate descent when a step overflows
            raise CohortError("Coxnet", "does not converge", "use fewer columns") from error

    everyone = np.ones(len(days), dtype=bool)
    path = fitted(everyone, n_alphas=PENALTIES, alpha_min_ratio=0.01)

    def along(kept: Flags) -> list[Floats]:
        model = fitted(kept, alphas=path.alphas_)
        # A path may end before its last penalty; its end then stands for the rest.
        places = np.minimum(np.arange(len(path.alphas_)), model.coef_.shape[1] - 1)
        return [design @ model.coef_[:, place] for place in places]

    coefficients = path.coef_[:, _best(days, event, folds, along)]
    return Linear(coefficients, means, scales, breslow_baseline(days, event, design @ coefficients))


def _best(days: Floats, event: Flags, folds: Folds, candidates: Callable[[Flags], list[Floats]]) -> int:
    """The candidate with the best cross-validated partial likelihood (Verweij and van Houwelingen 1993).

    Args:
        days: (n,) follow-up in days.
        event: (n,) True where the event ended it.
        folds: (n,) inner folds.
        candidates: The log-hazards (n,) of every candidate, fitted to the patients kept.
    """
    everyone = RiskSets(days, event, np.ones(len(days)))
    gained: list[Floats] = []
    for fold in np.unique(folds):
        kept = folds != fold
        if event[kept].any() and event[~kept].any():
            fitted = RiskSets(days[kept], event[kept], np.ones(int(kept.sum())))
            left_out = [everyone.log_likelihood(h) - fitted.log_likelihood(h[kept]) for h in candidates(kept)]
            gained.append(np.array(left_out))
    return int(np.sum(gained, axis=0).argmax())


def on_quantiles(days: Floats, event: Flags, most: int) -> Floats:
    """(n,) follow-up moved to the next of at most `most` quantiles of the event times; unchanged with fewer.

    Follow-up beyond the last event keeps its day, so that nobody is taken out of a risk set.
    """
    times = np.unique(days[event])
    if len(times) <= most:
        return days
    grid = np.unique(np.quantile(times, np.linspace(0.0, 1.0, most + 1)[1:], method="higher"))
    place = np.searchsorted(grid, days, side="left")
    return np.where(place < len(grid), grid[np.minimum(place, len(grid) - 1)], days)


def _varying(covariates: Floats) -> Flags:
    varies: Flags = np.ptp(covariates, axis=0) > 0
    return varies


def _outcome(days: Floats, event: Flags) -> NDArray[np.void]:
    outcome = np.empty(len(days), dtype=[("event", bool), ("days", float)])
    outcome["event"], outcome["days"] = event, days
    return outcome


def _module(name: str) -> ModuleType:
    try:
        return import_module(f"sksurv.{name}")
    except ImportError as error:
        raise MissingDependencyError(
            "scikit-survival", "is not installed", "pip install 'prognosis[oracles]'"
        ) from error


PEERS = {
    "random_survival_forest": fit_forest,
    "gradient_boosted_survival": fit_boosting,
    "coxnet": fit_coxnet,
}
