"""What the benchmark of compared arms counts, on runs of known numbers, and that films are read once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.shared_films import shared_films
from benchmarks.simulated_arms import ArmRun, Asked
from benchmarks.simulated_treatment import judged, over_seeds
from prognosis.cohort import Task, build_cohort
from prognosis.evidence.imaging import reading
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.simulate import simulate_cohort

ROOT = Path(__file__).parents[2]


def run(spread: float, seed: int = 0) -> ArmRun:
    """A run whose scores are the truth and noise, and whose worth is the truth."""
    random = np.random.default_rng(seed)
    effect = 20.0 + spread * random.standard_normal(600)
    truth = np.column_stack([np.full(600, 400.0), 400.0 + effect])
    scores = truth + 20.0 * random.standard_normal(truth.shape)
    mean = float(effect.mean())
    fresh = np.column_stack([effect[:50], effect[:50] - 1.0, effect[:50] + 1.0])
    average = np.array([mean + 3.0, mean - 5.0, mean + 9.0])
    naive = np.array([mean - 30.0, mean - 40.0, mean - 20.0])
    return ArmRun(
        scores=scores,
        worth=truth.copy(),
        rule=truth.argmax(axis=1),
        propensity=np.full(600, 0.5),
        truth=truth,
        patients=np.arange(600).astype(str),
        naive=naive,
        average=average,
        by_oracle=average - 1.0,
        judged=fresh,
        judged_truth=truth[:50],
        overlap=np.array([0.0, 300.0, 300.0]),
        horizon=np.array([730.0]),
        seconds=np.array([1.0]),
    )


def test_a_planted_difference_between_patients_is_found_and_its_rule_gains_what_there_is_to_gain() -> None:
    found = judged(run(40.0))
    assert found["qini_found"] == 1.0
    assert found["policy_gain_true"] == pytest.approx(found["policy_gain_possible"])
    assert found["bias"] == pytest.approx(3.0)
    assert found["bias_with_oracle"] == pytest.approx(2.0)
    assert found["bias_beyond_oracle"] == pytest.approx(1.0)
    assert found["policy_departs"] > 0.2
    assert found["naive_bias"] == pytest.approx(-30.0)
    assert found["average_covered"] == found["individual_covered"] == 1.0
    assert found["individual_error"] == pytest.approx(0.0)


def test_of_an_effect_that_is_the_same_for_all_nothing_is_found() -> None:
    found = judged(run(0.0))
    assert found["qini_found"] == 0.0
    assert found["qini"] == pytest.approx(0.0, abs=1e-9)
    assert found["policy_gain_true"] == 0.0


def test_seeds_are_averaged_with_an_interval_and_one_seed_has_none() -> None:
    found = [judged(run(40.0, seed)) for seed in range(3)]
    together = over_seeds(found)["qini"]
    assert together["low"] < together["value"] < together["high"]
    assert over_seeds(found[:1])["qini"]["low"] is None


def test_films_and_notes_of_a_seed_are_the_same_whatever_the_effect_and_are_opened_once() -> None:
    task = Task.load(ROOT / "configs" / "tasks" / "simulated_treatment.yaml")
    asked = Asked(30, 10, 3, "none", "joined")
    cohorts = [
        build_cohort(task, simulate_cohort(replace(asked, effect=effect).dials, 3).records)
        for effect in ("none", "by image", "by note")
    ]
    held = [
        [([note.text for note in case.record.notes], len(case.record.studies)) for case in cohort.cases]
        for cohort in cohorts
    ]
    assert held[0] == held[1] == held[2]
    with shared_films():
        tables = [reading.gather_films(cohort.cases, ImagingConfig(size=32)) for cohort in cohorts]
    assert tables[0] is tables[1] is tables[2]
    alone = reading.gather_films(cohorts[2].cases, ImagingConfig(size=32))
    assert np.array_equal(alone.films[0].square, tables[0].films[0].square)
