"""Who is sent to which arm: by clinical values, by films, by notes, and only by what the record holds."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from prognosis.simulate import Dials, simulate_cohort
from prognosis.simulate.oracle import Oracle
from prognosis.simulate.oracle_files import read_oracle, write_oracle


@cache
def oracle(**dials: float) -> Oracle:
    return simulate_cohort(Dials(patients=1000, confounding=0.0, **dials), 7).oracle


def apart(truth: Oracle, part: str, among: np.ndarray) -> float:
    """How many standard deviations the intensified arm's planted log-hazard lies above the standard arm's."""
    values = getattr(truth.parts["progression"], part)[among]
    treated = truth.arm[among] == "intensified"
    return float((values[treated].mean() - values[~treated].mean()) / values.std())


def test_sent_by_the_film_the_treated_have_more_lesions_and_no_other_results_or_findings() -> None:
    truth = oracle(confounding_by_imaging=1.0)
    assert apart(truth, "imaging", truth.has_imaging) > 0.5
    assert abs(apart(truth, "imaging", ~truth.has_imaging)) < 0.3
    everybody = np.ones(len(truth), dtype=bool)
    assert abs(apart(truth, "clinical", everybody)) < 0.15
    assert abs(apart(truth, "text", everybody)) < 0.15


def test_sent_by_the_note_the_treated_have_the_finding_and_no_other_films_or_results() -> None:
    truth = oracle(confounding_by_text=1.0)
    assert apart(truth, "text", truth.has_text) > 0.2
    assert abs(apart(truth, "text", ~truth.has_text)) < 0.3
    everybody = np.ones(len(truth), dtype=bool)
    assert abs(apart(truth, "clinical", everybody)) < 0.15
    assert abs(apart(truth, "imaging", everybody)) < 0.15


def test_half_of_the_patients_are_treated_however_they_are_sent() -> None:
    for dials in ({}, {"confounding_by_imaging": 2.0}, {"confounding_by_text": -2.0}):
        assert float((oracle(**dials).arm == "intensified").mean()) == pytest.approx(0.5, abs=0.05)


def test_what_is_absent_is_decided_before_the_arm_and_so_is_the_arm_before_its_effect() -> None:
    first = oracle(confounding_by_imaging=1.0, confounding_by_text=0.5, arm_effect=0.0)
    second = oracle(confounding_by_imaging=1.0, confounding_by_text=0.5, arm_effect=-2.0, arm_by_imaging=0.9)
    assert np.array_equal(first.has_text, second.has_text)
    assert np.array_equal(first.has_imaging, second.has_imaging)
    assert np.array_equal(first.arm, second.arm)
    assert first.effect["progression"].any() != second.effect["progression"].any()


def test_the_truth_under_each_arm_does_not_ask_how_patients_were_sent() -> None:
    """The scale of time follows the share of censored patients, so log-hazards are compared."""
    first, second = oracle(), oracle(confounding_by_imaging=1.5)
    assert np.array_equal(first.effect["progression"], second.effect["progression"])
    assert np.array_equal(first.parts["progression"].imaging, second.parts["progression"].imaging)
    given = (second.arm == "intensified")[:, None]
    survival = second.survival_by_arm
    own = np.where(given, survival["intensified"], survival["standard"])
    total = second.incidence["progression"] + second.incidence["death"]
    assert np.abs(1.0 - total - own).max() < 2e-3


def test_an_oracle_of_a_cohort_sent_by_films_and_notes_is_read_back_as_it_was(tmp_path: Path) -> None:
    truth = oracle(confounding_by_imaging=1.0, confounding_by_text=0.5, arm_effect=0.0)
    write_oracle(truth, tmp_path)
    found = read_oracle(tmp_path)
    assert np.array_equal(found.arm, truth.arm)
    for arm in ("standard", "intensified"):
        assert np.array_equal(found.kept_days_by_arm[arm], truth.kept_days_by_arm[arm])


def test_days_kept_are_those_left_by_progression_and_never_fewer_than_those_free_of_any_event() -> None:
    truth = oracle()
    for arm in ("standard", "intensified"):
        kept, free = truth.kept_days_by_arm[arm], truth.mean_days_by_arm[arm]
        assert np.all(kept >= free - 1e-6)
        least = np.array(truth.horizons_days) * (1.0 - truth.incidence_by_arm[arm])
        assert np.all(kept >= least - 1e-6)
        assert np.all(kept <= np.array(truth.horizons_days))
    better = truth.effect["progression"] < 0
    gained = truth.kept_days_by_arm["intensified"] - truth.kept_days_by_arm["standard"]
    assert np.all(gained[better] > 0)
