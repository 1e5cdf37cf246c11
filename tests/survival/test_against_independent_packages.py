"""Our statistics against published packages, with their conventions, on the cohorts of tests/golden."""

from __future__ import annotations

import numpy as np
import pytest

from prognosis.errors import CohortError
from prognosis.survival.antolini import antolini_c
from prognosis.survival.auc import dynamic_auc
from prognosis.survival.binomial_likelihood import nbll
from prognosis.survival.brier import brier_scores, integrated_brier, known_state_weights
from prognosis.survival.calibration import calibration_slope, smooth_calibration
from prognosis.survival.censoring import Censoring, estimate_censoring
from prognosis.survival.concordance import harrell_c, uno_c
from prognosis.survival.curves import Floats, aalen_johansen, kaplan_meier, nelson_aalen
from prognosis.survival.distribution_calibration import distribution_calibration
from prognosis.survival.incidence_calibration import LEAST_CASES, incidence_calibration
from prognosis.survival.influence import incidence_influence
from prognosis.survival.net_benefit import decision_curve
from prognosis.survival.restricted_mean import restricted_mean_survival
from prognosis.survival.statistic import once
from tests.survival.golden import NAMES, Golden, golden

CLOSE = 1e-6
THRESHOLDS = (0.05, 0.2, 0.5, 0.8)

every_cohort = pytest.mark.parametrize("name", NAMES)


def one_event(known: Golden, *, left_limit: bool) -> tuple[np.ndarray, Floats, Censoring]:
    """Cause 1 with other causes censored, the predicted risk of one event, and the censoring of that."""
    cause = (known.cohort.cause == 1).astype(np.int64)
    censoring = estimate_censoring(known.cohort.days, cause == 1, left_limit=left_limit)
    return cause, known.cohort.incidence(known.times, causes=1)[:, 0], censoring


@every_cohort
def test_curves_agree_with_lifelines(name: str) -> None:
    known = golden(name)
    days, event, expected = known.cohort.days, known.cohort.cause > 0, known.package("lifelines")
    np.testing.assert_allclose(kaplan_meier(days, event).at(known.times), expected["event_free"], atol=CLOSE)
    np.testing.assert_allclose(nelson_aalen(days, event).at(known.times), expected["hazard"], atol=CLOSE)
    found = restricted_mean_survival(days, event, known.tau).days
    assert found == pytest.approx(expected["restricted_mean"], rel=CLOSE)


@every_cohort
def test_incidences_and_standard_errors_agree_with_statsmodels(name: str) -> None:
    known = golden(name)
    days, cause, expected = known.cohort.days, known.cohort.cause, known.package("statsmodels")
    curves = [curve.at(known.times) for curve in aalen_johansen(days, cause, known.causes)]
    np.testing.assert_allclose(curves, expected["incidence"], atol=CLOSE)
    influence = incidence_influence(days, (cause > 0).astype(np.int64), 1, known.times)
    error = np.sqrt((influence**2).sum(axis=0))
    np.testing.assert_allclose(error, expected["standard_error"], atol=CLOSE)


@every_cohort
def test_concordances_and_censoring_agree_with_scikit_survival_and_torchsurv(name: str) -> None:
    known = golden(name)
    days, risk, expected = known.cohort.days, known.cohort.risk, known.package("sksurv")
    cause, _, censoring = one_event(known, left_limit=False)
    found = harrell_c(days, cause, risk, competing="censored")
    pairs = [found.value, found.concordant, found.discordant, found.tied_risk]
    np.testing.assert_allclose(pairs, expected["harrell"], atol=CLOSE)
    uno = uno_c(days, cause, risk, censoring, known.tau, competing="censored").value
    assert uno == pytest.approx(expected["uno"], abs=CLOSE)
    np.testing.assert_allclose(censoring.uncensored.at(known.times), expected["uncensored"], atol=CLOSE)
    assert found.value == pytest.approx(known.package("torchsurv"), abs=CLOSE)


@every_cohort
def test_dynamic_auc_agrees_with_scikit_survival(name: str) -> None:
    known = golden(name)
    expected = known.package("sksurv_auc")
    cause, _, censoring = one_event(known, left_limit=False)
    for time, value in zip(known.times, expected, strict=True):
        if value is not None:
            found = dynamic_auc(known.cohort.days, cause, known.cohort.risk, time, censoring)
            assert found == pytest.approx(value, abs=CLOSE)


