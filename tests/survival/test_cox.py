"""The Cox model agrees with independent implementations."""

from __future__ import annotations

import numpy as np
import pytest

from prognosis.errors import CohortError
from prognosis.survival.breslow import breslow_baseline
from prognosis.survival.cox import choose_penalty, fit_cox_ridge


def _cohort(
    seed: int, cases: int = 160, width: int = 5, *, tied: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    covariates = rng.normal(size=(cases, width)) * rng.uniform(0.1, 20.0, width) + rng.normal(size=width)
    truth = (covariates - covariates.mean(axis=0)) / covariates.std(axis=0) @ rng.normal(size=width) * 0.5
    days = rng.exponential(np.exp(-truth)) * 100.0
    censoring = rng.exponential(120.0, cases)
    event = days <= censoring
    days = np.minimum(days, censoring)
    return covariates, np.ceil(days / 7.0) if tied else days, event


def _standardised(covariates: np.ndarray) -> np.ndarray:
    return (covariates - covariates.mean(axis=0)) / covariates.std(axis=0)


@pytest.mark.parametrize("penalty", [0.0, 1.0, 30.0])
@pytest.mark.parametrize("tied", [True, False])
def test_coefficients_equal_those_of_scikit_survival(penalty: float, tied: bool) -> None:
    linear_model = pytest.importorskip("sksurv.linear_model")
    covariates, days, event = _cohort(1, tied=tied)
    ours = fit_cox_ridge(covariates, days, event, penalty)
    label = np.array(list(zip(event, days, strict=True)), dtype=[("event", bool), ("days", float)])
    theirs = linear_model.CoxPHSurvivalAnalysis(alpha=penalty, ties="efron", tol=1e-14, n_iter=300)
    theirs.fit(_standardised(covariates), label)
    assert ours.converged
    np.testing.assert_allclose(ours.coefficients, theirs.coef_, atol=1e-6)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Starting with pandas")
def test_case_weights_and_the_likelihood_equal_those_of_lifelines() -> None:
    lifelines = pytest.importorskip("lifelines")
    pandas = pytest.importorskip("pandas")
    covariates, days, event = _cohort(2)
    weights = np.random.default_rng(3).integers(1, 4, len(days)).astype(float)
    table = pandas.DataFrame(covariates, columns=[f"x{i}" for i in range(covariates.shape[1])])
    table["days"], table["event"], table["weight"] = days, event, weights
    theirs = lifelines.CoxPHFitter().fit(table, "days", "event", weights_col="weight")
    ours = fit_cox_ridge(covariates, days, event, 0.0, weights)
    np.testing.assert_allclose(ours.per_unit, theirs.params_.to_numpy(), atol=1e-6)
    assert ours.log_likelihood == pytest.approx(theirs.log_likelihood_, abs=1e-6)


def test_the_baseline_hazard_equals_that_of_scikit_survival() -> None:
    linear_model = pytest.importorskip("sksurv.linear_model")
    covariates, days, event = _cohort(4)
    ours = fit_cox_ridge(covariates, days, event, 2.0)
    label = np.array(list(zip(event, days, strict=True)), dtype=[("event", bool), ("days", float)])
    theirs = linear_model.CoxPHSurvivalAnalysis(alpha=2.0, ties="efron", tol=1e-14, n_iter=300)
    theirs.fit(_standardised(covariates), label)
    expected = theirs.cum_baseline_hazard_
    np.testing.assert_allclose(ours.baseline.at(expected.x), expected.y, atol=1e-6)


def test_a_case_of_weight_two_counts_as_two_cases_when_nothing_is_tied() -> None:
    covariates, days, event = _cohort(5, tied=False)
    weights = np.where(event, 1.0, 2.0)
    twice = np.repeat(np.arange(len(days)), weights.astype(int))
    weighted = fit_cox_ridge(covariates, days, event, 0.0, weights)
    repeated = fit_cox_ridge(covariates[twice], days[twice], event[twice], 0.0)
    np.testing.assert_allclose(weighted.per_unit, repeated.per_unit, atol=1e-8)


def test_more_covariates_than_cases_give_the_same_fit_as_the_full_newton_step() -> None:
    covariates, days, event = _cohort(6, cases=40, width=60)
    linear_model = pytest.importorskip("sksurv.linear_model")
    label = np.array(list(zip(event, days, strict=True)), dtype=[("event", bool), ("days", float)])
    theirs = linear_model.CoxPHSurvivalAnalysis(alpha=5.0, ties="efron", tol=1e-14, n_iter=300)
    theirs.fit(_standardised(covariates), label)
    ours = fit_cox_ridge(covariates, days, event, 5.0)
    np.testing.assert_allclose(ours.coefficients, theirs.coef_, atol=1e-6)


def test_survival_never_rises_and_the_order_of_cases_does_not_matter() -> None:
    covariates, days, event = _cohort(7)
    model = fit_cox_ridge(covariates, days, event, 3.0)
    order = np.random.default_rng(8).permutation(len(days))
    shuffled = fit_cox_ridge(covariates[order], days[order], event[order], 3.0)
    np.testing.assert_allclose(model.coefficients, shuffled.coefficients, atol=1e-9)
    curve = model.survival(covariates[:5], np.linspace(0.0, 80.0, 50))
    assert (np.diff(curve, axis=1) <= 0.0).all()
    assert ((curve >= 0.0) & (curve <= 1.0)).all()


def test_a_covariate_that_does_not_vary_has_no_effect() -> None:
    covariates, days, event = _cohort(9)
    covariates[:, 2] = 4.0
    model = fit_cox_ridge(covariates, days, event, 0.0)
    assert model.coefficients[2] == pytest.approx(0.0, abs=1e-12)


def test_noise_is_shrunk_more_than_signal() -> None:
    covariates, days, event = _cohort(10, cases=300)
    folds = np.arange(300) % 5
    noise = np.random.default_rng(11).normal(size=(300, 30))
    signal = choose_penalty(covariates, days, event, folds)
    nothing = choose_penalty(noise, days, event, folds)
    assert nothing.penalty > signal.penalty
    assert signal.likelihoods.max() > signal.null_likelihood


def test_without_an_event_there_is_no_model() -> None:
    covariates, days, event = _cohort(12)
    with pytest.raises(CohortError):
        fit_cox_ridge(covariates, days, np.zeros_like(event), 1.0)
    with pytest.raises(CohortError):
        breslow_baseline(days, np.zeros_like(event), np.zeros(len(days)))


def test_what_is_known_beforehand_is_not_learned_again() -> None:
    rng = np.random.default_rng(3)
    covariates = rng.normal(size=(3000, 2))
    days = rng.exponential(np.exp(-covariates @ np.array([1.0, 0.8])))
    event = np.ones(3000, dtype=bool)
    beside = fit_cox_ridge(covariates[:, :1], days, event, 0.0, offset=0.8 * covariates[:, 1])
    whole = fit_cox_ridge(covariates, days, event, 0.0)
    alone = fit_cox_ridge(covariates[:, :1], days, event, 0.0)
    assert beside.per_unit[0] == pytest.approx(whole.per_unit[0], abs=0.02)
    assert alone.per_unit[0] < 0.9
