"""Each dial moves what it names and leaves the rest of the cohort as it is."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from prognosis.errors import ConfigError
from prognosis.simulate import Dials, SimulatedCohort, simulate_cohort
from prognosis.simulate.film import SCANNERS, scanner_of
from prognosis.simulate.sentences import COPIED_HEADING, FINDINGS
from prognosis.simulate.truth import draw_patients, plant

NEGATED = tuple(wording for finding in FINDINGS for wording in finding.negated)


def cohort(**dials: float) -> SimulatedCohort:
    return simulate_cohort(Dials(patients=200, **dials), 21)


def systems(simulated: SimulatedCohort, site: str) -> set[str]:
    """Code systems of chronic lung disease at a site."""
    return {
        event.code.system
        for record in simulated.records
        if record.site == site
        for event in record.events
        if event.display == "Chronic obstructive pulmonary disease"
    }


def notes(simulated: SimulatedCohort) -> list[str]:
    """The visits' notes, without those that report the outcome."""
    texts = [note.text for record in simulated.records for note in record.notes]
    return [text for text in texts if text.startswith("History:")]


def test_without_a_shift_in_coding_both_sites_write_the_same_codes_and_half_a_shift_mixes_them() -> None:
    plain, mixed = cohort(coding_shift=0.0), cohort(coding_shift=0.5)
    assert systems(plain, "south") == systems(plain, "north")
    assert len(systems(mixed, "south")) == 2
    assert np.array_equal(plain.oracle.full(), mixed.oracle.full())
    assert notes(plain) == notes(mixed)


def test_the_second_site_s_population_is_sicker_by_the_dial_and_the_first_site_s_is_not() -> None:
    same, moved = cohort(), cohort(population_shift=1.0)
    south = np.array([record.site == "south" for record in same.records])
    gain = moved.oracle.parts["progression"].clinical - same.oracle.parts["progression"].clinical
    assert np.all(gain[~south] == 0.0)
    assert np.all(gain[south] > 0.5)
    assert np.all(gain[south] == pytest.approx(gain[south][0]))


def test_the_second_scanner_is_the_first_without_a_shift_and_its_own_with_one() -> None:
    assert scanner_of(1, 1.0) == SCANNERS[1]
    same, further = scanner_of(1, 0.0), scanner_of(1, 2.0)
    assert (same.gamma, same.noise) == (SCANNERS[0].gamma, SCANNERS[0].noise)
    assert further.noise - SCANNERS[1].noise == pytest.approx(SCANNERS[1].noise - SCANNERS[0].noise)


def test_sentences_that_mislead_are_denied_or_copied_forward_as_the_dials_say() -> None:
    denied, copied = cohort(negations=0.6, copied_forward=0.0), cohort(negations=0.0, copied_forward=0.6)
    assert not any(COPIED_HEADING in text for text in notes(denied))
    assert not any(sentence in text for text in notes(copied) for sentence in NEGATED)
    for simulated, marks in ((denied, NEGATED), (copied, (COPIED_HEADING,))):
        held = [any(mark in text for mark in marks) for text in notes(simulated)]
        assert np.mean(held) == pytest.approx(0.6, abs=0.06)


def test_absence_by_what_is_recorded_depends_on_the_clinical_log_hazard_alone() -> None:
    dials = Dials(patients=3000, missing_informative=0.0, missing_by_clinical=-1.0)
    planted = plant(dials, draw_patients(dials, np.random.default_rng(22)), np.zeros(3000, dtype=bool))
    parts = planted.parts["progression"]
    for present in (planted.has_text, planted.has_imaging):
        assert parts.clinical[present].mean() - parts.clinical[~present].mean() > 0.35
        assert abs(parts.imaging[present].mean() - parts.imaging[~present].mean()) < 0.2


def test_lesions_that_do_not_grow_look_the_same_at_every_visit() -> None:
    still = cohort(growth_mm=0.0)
    record = next(record for record in still.records if len(record.studies) > 1)
    store = record.studies[0].store
    lesions = {store.recipes[study.study_uid].lesions for study in record.studies}
    assert len(lesions) == 1


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"imaging_absent": 1.3}, "dial imaging_absent: is 1.3; give a number from 0 to 1"),
        ({"patients": 0}, "dial patients: is 0"),
        ({"patients": 10.5}, "a whole number"),
        ({"scanner_shift": 3.0}, "a number from 0 to 2"),
        ({"interaction": 1000.0}, "dial interaction: is 1000.0; give a number from -5 to 5"),
        ({"arm_effect": -1e4}, "dial arm_effect: is -10000.0; give a number from -5 to 5"),
        ({"negations": 0.7, "copied_forward": 0.7}, "negations \\+ copied_forward"),
        ({"text_signal": "strong"}, "give a number"),
        ({"noise": 1.0}, "dial noise: does not exist; set one of arm_by_imaging"),
    ],
)
def test_a_dial_out_of_its_range_is_refused(settings: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        Dials.from_settings(settings)


@pytest.mark.parametrize("name", [field.name for field in fields(Dials) if field.name != "patients"])
def test_a_dial_that_is_not_finite_is_refused(name: str) -> None:
    for value in (np.nan, np.inf, -np.inf):
        with pytest.raises(ConfigError, match=f"dial {name}: is"):
            Dials.from_settings({name: value})


@pytest.mark.parametrize(("name", "share"), [("censored", 0.0), ("censored", 1.0), ("death_share", 1.0)])
def test_a_share_that_no_hazard_gives_is_refused(name: str, share: float) -> None:
    with pytest.raises(ConfigError, match=f"dial {name}: is {share}; give a share other than"):
        Dials.from_settings({name: share})


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_truth_stays_finite_at_the_strongest_dials(sign: float) -> None:
    signals = dict.fromkeys(("clinical_signal", "text_signal", "imaging_signal"), 5.0)
    signed = dict.fromkeys(
        ("interaction", "arm_effect", "arm_modifier", "arm_by_text", "arm_by_imaging"), 5.0 * sign
    )
    strong = cohort(**signals, **signed, death_signal=3.0, population_shift=3.0 * sign).oracle
    total = strong.incidence["progression"] + strong.incidence["death"]
    assert np.isfinite(total).all()
    assert total.max() <= 1.0
    assert all(np.isfinite(each).all() for each in strong.incidence_by_arm.values())
