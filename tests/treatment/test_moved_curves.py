"""The curve of one patient and the number beside it: what is unsure of one is unsure of the other."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from prognosis.treatment import ArmValues, fit_individual_curves
from prognosis.treatment.tabled_curves import MovedCurves, TabledCurves
from tests.treatment.cohorts import TAU, Cohort, Plan, draw

Floats = NDArray[np.float64]


@pytest.fixture(scope="module", params=[0.0, 0.5], ids=["alone", "beside another cause"])
def tabled(request: pytest.FixtureRequest) -> tuple[TabledCurves, Cohort]:
    cohort = draw(Plan(competing=request.param), 400, seed=3)
    folds = np.arange(400) % 3
    return TabledCurves.of(fit_individual_curves(cohort.cases, cohort.followed, TAU, folds)), cohort


def moved(tabled: TabledCurves, cohort: Cohort, error: float, row: int = 0) -> MovedCurves:
    days = np.array([420.0, 560.0])
    covariance = error**2 * np.array([[1.0, 0.4], [0.4, 2.0]])
    values = ArmValues(cohort.cases.arms, days, covariance, TAU)
    return tabled.moved_to(cohort.cases.covariates[row], values)


def test_the_drawn_curves_keep_days_that_spread_as_their_estimate_does(
    tabled: tuple[TabledCurves, Cohort],
) -> None:
    found = moved(*tabled, 30.0)
    assert found.kept == pytest.approx([420.0, 560.0], abs=1e-4)
    assert np.cov(found.drawn_kept, rowvar=False) == pytest.approx(
        900.0 * np.array([[1.0, 0.4], [0.4, 2.0]]), rel=1e-4
    )


def test_the_days_between_the_edges_of_a_band_are_no_fewer_than_the_interval_of_the_days(
    tabled: tuple[TabledCurves, Cohort],
) -> None:
    for error in (5.0, 30.0, 60.0):
        found = moved(*tabled, error)
        steps = np.diff(found.days)
        between = (found.high - found.low)[:, :-1] @ steps
        assert (between > 0.98 * 2 * 1.96 * error * np.sqrt([1.0, 2.0])).all()


def test_a_day_that_is_sure_leaves_the_shape_alone_unsure(tabled: tuple[TabledCurves, Cohort]) -> None:
    wide, narrow = (moved(*tabled, error) for error in (40.0, 1e-6))
    assert ((wide.high - wide.low)[:, -1] > (narrow.high - narrow.low)[:, -1]).all()
    assert (narrow.high - narrow.low).max() > 0.0


def test_a_ratio_of_risks_is_that_of_the_curves_and_turns_about(tabled: tuple[TabledCurves, Cohort]) -> None:
    found = moved(*tabled, 20.0)
    one, other = found.risk_ratio(1, 0), found.risk_ratio(0, 1)
    assert one is not None
    assert other is not None
    assert one.value == pytest.approx(found.incidence[1, -1] / found.incidence[0, -1])
    assert one.low < one.value < one.high
    assert (one.low, one.high) == pytest.approx((1 / other.high, 1 / other.low))


def test_no_ratio_is_given_to_a_risk_that_may_as_well_be_0(tabled: tuple[TabledCurves, Cohort]) -> None:
    curves, cohort = tabled
    values = ArmValues(cohort.cases.arms, np.array([985.0, 560.0]), np.diag([3e4, 1.0]), TAU)
    found = curves.moved_to(cohort.cases.covariates[0], values)
    assert found.risk_ratio(1, 0) is None
    assert (found.low >= 0.0).all()
    assert (found.high <= 1.0).all()
