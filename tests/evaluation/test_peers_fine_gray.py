"""Fine and Gray's model against lifelines on split, weighted rows (Geskus, Biometrics 2011;67:39)."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from prognosis.errors import CohortError
from prognosis.evaluation.peer_registry import peer_fits
from prognosis.evaluation.peers_fine_gray import fit_fine_gray
from prognosis.survival.cox import fit_cox_ridge
from prognosis.survival.curves import Floats, kaplan_meier
from tests.evaluation.cohorts import cohort


def competing(n: int, *, censored: bool = True) -> tuple[Floats, Floats, np.ndarray]:
    """Covariates, days and causes: the first covariate moves cause 1, the second cause 2."""
    rng = np.random.default_rng(3)
    covariates = rng.normal(size=(n, 2))
    end = rng.uniform(50.0, 900.0, n) if censored else np.full(n, 1e9)
    first = rng.exponential(300.0 * np.exp(-0.7 * covariates[:, 0]))
    second = rng.exponential(400.0 * np.exp(0.5 * covariates[:, 1]))
    times = np.stack([end, first, second], axis=1)
    return covariates, times.min(axis=1), times.argmin(axis=1)


def test_coefficients_are_those_of_a_weighted_cox_model_on_split_rows() -> None:
    pd = pytest.importorskip("pandas")
    lifelines = pytest.importorskip("lifelines")
    covariates, days, cause = competing(200)
    censoring = kaplan_meier(days, cause == 0)
    event_days = np.unique(days[cause == 1])
    rows = []
    for row in range(len(days)):
        rows.append((0.0, days[row], cause[row] == 1, 1.0, *covariates[row]))
        start = days[row]
        for day in event_days[event_days > start] if cause[row] == 2 else ():
            weight = float(censoring.before(day) / censoring.before(days[row]))
            rows.append((start, day, False, weight, *covariates[row]))
            start = day
    table = pd.DataFrame(rows, columns=["start", "stop", "event", "weight", "first", "second"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = lifelines.CoxPHFitter().fit(
            table,
            "stop",
            "event",
            entry_col="start",
            weights_col="weight",
            fit_options={"precision": 1e-14, "r_precision": 1e-16},
        )
    found = fit_fine_gray(covariates, days, cause, penalty=0.0)
    np.testing.assert_allclose(found.per_unit, reference.params_.to_numpy(), atol=1e-8)


def test_with_one_cause_it_is_coxs_model() -> None:
    covariates, days, cause = competing(200)
    single = np.where(cause == 1, 1, 0)
    found = fit_fine_gray(covariates, days, single, penalty=2.0)
    cox = fit_cox_ridge(covariates, days, single == 1, 2.0)
    np.testing.assert_allclose(found.per_unit, cox.per_unit, atol=1e-6)
    grid = np.array([50.0, 200.0, 500.0])
    np.testing.assert_allclose(
        found.incidence(covariates, grid), 1.0 - cox.survival(covariates, grid), atol=1e-6
    )


def test_without_censoring_those_with_another_cause_stay_at_risk_for_ever() -> None:
    covariates, days, cause = competing(200, censored=False)
    found = fit_fine_gray(covariates, days, cause, penalty=0.0)
    for_ever = np.where(cause == 2, days.max() + 1.0, days)
    cox = fit_cox_ridge(covariates, for_ever, cause == 1, 0.0)
    np.testing.assert_allclose(found.per_unit, cox.per_unit, atol=1e-6)


def test_the_peer_refuses_a_task_without_competing_causes() -> None:
    with pytest.raises(CohortError, match="one cause only"):
        peer_fits(0)["fine_gray"](cohort(60))


def test_the_peer_gives_rising_incidences_of_every_cause() -> None:
    known = cohort(150, ("relapse", "death"))
    days = np.array([1.0, 50.0, 200.0, 400.0])
    found = peer_fits(0)["fine_gray"](known).cumulative_incidence(known.cases[:20], days)
    assert found.shape == (20, 2, 4)
    assert (np.diff(found, axis=2) >= 0).all()
    assert ((found >= 0) & (found <= 1)).all()
