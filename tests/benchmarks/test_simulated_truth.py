"""What the simulated benchmarks do to evidence before a head reads it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.missingness import losing, taken, what_is_left
from benchmarks.simulated_inputs import dealt_cohort
from benchmarks.simulated_risks import shuffled
from benchmarks.simulated_statistics import concordance_over
from prognosis.cohort import Target, Task, build_cohort
from prognosis.fusion.inputs import FusionInputs
from prognosis.simulate import Dials, Oracle, simulate_cohort
from prognosis.survival.concordance import harrell_c
from prognosis.survival.statistic import once

ROOT = Path(__file__).parents[2]
MODALITIES = ("clinical", "text", "imaging")
ORACLE = simulate_cohort(Dials(patients=120), 5).oracle


def inputs_of(oracle: Oracle) -> FusionInputs:
    """Evidence that is what was planted."""
    parts = oracle.parts["progression"]
    present = np.stack([np.ones(len(oracle), dtype=bool), oracle.has_text, oracle.has_imaging], axis=1)
    evidence = tuple(
        np.where(here, getattr(parts, name), 0.0)[:, None, None]
        for name, here in zip(MODALITIES, present.T, strict=True)
    )
    vectors = tuple(each[:, :, 0] for each in evidence)
    return FusionInputs(MODALITIES, present, evidence, vectors, 0.5 * present, ((),) * len(oracle))


def test_a_shuffled_modality_goes_to_other_patients_whole_and_the_rest_stays() -> None:
    before = inputs_of(ORACLE)
    after = shuffled(before, "imaging", 1)
    assert np.array_equal(after.evidence[0], before.evidence[0])
    assert np.array_equal(np.sort(after.evidence[2].ravel()), np.sort(before.evidence[2].ravel()))
    assert not np.array_equal(after.evidence[2], before.evidence[2])
    assert np.all(after.evidence[2][~after.present[:, 2]] == 0.0)
    assert np.all((after.distance[:, 2] > 0.0) == after.present[:, 2])


def test_what_is_dealt_is_known_before_the_index_and_leaves_every_label_where_it_was() -> None:
    task = Task.load(ROOT / "configs" / "tasks" / "simulated_progression.yaml")
    before = build_cohort(task, simulate_cohort(Dials(patients=30), 6).records)
    after = dealt_cohort(before, "imaging", 0)
    moved = 0
    for case, own in zip(after.cases, before.cases, strict=True):
        assert (case.label, case.record.notes, case.record.events) == (
            own.label,
            own.record.notes,
            own.record.events,
        )
        assert all(study.time <= case.index_time for study in case.record.studies)
        moved += {study.study_uid for study in case.record.studies} != {
            study.study_uid for study in own.record.studies
        }
    assert moved > 20


def test_who_loses_a_modality_at_one_share_has_lost_it_at_every_larger_one() -> None:
    inputs = inputs_of(ORACLE)
    having = inputs.present[:, 1].sum()
    for log_odds in (0.0, -1.5):
        lost = [losing(inputs, ORACLE, "text", share, 3, log_odds=log_odds) for share in (0.0, 0.4, 0.8, 1.0)]
        assert [each.sum() for each in lost] == [0, round(0.4 * having), round(0.8 * having), having]
        assert all(np.all(more[less]) for less, more in pairwise(lost))


def test_not_at_random_it_is_the_healthier_who_lose_it() -> None:
    inputs, full = inputs_of(ORACLE), ORACLE.full()
    lost = losing(inputs, ORACLE, "text", 0.5, 3, log_odds=-1.5)
    assert full[inputs.present[:, 1] & ~lost].mean() > full[lost].mean() + 0.5


def test_with_nothing_taken_the_oracle_of_what_is_left_is_the_observed_one() -> None:
    inputs = inputs_of(ORACLE)
    assert np.allclose(what_is_left(ORACLE, inputs), ORACLE.observed())
    everyone = inputs.present[:, 2].copy()
    without_films = taken(inputs, "imaging", everyone)
    parts = ORACLE.parts["progression"]
    expected = parts.clinical + parts.arm + np.where(ORACLE.has_text, parts.text, 0.0)
    assert np.allclose(what_is_left(ORACLE, without_films), expected)
    assert not without_films.evidence[2].any()


def test_concordance_over_runs_compares_no_patients_of_different_runs() -> None:
    edges = np.array([0.0, 2000.0])
    target = Target(("progression", "death"), ORACLE.cause, ORACLE.days, edges, survival=True)
    risk = ORACLE.observed()
    own = harrell_c(target.days, target.cause, risk, competing="censored").value
    both = concordance_over([target, target], [risk, risk + 100.0])
    assert abs(float(both(once(2 * len(risk)))[0]) - own) < 1e-12
