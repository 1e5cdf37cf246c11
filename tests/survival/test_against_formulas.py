"""Every statistic against its paper's formula, worked out by loops over people (tests/golden/by_hand.py)."""

from __future__ import annotations

import numpy as np
import pytest

from prognosis.errors import CohortError
from prognosis.survival.antolini import antolini_c
from prognosis.survival.auc import dynamic_auc
from prognosis.survival.binomial_likelihood import integrated_nbll, nbll
from prognosis.survival.brier import brier_contributions, brier_scores, integrate, integrated_brier
from prognosis.survival.calibration import calibration_bins, observed_over_expected
from prognosis.survival.censoring import estimate_censoring
from prognosis.survival.concordance import Competing, harrell_c, uno_c
from prognosis.survival.curves import aalen_johansen, incidence_at, kaplan_meier
from prognosis.survival.distribution_calibration import distribution_calibration
from prognosis.survival.incidence_calibration import LEAST_CASES, incidence_calibration
from prognosis.survival.net_benefit import decision_curve
from prognosis.survival.restricted_mean import restricted_mean_lost, restricted_mean_survival
from prognosis.survival.statistic import WeightedMean, once, relative_gain
from tests.survival.golden import NAMES, golden

CLOSE = 1e-9
THRESHOLDS = (0.05, 0.2, 0.5, 0.8)
CHOICES: tuple[Competing, ...] = ("event_free", "censored")

every_cohort = pytest.mark.parametrize("name", NAMES)


def test_there_are_at_least_twenty_cohorts_with_what_can_go_wrong() -> None:
    assert len(NAMES) >= 20
    assert {"all events on one day", "no late event", "study ends on one day", "three days only"} <= set(
        NAMES
    )


@every_cohort
def test_curves(name: str) -> None:
    known = golden(name)
    days, cause = known.cohort.days, known.cohort.cause
    curves = [curve.at(known.times) for curve in aalen_johansen(days, cause, known.causes)]
    np.testing.assert_allclose(curves, known.by_hand["incidence"], atol=CLOSE)
    survival = kaplan_meier(days, cause > 0).at(known.times)
    np.testing.assert_allclose(survival, known.by_hand["event_free"], atol=CLOSE)
    uncensored = estimate_censoring(days, cause > 0).uncensored.at(known.times)
    np.testing.assert_allclose(uncensored, known.by_hand["uncensored"], atol=CLOSE)


@every_cohort
def test_the_batched_incidence_is_the_aalen_johansen_curve(name: str) -> None:
    known = golden(name)
    days, cause, causes = known.cohort.days, known.cohort.cause, known.causes
    weights = np.random.default_rng(0).integers(0, 3, (4, len(days))).astype(float)
    for time in known.times:
        batched = incidence_at(days, cause, causes, time, weights)
        one_by_one = [aalen_johansen(days, cause, causes, row)[-1].at(time) for row in weights]
        np.testing.assert_allclose(batched, one_by_one, atol=1e-12)


@every_cohort
@pytest.mark.parametrize("competing", CHOICES)
def test_concordances(name: str, competing: Competing) -> None:
    known = golden(name)
    days, cause, risk = known.cohort.days, known.cohort.cause, known.cohort.risk
    censoring = estimate_censoring(days, cause > 0)
    found = [
        harrell_c(days, cause, risk, competing=competing).value,
        uno_c(days, cause, risk, censoring, known.tau, competing=competing).value,
        antolini_c(
            days, cause, lambda at: known.cohort.incidence(at)[:, 0], tau=known.tau, competing=competing
        ),
    ]
    expected = [known.by_hand[f"{kind}:{competing}"] for kind in ("harrell", "uno", "antolini")]
    np.testing.assert_allclose(found, expected, atol=CLOSE)


@every_cohort
@pytest.mark.parametrize("competing", CHOICES)
def test_dynamic_auc(name: str, competing: Competing) -> None:
    known = golden(name)
    days, cause = known.cohort.days, known.cohort.cause
    censoring = estimate_censoring(days, cause > 0)
    for column, time in enumerate(known.times):
        expected = known.by_hand[f"auc:{competing}"][column]
        if expected is None:
            with pytest.raises(CohortError):
                dynamic_auc(days, cause, known.risk[:, column], time, censoring, competing=competing)
            continue
        found = dynamic_auc(days, cause, known.risk[:, column], time, censoring, competing=competing)
        assert found == pytest.approx(expected, abs=CLOSE)


