"""Clinical evidence is additive, centred, blind to the left-out patient, and survives the disk."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from prognosis.cohort.case import Case
from prognosis.cohort.target import Target
from prognosis.errors import BundleError
from prognosis.evidence.clinical import ClinicalConfig, CodeRoles, TreeSettings, fit_clinical, load_clinical
from prognosis.evidence.clinical.windows import window_table
from prognosis.evidence.token import FittedEvidence
from prognosis.record import Code, Event
from tests.evidence.clinical.cohorts import CRP, INDEX, SMEAR, case_of, laboratory, planted_cohort

_CONFIG = ClinicalConfig(trees=TreeSettings(rounds=30, patience=10))


def _fitted(cases: list[Case], target: Target, config: ClinicalConfig = _CONFIG) -> FittedEvidence:
    return fit_clinical(cases, target, np.arange(len(cases)) % 4, config, 0, CodeRoles())


@pytest.fixture(scope="module")
def fitted() -> FittedEvidence:
    return _fitted(*planted_cohort())


def test_tokens_add_up_to_the_evidence_of_the_case(fitted: FittedEvidence) -> None:
    cases, _ = planted_cohort(seed=1)
    whole = fitted.model.summarise(cases[:12])
    assert any((fold.factors[1:] > 0.0).any() for fold in fitted.model.folds)  # trees take part
    for row, case in enumerate(cases[:12]):
        tokens = fitted.model.tokens(case)
        np.testing.assert_allclose(sum(t.evidence for t in tokens), whole.evidence[row], atol=1e-7)
        np.testing.assert_allclose(sum(t.vector for t in tokens), whole.vector[row], atol=1e-7)


def test_the_columns_of_every_patient_add_up_to_the_log_hazard_within_a_millionth(
    fitted: FittedEvidence,
) -> None:
    model = fitted.model
    cases, _ = planted_cohort(seed=1)
    values = window_table(cases, model.vocabulary, model.columns).values
    assert np.isnan(values).any()
    whole = model.summarise(cases).evidence
    np.testing.assert_allclose(model.by_column(values).sum(axis=1), whole, rtol=0.0, atol=1e-6)


def test_a_number_under_the_wrong_unit_is_read_as_the_largest_seen_but_lies_far_from_all(
    fitted: FittedEvidence,
) -> None:
    cases, _ = planted_cohort(seed=1)
    usual = fitted.model.summarise(cases).typical_distance
    assert usual.max() < 4.0
    grams, more = (case_of([laboratory(number, 0.0)]) for number in (60.0 * 1e3, 60.0 * 1e6))
    found = fitted.model.summarise([grams, more])
    assert (found.typical_distance > 4.0).all()
    np.testing.assert_allclose(found.evidence[0], found.evidence[1])


def test_a_token_cites_the_last_observation_and_says_where_it_is_heading(fitted: FittedEvidence) -> None:
    case = case_of([laboratory(60.0, 90.0), laboratory(185.0, 0.0)])
    token = next(t for t in fitted.model.tokens(case) if t.name.startswith("C reactive protein (1988-5"))
    assert token.detail == "185 mg/L on 2020-03-02, rising (n=2)"
    assert token.source == "Observation/1988-5-0"
    assert token.evidence[0, 0] > 0.3


def test_an_absent_modality_is_zero_and_has_no_token(fitted: FittedEvidence) -> None:
    nobody = case_of([], birth=None)
    evidence = fitted.model.summarise([nobody])
    assert not evidence.present[0]
    assert not evidence.evidence.any()
    assert not evidence.vector.any()
    assert evidence.typical_distance[0] == 0.0
    assert fitted.model.tokens(nobody) == ()


def test_the_training_population_has_no_evidence_on_average(fitted: FittedEvidence) -> None:
    evidence = fitted.model.summarise(planted_cohort()[0])
    assert np.abs(evidence.evidence.mean(axis=0)).max() < 0.05
    assert evidence.evidence.std(axis=0)[0, 0] > 0.3


def test_an_unseen_text_is_read_as_not_measured(fitted: FittedEvidence) -> None:
    known = [laboratory(20.0, 3.0)]
    strange = Event(INDEX - timedelta(days=5), SMEAR, text="scanty", source="Observation/s")
    with_strange = fitted.model.summarise([case_of([*known, strange])])
    without = fitted.model.summarise([case_of(known)])
    np.testing.assert_array_equal(with_strange.evidence, without.evidence)
    assert "not seen" in with_strange.withheld[0]


def test_an_unusual_patient_is_far_from_the_training_population(fitted: FittedEvidence) -> None:
    usual = case_of([laboratory(7.0, 3.0), laboratory(7.0, 90.0)])
    evidence = fitted.model.summarise([usual])
    assert evidence.typical_distance[0] < 1.0


def test_the_model_read_back_gives_the_same_evidence(fitted: FittedEvidence, tmp_path: Path) -> None:
    fitted.model.save(tmp_path)
    again = load_clinical(tmp_path)
    cases, _ = planted_cohort(seed=2)
    before, after = fitted.model.summarise(cases[:20]), again.summarise(cases[:20])
    np.testing.assert_allclose(after.evidence, before.evidence, atol=1e-9)
    np.testing.assert_allclose(after.vector, before.vector, atol=1e-9)
    np.testing.assert_allclose(after.typical_distance, before.typical_distance, atol=1e-9)
    assert [t.name for t in again.tokens(cases[0])] == [t.name for t in fitted.model.tokens(cases[0])]
    assert not list(tmp_path.rglob("*.pkl"))


def test_a_folder_that_lacks_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError):
        load_clinical(tmp_path)


def test_left_out_evidence_knows_nothing_of_labels_that_are_pure_chance() -> None:
    cases, target = planted_cohort(seed=3)
    rng = np.random.default_rng(4)
    order = rng.permutation(len(cases))
    shuffled = Target(target.causes, target.cause[order], target.days[order], target.edges, survival=True)
    marked = []
    for case in cases:
        mark = Event(INDEX, Code("local", "mark"), number=float(rng.normal()), source="Observation/mark")
        marked.append(Case(replace(case.record, events=(*case.record.events, mark)), INDEX))
    fitted = _fitted(marked, shuffled)
    left_out = fitted.out_of_fold.evidence[:, 0, 0]
    event = shuffled.cause == 1
    assert abs(np.corrcoef(left_out, event)[0, 1]) < 0.2


def test_a_code_that_only_one_patient_has_gives_nothing() -> None:
    cases, target = planted_cohort(seed=5)
    own = [
        replace(
            case.record,
            events=(*case.record.events, Event(INDEX, Code("local", f"patient-{row}"), source="Condition/x")),
        )
        for row, case in enumerate(cases)
    ]
    plain = _fitted(cases, target)
    identified = _fitted([Case(record, INDEX) for record in own], target)
    np.testing.assert_array_equal(identified.out_of_fold.evidence, plain.out_of_fold.evidence)


def test_a_class_is_read_as_log_odds_against_the_reference() -> None:
    cases, survival = planted_cohort(seed=6)
    crp = np.array([[e.number for e in case.record.events if e.code == CRP][-1] for case in cases])
    cause = (crp > np.median(crp)).astype(np.int64)
    target = Target(("severe",), cause, np.full(len(cases), 0.5), np.array([0.0, 1.0]), survival=False)
    fitted = _fitted(cases, target)
    left_out = fitted.out_of_fold.evidence[:, 0, 0]
    assert left_out[cause == 1].mean() > left_out[cause == 0].mean()
    tokens = fitted.model.tokens(cases[0])
    whole = fitted.model.summarise(cases[:1]).evidence[0]
    np.testing.assert_allclose(sum(t.evidence for t in tokens), whole, atol=1e-7)
    assert len(survival) == len(cases)
