"""The cohort at its default dials: as hard as it is said to be, and a source like any other."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from prognosis.cohort import Cohort, Task, build_cohort, cohort_target, compared_arms
from prognosis.errors import CohortError, StudyError
from prognosis.record import ImagingStudy
from prognosis.simulate import Dials, SimulatedCohort, oracle_concordance, simulate_cohort
from prognosis.simulate.chart import ARM_CODES, PROGRESSION

TASKS = Path(__file__).parents[2] / "configs" / "tasks"
TASK = TASKS / "simulated_progression.yaml"
SEEDS = (0, 1, 2)
Cohorts = dict[int, SimulatedCohort]
FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


@pytest.fixture(scope="module")
def cohorts() -> Cohorts:
    return {seed: simulate_cohort(Dials(), seed) for seed in SEEDS}


@pytest.fixture(scope="module")
def cases(cohorts: Cohorts) -> Cohort:
    return build_cohort(Task.load(TASK), cohorts[0].records)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_default_cohort_is_as_hard_as_the_design_says(cohorts: Cohorts, seed: int) -> None:
    oracle = cohorts[seed].oracle
    reached = oracle_concordance(oracle)
    assert 0.78 <= reached.full <= 0.84
    assert reached.observed < reached.full
    for alone in (reached.clinical, reached.text, reached.imaging):
        assert 0.60 <= alone <= 0.72
        assert reached.observed - alone > 0.05
    assert 0.30 <= np.mean(oracle.cause == 0) <= 0.50
    assert np.sum(oracle.cause == 2) / np.sum(oracle.cause > 0) == pytest.approx(0.25, abs=0.02)
    assert 1 - oracle.has_text.mean() == pytest.approx(0.30, abs=0.04)
    assert 1 - oracle.has_imaging.mean() == pytest.approx(0.30, abs=0.04)


@pytest.mark.parametrize("seed", SEEDS)
def test_absence_is_informative(cohorts: Cohorts, seed: int) -> None:
    oracle = cohorts[seed].oracle
    for present in (oracle.has_text, oracle.has_imaging):
        assert oracle.full()[present].mean() > oracle.full()[~present].mean() + 0.2


def test_the_same_seed_gives_the_same_cohort_and_no_two_seeds_share_a_patient() -> None:
    first, again, other = (simulate_cohort(Dials(patients=20), seed) for seed in (5, 5, 6))
    assert first.records == again.records
    assert np.array_equal(first.oracle.full(), again.oracle.full())
    assert not set(first.oracle.patient_ids) & set(other.oracle.patient_ids)
    study = next(record.studies[0] for record in first.records if record.studies)
    same = next(record.studies[0] for record in again.records if record.studies)
    assert np.array_equal(study.volumes()[0].voxels, same.volumes()[0].voxels)


def test_the_task_finds_the_follow_up_that_was_simulated(cohorts: Cohorts, cases: Cohort) -> None:
    oracle = cohorts[0].oracle
    target = cohort_target(cases)
    assert not cases.exclusions
    assert [case.record.patient_id for case in cases.cases] == list(oracle.patient_ids)
    assert np.array_equal(target.cause, oracle.cause)
    assert np.allclose(target.days, oracle.days, atol=1e-4)


def test_the_task_finds_the_arm_that_was_given_and_no_evidence_reads_it(cohorts: Cohorts) -> None:
    simulated = cohorts[0]
    asked = Task.load(TASKS / "simulated_treatment.yaml")
    arms = compared_arms(build_cohort(asked, simulated.records))
    assert [arms.treatment.names[place] for place in arms.arm] == list(simulated.oracle.arm)
    assert {str(code) for code in ARM_CODES.values()} <= asked.excluded_codes


def test_nothing_of_the_outcome_is_known_at_the_index_and_all_evidence_of_the_visit_is(cases: Cohort) -> None:
    for case in cases.cases[:300]:
        known = case.record
        assert PROGRESSION not in {event.code for event in known.events}
        assert not any("rogression of the disease" in note.text for note in known.notes)
        latest = [part[-1].time for part in (known.notes, known.studies) if part]
        assert all(timedelta(0) < case.index_time - time < timedelta(hours=4) for time in latest)


def test_resources_have_ids_and_studies_have_uids_that_the_standards_allow(cohorts: Cohorts) -> None:
    seen: set[str] = set()
    for record in cohorts[0].records:
        for part in (*record.events, *record.notes):
            assert FHIR_ID.fullmatch(part.source.partition("/")[2])
        sources = {note.source for note in record.notes} | {
            event.source for event in record.events if event.source.startswith("Observation/")
        }
        assert not sources & seen
        seen |= sources
        for study in record.studies:
            for uid in (study.study_uid, study.series[0].series_uid):
                assert re.fullmatch(r"2\.25\.[1-9][0-9]*", uid)
                assert len(uid) <= 64
                assert uid not in seen
                seen.add(uid)


def test_records_are_in_time_order_and_end_at_the_last_contact(cohorts: Cohorts) -> None:
    for record in cohorts[1].records[:200]:
        for parts in (record.events, record.notes, record.studies):
            assert all(a.time <= b.time for a, b in pairwise(parts))
        last = record.events[-1]
        assert str(last.code) in {"MEDS|MEDS_DEATH", "encounter-end|AMB"}


def test_sites_write_the_same_disease_under_different_codes(cohorts: Cohorts) -> None:
    codes = {
        site: {
            event.code.system
            for record in cohorts[0].records
            if record.site == site
            for event in record.events
            if event.display == "Chronic obstructive pulmonary disease"
        }
        for site in ("north", "south")
    }
    assert len(codes["north"]) == len(codes["south"]) == 1
    assert codes["north"] != codes["south"]


def test_planted_contributions_of_lesions_sum_to_the_imaging_part_and_half_of_the_interaction(
    cohorts: Cohorts,
) -> None:
    oracle = cohorts[0].oracle
    for cause, parts in oracle.parts.items():
        for row in np.flatnonzero(oracle.has_imaging)[:50]:
            zones = [piece for piece in oracle.planted[row] if piece.modality == "imaging"]
            total = sum(piece.contribution[cause] for piece in zones)
            assert len(zones) == 6
            assert total == pytest.approx(parts.imaging[row] + 0.5 * parts.interaction[row])


def test_planted_causes_are_found_in_the_record_as_of_the_index(cases: Cohort, cohorts: Cohorts) -> None:
    for case, pieces in zip(cases.cases[:200], cohorts[0].oracle.planted[:200], strict=True):
        codes = {str(event.code) for event in case.record.events}
        notes = {note.source: note.text for note in case.record.notes}
        studies = {study.source for study in case.record.studies}
        for piece in pieces:
            if piece.modality == "clinical":
                assert piece.source in codes
            elif piece.modality == "text":
                assert piece.place in notes[piece.source]
            else:
                assert piece.source in studies


def test_without_an_arm_effect_both_arms_have_the_same_incidence_and_with_one_they_do_not() -> None:
    null = simulate_cohort(Dials(patients=40, arm_effect=0.0), 1).oracle.incidence_by_arm
    assert np.allclose(null["standard"], null["intensified"])
    helped = simulate_cohort(Dials(patients=40, arm_effect=-1.0), 1).oracle.incidence_by_arm
    assert np.all(helped["intensified"] < helped["standard"])


def test_a_study_of_another_simulation_is_refused(cohorts: Cohorts) -> None:
    study = next(record.studies[0] for record in cohorts[0].records if record.studies)
    with pytest.raises(StudyError, match="not a study of this simulation"):
        ImagingStudy(study.time, "2.25.1", study.series, store=study.store).volumes()


def test_the_oracle_refuses_a_patient_of_another_cohort(cohorts: Cohorts) -> None:
    with pytest.raises(CohortError, match="does not know 1 of the patients"):
        cohorts[0].oracle.rows(["sim0-00000", "someone-else"])


def test_a_cohort_can_have_no_missing_modality_and_no_confounding() -> None:
    oracle = simulate_cohort(
        Dials(patients=400, notes_absent=0.0, imaging_absent=0.0, confounding=0.0), 2
    ).oracle
    assert oracle.has_text.all()
    assert oracle.has_imaging.all()
    assert np.allclose(oracle.observed(), oracle.full())
    clinical = oracle.parts["progression"].clinical
    treated = oracle.arm == "intensified"
    assert abs(clinical[treated].mean() - clinical[~treated].mean()) < 0.3
