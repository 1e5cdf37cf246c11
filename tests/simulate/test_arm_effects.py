"""Arm effects: none, constant, by image or by note, and the truth about each patient under either arm."""

from __future__ import annotations

import numpy as np
import pytest

from prognosis.simulate import Dials, simulate_cohort
from prognosis.simulate.hazard import SHAPES, event_free
from prognosis.simulate.oracle import Oracle
from prognosis.simulate.sentences import ARM_FINDING, FINDINGS

STATED = next(finding.stated for finding in FINDINGS if finding.name == ARM_FINDING)


def oracle(**dials: float) -> Oracle:
    return simulate_cohort(Dials(patients=150, **dials), 5).oracle


def test_the_effect_is_none_or_constant_unless_a_dial_modifies_it() -> None:
    none, constant = oracle(arm_effect=0.0), oracle(arm_effect=-0.5)
    assert not none.effect["progression"].any()
    assert np.all(constant.effect["progression"] == -0.5)
    assert np.all(constant.effect["death"] == pytest.approx(-0.5 * Dials().death_signal))
    assert np.array_equal(none.survival_by_arm["standard"], none.survival_by_arm["intensified"])


def test_modified_by_the_note_the_effect_is_another_where_the_note_states_the_finding() -> None:
    simulated = simulate_cohort(Dials(patients=150, arm_by_text=0.6), 5)
    truth = simulated.oracle
    notes = [" ".join(note.text for note in record.notes[-3:]) for record in simulated.records]
    effect = truth.effect["progression"]
    assert len(np.unique(effect.round(9))) == 2
    holds = effect > np.median(np.unique(effect.round(9)))
    with_notes = np.flatnonzero(holds & truth.has_text)
    assert len(with_notes)
    assert all(any(sentence in notes[row] for sentence in STATED) for row in with_notes)
    assert np.all(truth.observed_effect["progression"][~truth.has_text] == Dials().arm_effect)
    assert np.array_equal(truth.observed_effect["progression"][truth.has_text], effect[truth.has_text])


def test_modified_by_the_image_the_effect_follows_the_burden_of_lesions_on_the_films() -> None:
    simulated = simulate_cohort(Dials(patients=150, arm_by_imaging=0.6), 5)
    truth = simulated.oracle
    store = {record.patient_id: record.studies[-1] for record in simulated.records if record.studies}
    burden = [
        sum(lesion.diameter_mm for lesion in study.store.recipes[study.study_uid].lesions)
        for study in store.values()
    ]
    effect = truth.effect["progression"][truth.rows(list(store))]
    assert np.corrcoef(burden, effect)[0, 1] == pytest.approx(1.0, abs=1e-6)
    assert np.all(truth.observed_effect["progression"][~truth.has_imaging] == Dials().arm_effect)


def test_the_truth_of_the_arm_that_was_given_is_the_truth_of_the_patient() -> None:
    truth = oracle(arm_by_imaging=0.4, arm_by_text=-0.4)
    total = truth.incidence["progression"] + truth.incidence["death"]
    given = np.where(
        (truth.arm == "intensified")[:, None],
        truth.survival_by_arm["intensified"],
        truth.survival_by_arm["standard"],
    )
    assert np.abs(1.0 - total - given).max() < 2e-3
    treated = truth.arm == "intensified"
    assert np.allclose(
        truth.full()[treated] - truth.effect["progression"][treated], _without_the_arm(truth)[treated]
    )


def _without_the_arm(truth: Oracle) -> np.ndarray:
    parts = truth.parts["progression"]
    return np.asarray(parts.clinical + parts.text + parts.imaging + parts.interaction)


def test_survival_and_its_mean_are_those_of_the_weibull_hazards() -> None:
    eta = {"progression": np.array([0.3, -1.0]), "death": np.array([-0.2, 0.5])}
    scale = {"progression": 700.0, "death": 1500.0}
    survival, days = event_free(eta, scale, (180.0, 730.0))
    fine = np.linspace(0.0, 730.0, 200_001)
    exact = np.exp(-sum(np.exp(eta[k])[:, None] * (fine / scale[k]) ** SHAPES[k] for k in SHAPES))
    assert survival[:, 1] == pytest.approx(exact[:, -1], abs=1e-12)
    assert days[:, 1] == pytest.approx(np.trapezoid(exact, fine, axis=1), rel=1e-5)
    assert np.all(days[:, 0] < 180.0)


def test_dials_of_the_arm_s_effect_leave_every_patient_as_they_are() -> None:
    at_random = {
        "missing_informative": 0.0
    }  # else absence depends on the whole log-hazard, the arm's included
    plain, modified = (
        simulate_cohort(Dials(patients=40, arm_by_text=each, **at_random), 5) for each in (0.0, 0.7)
    )
    assert any(record.notes for record in plain.records)
    for before, after in zip(plain.records, modified.records, strict=True):
        assert [note.text for note in before.notes[:2]] == [note.text for note in after.notes[:2]]
        assert before.birth_date == after.birth_date
    assert np.array_equal(plain.oracle.arm, modified.oracle.arm)
