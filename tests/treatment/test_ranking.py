"""What a ranking by effects is worth when its predictions were made out of fold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognosis.treatment import benefit_calibration, cross_fitted_effect, ranking_value
from prognosis.treatment.estimate import Estimate

Floats = NDArray[np.float64]

CASES = 500
PATIENTS = np.arange(CASES).astype(str)
FOLDS = np.arange(CASES) % 5


def drawn(seed: int, slope: float) -> tuple[Floats, Floats]:
    """Covariates, and scores whose mean is 1 and the first covariate's share of it `slope`."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(CASES, 4))
    return x, 1.0 + slope * x[:, 0] + rng.normal(size=CASES) * 3.0


def qini(seed: int, slope: float) -> Estimate:
    x, gap = drawn(seed, slope)
    predicted = cross_fitted_effect(x, gap, PATIENTS, FOLDS)
    return ranking_value(predicted, gap, PATIENTS, replicates=100).qini


def test_where_effects_are_alike_hardly_any_cross_fitted_ranking_is_found_worth_something() -> None:
    found = [qini(seed, 0.0) for seed in range(60)]
    assert sum(each.low > 0.0 for each in found) <= 5  # of 1.5 expected; more in five runs of a thousand
    assert np.mean([each.value for each in found]) < 0.0  # so that an interval below 0 is no finding


def test_an_effect_that_differs_is_found_and_its_size_is_right() -> None:
    assert all(qini(seed, 1.0).low > 0.0 for seed in range(5))
    x, gap = drawn(1, 1.0)
    predicted = cross_fitted_effect(x, gap, PATIENTS, FOLDS)
    slope = benefit_calibration(predicted, gap, PATIENTS).slope
    assert slope is not None
    assert slope.low < 1.0 < slope.high