@every_cohort
def test_brier_scores_agree_with_scikit_survival(name: str) -> None:
    known = golden(name)
    expected = known.package("sksurv_brier")
    cause, risk, censoring = one_event(known, left_limit=False)
    found = brier_scores(known.cohort.days, cause, risk, known.times, censoring)
    integrated = integrated_brier(known.cohort.days, cause, risk, known.times, censoring)
    np.testing.assert_allclose(found, expected["brier"], atol=CLOSE)
    assert integrated == pytest.approx(expected["ibs"], abs=CLOSE)


@every_cohort
def test_the_log_likelihood_agrees_with_pycox(name: str) -> None:
    known = golden(name)
    expected = known.package("pycox")["nbll"]
    cause, risk, censoring = one_event(known, left_limit=True)
    found = nbll(known.cohort.days, cause, risk, known.times, censoring)
    np.testing.assert_allclose(found, expected, atol=CLOSE)


@every_cohort
def test_antolinis_c_agrees_with_survivaleval(name: str) -> None:
    known = golden(name)
    cause, _, _ = one_event(known, left_limit=True)
    found = antolini_c(
        known.cohort.days, cause, lambda at: known.cohort.incidence(at, causes=1)[:, 0], tau=known.tau
    )
    assert found == pytest.approx(known.package("survivaleval")["antolini"], abs=CLOSE)


@every_cohort
def test_antolinis_c_agrees_with_pycox_where_no_risks_are_equal(name: str) -> None:
    known = golden(name)
    if len(np.unique(known.cohort.risk)) < len(known.cohort.risk):
        pytest.skip("pycox takes equal risks as discordant")
    cause, _, _ = one_event(known, left_limit=True)
    found = antolini_c(known.cohort.days, cause, lambda at: known.cohort.incidence(at, causes=1)[:, 0])
    assert found == pytest.approx(known.package("pycox")["antolini"], abs=CLOSE)


@every_cohort
def test_d_calibration_and_aj_calibration_agree_with_survivaleval(name: str) -> None:
    known = golden(name)
    expected = known.package("survivaleval")
    tenths = distribution_calibration(known.own_survival, known.cohort.cause > 0)
    np.testing.assert_allclose([tenths.statistic, tenths.p_value], expected["d_calibration"], atol=CLOSE)
    people = known.cohort.days, known.cohort.cause, known.risk, known.times
    if len(known.cohort.days) < LEAST_CASES:
        with pytest.raises(CohortError, match="AJ-calibration"):
            incidence_calibration(*people)
        return
    curves = incidence_calibration(*people)
    distances = [curves.mean_absolute, curves.mean_squared]
    np.testing.assert_allclose(distances, expected["aj_calibration"], atol=CLOSE)


@every_cohort
def test_net_benefit_agrees_with_dcurves(name: str) -> None:
    known = golden(name)
    expected = known.package("dcurves")
    event = (known.cohort.cause > 0).astype(np.int64)
    risk = known.cohort.incidence(np.array([known.horizon]), causes=1)[:, 0, 0]
    found = decision_curve(known.cohort.days, event, risk, known.horizon, THRESHOLDS)
    answered = [value is not None for value in expected["model"]]
    values = np.array(expected["model"], dtype=float)
    np.testing.assert_allclose(found.model[answered], values[answered], atol=CLOSE)
    np.testing.assert_allclose(found.treat_all, expected["all"], atol=CLOSE)


@every_cohort
def test_slope_and_smoothed_curve_agree_with_statsmodels(name: str) -> None:
    known = golden(name)
    expected = known.package("statsmodels_calibration")
    days, cause = known.cohort.days, known.cohort.cause
    censoring = estimate_censoring(days, cause > 0)
    weight = known_state_weights(days, cause, np.array([known.horizon]), censoring)[:, 0]
    outcome = (days <= known.horizon) & (cause == 1)
    risk = known.risk[:, len(known.times) // 2]
    slope = calibration_slope(outcome, weight, risk)(once(len(days)))[0]
    assert slope == pytest.approx(expected["slope"], abs=CLOSE)
    if expected["distances"] is None:
        pytest.skip("too few distinct risks for a curve")
    smooth = smooth_calibration(outcome, weight, risk)
    np.testing.assert_allclose([smooth.ici, smooth.e50, smooth.e90], expected["distances"], atol=CLOSE)
