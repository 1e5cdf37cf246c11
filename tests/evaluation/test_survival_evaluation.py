"""Judging time-to-event predictions: the truth wins, nothing is NaN, the unanswerable is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from prognosis.errors import CohortError
from prognosis.evaluation.comparison import compare
from prognosis.evaluation.held_out import HeldOut, JudgingDays, judging_days
from prognosis.evaluation.survival_evaluation import evaluate_folds, evaluate_survival
from prognosis.evaluation.survival_metrics import prepare_survival
from tests.evaluation.cohorts import cohort, target, true_incidence

COHORT = cohort(400)
TARGET = target(COHORT)
JUDGED = judging_days(TARGET, (100.0, 300.0))
TRUTH = true_incidence(COHORT, JUDGED.days)


def judged_part(incidence: np.ndarray) -> HeldOut:
    return HeldOut(incidence, JUDGED.days, TARGET, TARGET, COHORT.patients)


def test_true_risks_discriminate_and_are_calibrated() -> None:
    found = evaluate_survival(TRUTH, JUDGED.days, TARGET, TARGET, COHORT.patients, (100.0, 300.0), 1, 200)
    metrics = found.result.metrics
    assert metrics["uno_c"].low > 0.6
    assert metrics["auc@100"].low > 0.6
    assert metrics["antolini_c"].low > 0.6
    assert 0.0 < metrics["nbll@100"].value < np.log(2.0)
    assert metrics["nbll"].value < 0.6
    assert metrics["ipa"].low > 0.0
    assert metrics["ibs"].value < 0.2
    for horizon in ("100", "300"):
        slope = metrics[f"calibration_slope@{horizon}"]
        ratio = metrics[f"observed_over_expected@{horizon}"]
        assert slope.low < 1.0 < slope.high
        assert ratio.low < 1.0 < ratio.high
    assert not found.result.refused
    assert all(interval.low <= interval.value <= interval.high for interval in metrics.values())


def test_the_json_says_how_the_numbers_were_made_and_holds_no_nan() -> None:
    found = evaluate_folds([judged_part(TRUTH)], JUDGED, seed=1, replicates=100, task="test")
    stated = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert stated["task"] == "test"
    assert stated["n"] == stated["patients"] == 400
    assert stated["events"]["death"] == int((TARGET.cause == 1).sum())
    assert set(stated["metrics"]["uno_c"]) == {"value", "low", "high"}
    protocol = stated["protocol"]
    assert protocol["tau_days"] == JUDGED.tau
    assert protocol["grid_points"] == 50
    assert "Kaplan-Meier" in protocol["censoring"]
    assert [curve["horizon_days"] for curve in stated["calibration"]] == [100.0, 300.0]
    assert [curve["horizon_days"] for curve in stated["decisions"]] == [100.0, 300.0]
    assert {test["kind"] for test in stated["calibration_tests"]} == {"d_calibration", "aj_calibration"}
    assert stated["fewer_replicates"] == {}


def test_a_horizon_that_nobody_reaches_is_refused_with_the_reason() -> None:
    horizon = 5_000.0
    days = np.append(JUDGED.days, horizon)
    found = evaluate_survival(
        true_incidence(COHORT, days), days, TARGET, TARGET, COHORT.patients, (100.0, horizon), 1, 100
    )
    assert "nobody is followed" in found.result.refused["auc@5000"]
    assert "auc@5000" not in found.result.metrics
    assert found.protocol.tau_days is not None
    assert found.protocol.tau_days < 1_000.0


def test_a_horizon_before_the_first_event_is_refused_with_the_reason() -> None:
    early = JudgingDays((0.001,), JUDGED.tau, JUDGED.grid)
    part = HeldOut(true_incidence(COHORT, early.days), early.days, TARGET, TARGET, COHORT.patients)
    prepared = prepare_survival([part], early)
    assert "no event within" in prepared.refused["brier@0.001"]


def test_the_same_risk_for_everyone_has_c_one_half_no_gain_and_no_slope() -> None:
    share = np.tile(np.linspace(0.01, 0.7, len(JUDGED.days)), (400, 1, 1))
    found = evaluate_folds([judged_part(share)], JUDGED, seed=1, replicates=100)
    assert found.result.metrics["uno_c"].value == 0.5
    assert found.result.metrics["harrell_c"].high == 0.5
    assert "same for every case" in found.result.refused["calibration_slope@100"]


def test_predictions_that_end_before_the_horizon_are_refused() -> None:
    short = JUDGED.days[JUDGED.days < 200.0]
    with pytest.raises(CohortError, match="predict to day"):
        evaluate_survival(
            true_incidence(COHORT, short), short, TARGET, TARGET, COHORT.patients, (100.0, 300.0), 1, 100
        )


def test_different_baselines_of_two_folds_do_not_change_the_concordance() -> None:
    half = np.arange(400) < 200
    shifted = TRUTH.copy()
    shifted[half] = shifted[half] * 0.1
    parts = [
        HeldOut(shifted[rows], JUDGED.days, TARGET.take(rows), TARGET.take(~rows), COHORT.patients[rows])
        for rows in (half, ~half)
    ]
    honest = [
        HeldOut(TRUTH[rows], JUDGED.days, TARGET.take(rows), TARGET.take(~rows), COHORT.patients[rows])
        for rows in (half, ~half)
    ]
    ones = np.ones((1, 400))
    found = prepare_survival(parts, JUDGED).statistics["uno_c"](ones)[0]
    expected = prepare_survival(honest, JUDGED).statistics["uno_c"](ones)[0]
    assert found == pytest.approx(expected, abs=1e-12)


def test_each_competing_cause_is_judged_under_its_name() -> None:
    both = cohort(400, ("relapse", "death"), seed=2)
    labels = target(both)
    days = judging_days(labels, (100.0, 300.0))
    rng = np.random.default_rng(0)
    incidence = np.sort(rng.uniform(0.0, 0.5, (400, 2, len(days.days))), axis=2)
    found = evaluate_survival(incidence, days.days, labels, labels, both.patients, (100.0, 300.0), 1, 100)
    assert {"uno_c", "uno_c:death", "brier@100", "brier@100:death"} <= set(found.result.metrics)
    assert [curve.cause for curve in found.calibration] == ["relapse", "relapse", "death", "death"]


def test_the_truth_is_better_than_noise_by_a_paired_interval_above_zero() -> None:
    noise = np.random.default_rng(3).permutation(TRUTH)
    first, second = (prepare_survival([judged_part(each)], JUDGED) for each in (TRUTH, noise))
    found = {
        each.metric: each.difference for each in compare("a", "b", first, second, ("uno_c", "ibs"), 1, 200)
    }
    assert found["uno_c"].low > 0.0
    assert found["ibs"].high < 0.0


def test_predictions_for_other_patients_cannot_be_compared() -> None:
    first = prepare_survival([judged_part(TRUTH)], JUDGED)
    other = HeldOut(TRUTH, JUDGED.days, TARGET, TARGET, COHORT.patients[::-1])
    with pytest.raises(CohortError, match="different cases"):
        compare("a", "b", first, prepare_survival([other], JUDGED), ("uno_c",), 1, 100)


def test_risks_are_read_between_grid_days_in_proportion() -> None:
    part = HeldOut(np.array([[[0.2, 0.6]]]), np.array([10.0, 20.0]), TARGET, TARGET, COHORT.patients)
    np.testing.assert_allclose(part.risk_at(np.array([5.0, 10.0, 15.0, 20.0]), 1), [[0.1, 0.2, 0.4, 0.6]])


def test_days_lost_to_a_certain_event_at_once_are_all_days() -> None:
    part = HeldOut(np.ones((1, 1, 2)), np.array([1e-9, 20.0]), TARGET, TARGET, COHORT.patients)
    assert part.expected_days_lost(20.0, 1)[0] == pytest.approx(20.0)


def test_a_cohort_with_one_event_time_cannot_be_judged() -> None:
    rows = np.flatnonzero(TARGET.cause == 1)[:1]
    with pytest.raises(CohortError, match="two event times"):
        judging_days(TARGET.take(rows), (100.0,))


def test_a_metric_that_one_of_two_refuses_is_not_compared() -> None:
    first = prepare_survival([judged_part(TRUTH)], JUDGED)
    share = np.tile(np.linspace(0.01, 0.7, len(JUDGED.days)), (400, 1, 1))
    second = prepare_survival([judged_part(share)], JUDGED)
    assert compare("a", "b", first, second, ("calibration_slope@100", "absent"), 1, 100) == ()


def test_tied_quantiles_of_event_times_still_give_a_grid() -> None:
    days = np.array([1.0, *[5.0] * 30, 9.0, *[20.0] * 10])
    cause = np.array([*[1] * 32, *[0] * 10])
    found = judging_days(type(TARGET)(("death",), cause, days, np.array([0.0, 20.0]), survival=True), (10.0,))
    assert found.grid[0] == 1.0
    assert found.grid[-1] == 9.0


def test_true_risks_pass_the_tests_of_calibration_and_halved_ones_do_not() -> None:
    right, halved = (prepare_survival([judged_part(each)], JUDGED).tests for each in (TRUTH, TRUTH / 2.0))
    assert [(test.kind, test.group) for test in right] == [
        ("d_calibration", "all"),
        ("aj_calibration", "all"),
        *(("aj_calibration", f"risk group {number}") for number in (1, 2, 3)),
    ]
    assert min(test.p_value for test in right) > 0.01
    assert max(test.p_value for test in halved[:2]) < 0.001
    assert all(low.distance > high.distance for low, high in zip(halved[:2], right[:2], strict=True))


def test_true_risks_are_worth_more_than_treating_everyone_or_no_one() -> None:
    curve = prepare_survival([judged_part(TRUTH)], JUDGED).decisions[0]
    acted_on_few = np.array(curve.thresholds) > 0.8  # where chance is all there is
    gain = np.array(curve.model) - np.maximum(curve.treat_all, 0.0)
    assert len(curve.thresholds) == len(curve.model) == len(curve.treat_all) == 49
    assert gain.max() > 0.02
    assert gain[~acted_on_few].min() > -0.01


def test_survival_at_the_end_of_follow_up_is_read_for_each_case_on_its_own_day() -> None:
    part = judged_part(TRUTH)
    last = float(JUDGED.days[-1])
    each = [1.0 - part.risk_at(np.array([min(day, last)]), 1)[row, 0] for row, day in enumerate(TARGET.days)]
    np.testing.assert_allclose(part.survival_at_own(last), each)


def test_a_metric_too_dear_to_resample_at_will_says_how_often_it_was() -> None:
    prepared = prepare_survival([judged_part(TRUTH)], JUDGED)
    dear = replace(prepared, most_replicates={"antolini_c": 120})
    found = dear.bootstrap(200, seed=1)
    assert found.fewer_replicates == {"antolini_c": 120}
    assert found.metrics["antolini_c"].value == prepared.bootstrap(100, seed=1).metrics["antolini_c"].value


def test_antolinis_c_is_resampled_less_when_pairs_are_many() -> None:
    prepared = prepare_survival([judged_part(TRUTH)], JUDGED)
    assert prepared.most_replicates["antolini_c"] > 1_000