@every_cohort
def test_errors_of_the_predicted_risk(name: str) -> None:
    known = golden(name)
    days, cause = known.cohort.days, known.cohort.cause
    cases = days, cause, known.risk, known.times, estimate_censoring(days, cause > 0)
    np.testing.assert_allclose(brier_scores(*cases), known.by_hand["brier"], atol=CLOSE)
    np.testing.assert_allclose(nbll(*cases), known.by_hand["nbll"], atol=CLOSE)
    assert integrated_brier(*cases) == pytest.approx(known.by_hand["ibs"], abs=CLOSE)
    assert integrated_nbll(*cases) == pytest.approx(known.by_hand["integrated_nbll"], abs=CLOSE)


@every_cohort
def test_the_share_of_error_removed_beside_predicting_the_average(name: str) -> None:
    known = golden(name)
    days, cause, times = known.cohort.days, known.cohort.cause, known.times
    average = np.tile(aalen_johansen(days, cause, known.causes)[0].at(times), (len(days), 1))
    censoring = estimate_censoring(days, cause > 0)
    error, reference = (
        WeightedMean(integrate(brier_contributions(days, cause, risk, times, censoring), times))
        for risk in (known.risk, average)
    )
    expected = 1.0 - known.by_hand["ibs"] / known.by_hand["ibs_of_average"]
    assert relative_gain(error, reference)(once(len(days)))[0] == pytest.approx(expected, abs=CLOSE)


@every_cohort
def test_observed_over_expected_and_bins(name: str) -> None:
    known = golden(name)
    days, cause = known.cohort.days, known.cohort.cause
    ratios = [
        observed_over_expected(days, cause, known.risk[:, column], time)(once(len(days)))[0]
        for column, time in enumerate(known.times)
    ]
    np.testing.assert_allclose(ratios, known.by_hand["observed_over_expected"], atol=CLOSE)
    risk = known.risk[:, len(known.times) // 2]
    bins = calibration_bins(days, cause, risk, known.horizon)
    found = [[each.predicted, each.observed, each.cases] for each in bins]
    np.testing.assert_allclose(found, known.by_hand["bins"], atol=CLOSE)


@every_cohort
def test_d_calibration(name: str) -> None:
    known = golden(name)
    found = distribution_calibration(known.own_survival, known.cohort.cause > 0)
    expected = np.array(known.by_hand["d_calibration"])
    np.testing.assert_allclose(found.people, expected, atol=CLOSE)
    even = len(known.cohort.days) / 10
    assert found.statistic == pytest.approx(((expected - even) ** 2).sum() / even, abs=1e-6)


@every_cohort
def test_aj_calibration(name: str) -> None:
    known = golden(name)
    people = known.cohort.days, known.cohort.cause, known.risk, known.times
    if len(known.cohort.days) < LEAST_CASES:
        with pytest.raises(CohortError, match="AJ-calibration"):
            incidence_calibration(*people)
        return
    found = incidence_calibration(*people)
    distances = [found.mean_absolute, found.mean_squared]
    np.testing.assert_allclose(distances, known.by_hand["aj_calibration"], atol=CLOSE)


@every_cohort
def test_net_benefit(name: str) -> None:
    known = golden(name)
    risk = known.risk[:, len(known.times) // 2]
    found = decision_curve(known.cohort.days, known.cohort.cause, risk, known.horizon, THRESHOLDS)
    np.testing.assert_allclose(found.model, known.by_hand["net_benefit"], atol=CLOSE)
    np.testing.assert_allclose(found.treat_all, known.by_hand["treat_all"], atol=CLOSE)
    np.testing.assert_array_equal(found.treat_none, np.zeros(len(THRESHOLDS)))


@every_cohort
def test_restricted_means_and_their_variances(name: str) -> None:
    known = golden(name)
    days, cause = known.cohort.days, known.cohort.cause
    lost = [restricted_mean_lost(days, cause, known.tau, k) for k in range(1, known.causes + 1)]
    free = restricted_mean_survival(days, cause > 0, known.tau)
    np.testing.assert_allclose([each.days for each in lost], known.by_hand["days_lost"], rtol=1e-9)
    assert free.days + sum(each.days for each in lost) == pytest.approx(known.tau)
    assert free.variance == pytest.approx(known.by_hand["restricted_mean_variance"], rel=1e-6, abs=1e-9)
    if "days_lost_variance" in known.by_hand:
        variances = [each.variance for each in lost]
        np.testing.assert_allclose(variances, known.by_hand["days_lost_variance"], rtol=1e-6, atol=1e-9)
