"""Our statistics against scikit-survival and lifelines, on nine cohorts with and without ties."""

from __future__ import annotations

import numpy as np
import pytest

from prognosis.survival.auc import dynamic_auc
from prognosis.survival.brier import brier_scores, integrated_brier
from prognosis.survival.censoring import estimate_censoring
from prognosis.survival.concordance import harrell_c, uno_c
from prognosis.survival.curves import aalen_johansen, incidence_at, kaplan_meier, nelson_aalen
from tests.survival.golden import NAMES, golden

every_cohort = pytest.mark.parametrize("name", NAMES)


@every_cohort
def test_curves_agree_with_lifelines(name: str) -> None:
    cohort = golden(name)
    times, event = cohort.expected["times"], cohort.cause == 1
    survival = kaplan_meier(cohort.days, event).at(times)
    hazard = nelson_aalen(cohort.days, event).at(times)
    np.testing.assert_allclose(survival, cohort.expected["kaplan_meier"], atol=1e-9)
    np.testing.assert_allclose(hazard, cohort.expected["nelson_aalen"], atol=1e-9)


@every_cohort
def test_cumulative_incidences_agree_with_scikit_survival(name: str) -> None:
    cohort = golden(name)
    causes = int(cohort.cause.max())
    curves = aalen_johansen(cohort.days, cohort.cause, causes)
    found = [curve.at(cohort.expected["times"]) for curve in curves]
    np.testing.assert_allclose(found, cohort.expected["aalen_johansen"], atol=1e-9)


@every_cohort
def test_the_batched_incidence_is_the_aalen_johansen_curve(name: str) -> None:
    cohort = golden(name)
    weights = np.random.default_rng(0).integers(0, 3, (4, len(cohort.days))).astype(float)
    causes = int(cohort.cause.max())
    for time in cohort.expected["times"]:
        batched = incidence_at(cohort.days, cohort.cause, causes, time, weights)
        one_by_one = [aalen_johansen(cohort.days, cohort.cause, causes, row)[-1].at(time) for row in weights]
        np.testing.assert_allclose(batched, one_by_one, atol=1e-12)


@every_cohort
def test_the_censoring_distribution_agrees_with_scikit_survival(name: str) -> None:
    cohort = golden(name)
    censoring = estimate_censoring(cohort.days, cohort.cause == 1, left_limit=False)
    found = censoring.uncensored.at(cohort.expected["times"])
    np.testing.assert_allclose(found, cohort.expected["censoring"], atol=1e-9)


@every_cohort
def test_harrells_c_and_its_pairs_agree_with_scikit_survival(name: str) -> None:
    cohort = golden(name)
    found = harrell_c(cohort.days, cohort.cause, cohort.risk, competing="censored")
    pairs = [found.value, found.concordant, found.discordant, found.tied_risk]
    np.testing.assert_allclose(pairs, cohort.expected["harrell"], atol=1e-9)


@every_cohort
def test_unos_c_agrees_with_scikit_survival(name: str) -> None:
    cohort = golden(name)
    censoring = estimate_censoring(cohort.days, cohort.cause == 1, left_limit=False)
    tau = cohort.expected["tau"]
    found = uno_c(cohort.days, cohort.cause, cohort.risk, censoring, tau, competing="censored")
    assert found.value == pytest.approx(cohort.expected["uno"], abs=1e-6)


@every_cohort
def test_dynamic_auc_agrees_with_scikit_survival(name: str) -> None:
    cohort = golden(name)
    cause = (cohort.cause == 1).astype(np.int64)
    censoring = estimate_censoring(cohort.days, cause == 1, left_limit=False)
    found = [
        dynamic_auc(cohort.days, cause, cohort.risk, time, censoring) for time in cohort.expected["times"]
    ]
    np.testing.assert_allclose(found, cohort.expected["auc"], atol=1e-6)


@every_cohort
def test_brier_scores_agree_with_scikit_survival(name: str) -> None:
    cohort = golden(name)
    cause = (cohort.cause == 1).astype(np.int64)
    censoring = estimate_censoring(cohort.days, cause == 1, left_limit=False)
    times = np.array(cohort.expected["times"])
    found = brier_scores(cohort.days, cause, cohort.incidence, times, censoring)
    integrated = integrated_brier(cohort.days, cause, cohort.incidence, times, censoring)
    np.testing.assert_allclose(found, cohort.expected["brier"], atol=1e-6)
    assert integrated == pytest.approx(cohort.expected["ibs"], abs=1e-6)
