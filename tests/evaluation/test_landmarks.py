"""Judging by landmark: only those at risk there, against nobody but each other."""

from __future__ import annotations

import json

import numpy as np
import pytest

from prognosis.cohort.target import Target
from prognosis.evaluation.held_out import HeldOut, JudgingDays
from prognosis.evaluation.landmarks import judge_landmarks
from prognosis.evaluation.survival_folds import folds_of, pool
from prognosis.evaluation.survival_metrics import prepare_survival
from prognosis.outputs.estimate import Estimate
from prognosis.outputs.landmark_curves import LandmarkCurves, LandmarkLine, LandmarkPoint
from prognosis.outputs.landmark_figures import landmark_picture
from prognosis.survival.statistic import once

GRID = np.linspace(20.0, 400.0, 20)
HORIZONS = (100.0, 300.0)


def at_landmarks(patients: int, seed: int, *, censored_by: float = 700.0) -> tuple[HeldOut, np.ndarray]:
    """Patients of constant hazards asked at days 0 and 200 if still at risk, with the true incidence.

    Follow-up ends at `censored_by` days since entry for all: who is asked later is followed for less.
    """
    rng = np.random.default_rng(seed)
    hazard = np.exp(rng.normal(0.0, 1.0, patients)) / 600.0
    death = rng.exponential(1.0 / hazard)
    end = np.minimum(death, censored_by * rng.uniform(0.5, 1.0, patients))
    rows = [(n, s) for n in range(patients) for s in (0.0, 200.0) if end[n] > s]
    who, landmark = np.array([n for n, _ in rows]), np.array([s for _, s in rows])
    cause = (death[who] <= end[who]).astype(np.int64)
    edges = np.array([0.0, 1000.0])
    target = Target(("death",), cause, end[who] - landmark, edges, survival=True, landmark=landmark)
    truth = 1.0 - np.exp(-hazard[who][:, None, None] * GRID)
    clusters = np.array([f"p{n}" for n in who])
    return HeldOut(truth, GRID, target, target, clusters), hazard[who]


def test_each_landmark_is_judged_on_those_at_risk_there_and_nobody_else() -> None:
    part, _ = at_landmarks(400, 1)
    found = judge_landmarks({"ours": [part]}, HORIZONS, 0, 100)
    assert [(own.landmark, own.horizon_days) for own in found] == [(0, 100), (0, 300), (200, 100), (200, 300)]
    for own in found:
        here = part.target.landmark == own.landmark
        assert own.n == here.sum()
        assert (
            own.events["death"]
            == (part.target.cause[here] * (part.target.days[here] <= own.horizon_days)).sum()
        )
        ratio = own.result.metrics["observed_over_expected"]
        assert ratio.low < 1.0 < ratio.high
        assert own.result.metrics["uno_c"].low > 0.6
    assert json.loads(json.dumps(found[0].to_json(), allow_nan=False))["landmark"] == 0.0


def test_at_a_landmark_alone_the_metrics_are_those_of_a_cohort_without_landmarks() -> None:
    part, _ = at_landmarks(300, 1)
    rows = np.flatnonzero(part.target.landmark == 200.0)
    target = part.target.take(rows)
    plain = Target(target.causes, target.cause, target.days, target.edges, survival=True)
    alone = HeldOut(part.cif[rows], GRID, plain, plain, part.clusters[rows])
    judged = JudgingDays((300.0,), 300.0, np.linspace(6.0, 300.0, 50))
    expected = prepare_survival([alone], judged).statistics
    found = next(
        own for own in judge_landmarks({"ours": [part]}, (300.0,), 0, 50) if own.landmark == 200.0
    ).result.metrics
    for name, of_alone in (("uno_c", "uno_c"), ("ibs", "ibs"), ("auc", "auc@300"), ("brier", "brier@300")):
        assert found[name].value == pytest.approx(float(expected[of_alone](once(len(rows)))[0]), rel=1e-12)


def test_over_all_landmarks_nobody_is_compared_with_somebody_at_another() -> None:
    part, _ = at_landmarks(300, 2)
    judged = JudgingDays((300.0,), 300.0, np.linspace(6.0, 300.0, 50))
    shifted = part.cif * np.where(part.target.landmark == 200.0, 0.2, 1.0)[:, None, None]
    level = HeldOut(shifted, GRID, part.target, part.target, part.clusters)
    one = once(len(part.target))
    same, other = (prepare_survival([each], judged).statistics["uno_c"](one) for each in (part, level))
    assert same == pytest.approx(other)


def test_censoring_is_that_of_those_at_risk_at_the_landmark() -> None:
    part, _ = at_landmarks(400, 3)
    early, late = folds_of([part])
    assert early.censoring.last_day(0.01) > late.censoring.last_day(0.01) + 100.0


def test_cases_of_mixed_landmarks_are_pooled_in_their_own_order() -> None:
    part, _ = at_landmarks(100, 4)
    pooled = pool(folds_of([part]), np.array([100.0]), 1)
    np.testing.assert_array_equal(pooled.days, part.target.days)
    np.testing.assert_allclose(pooled.risk, part.risk_at(np.array([100.0]), 1))


def test_too_few_events_are_said_to_be_too_few() -> None:
    part, _ = at_landmarks(12, 5)
    found = judge_landmarks({"ours": [part]}, (20.0,), 0, 50)
    assert all(not own.result.metrics and own.result.refused["all"] == "fewer than 5 events" for own in found)


def test_other_methods_stand_beside_with_paired_differences() -> None:
    part, hazard = at_landmarks(300, 6)
    noise = np.random.default_rng(0).permutation(hazard)
    worse = HeldOut(1.0 - np.exp(-noise[:, None, None] * GRID), GRID, part.target, part.target, part.clusters)
    (first, *_) = judge_landmarks({"ours": [part], "noise": [worse]}, (300.0,), 0, 200)
    gain = {own.metric: own.difference for own in first.comparisons}
    assert gain["uno_c"].low > 0.0
    assert gain["ibs"].high < 0.0
    assert first.members["noise"].metrics["uno_c"].value < 0.6


def test_the_figure_says_every_point_in_words() -> None:
    points = tuple(
        LandmarkPoint(day, name, 40, 9, None if day == 365.0 else Estimate(0.8, 0.7, 0.9))
        for day, name in ((0.0, "entry"), (365.0, "1 year"))
    )
    curves = LandmarkCurves("Uno's C, death", "days since entry", (LandmarkLine("3 years", points),), True)
    said = landmark_picture(curves).alternative
    assert said == (
        "Uno's C, death by landmark, higher is better: 3 years from entry: 0.800 (0.700 to 0.900)."
    )
