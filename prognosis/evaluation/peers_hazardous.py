"""SurvivalBoost of the package hazardous as a peer: boosted incidences, competing causes natively."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from prognosis.cohort import Case, Cohort, cohort_target
from prognosis.errors import MissingDependencyError
from prognosis.evaluation.features import FeatureTable, learn_features
from prognosis.survival.curves import Floats


class _Boosted(Protocol):
    def predict_cumulative_incidence(self, covariates: Floats, days: Floats, /) -> Floats:
        """(n, K + 1, len(days)): the first row is no event."""
        ...


@dataclass(frozen=True, slots=True)
class SurvivalBoostPredictor:
    """A fitted `SurvivalBoost` on the peers' feature table."""

    features: FeatureTable
    model: _Boosted

    def cumulative_incidence(self, cases: Sequence[Case], days: Floats) -> Floats:
        """See `Predictor`."""
        found = self.model.predict_cumulative_incidence(self.features.transform(cases), days)
        return rising_incidence(np.asarray(found, dtype=np.float64)[:, 1:])


def rising_incidence(incidence: Floats) -> Floats:
    """(n, K, T) the same, where it falls held at what it was, and all of it from where the causes reach 1.

    It is boosted over time and so need not rise everywhere; a risk by a later day is never less.
    """
    rising = np.maximum.accumulate(incidence, axis=2)
    last = np.maximum((rising.sum(axis=1) <= 1.0).sum(axis=1) - 1, 0)
    kept = np.minimum(np.arange(rising.shape[2]), last[:, None])
    return np.asarray(np.take_along_axis(rising, kept[:, None, :], axis=2))


def fit_hazardous(cohort: Cohort, seed: int) -> SurvivalBoostPredictor:
    """Fit `SurvivalBoost` with its own defaults (100 rounds of at most 31 leaves, learning rate 0.05).

    Args:
        cohort: Labelled cases.
        seed: Of its sampling of horizons.

    Raises:
        MissingDependencyError: hazardous is not installed.
    """
    try:
        import pandas as pd
        from hazardous import SurvivalBoost
    except ImportError as error:
        raise MissingDependencyError(
            "hazardous", "is not installed", "pip install 'prognosis[bench]'"
        ) from error
    target = cohort_target(cohort)
    features = learn_features(cohort.task, cohort.cases)
    outcome = pd.DataFrame({"event": target.cause, "duration": target.days})
    model = SurvivalBoost(random_state=seed, show_progressbar=False)
    return SurvivalBoostPredictor(features, model.fit(features.transform(cohort.cases), outcome))
