"""What is said of a patient: numbers that agree with one another, reasons that add up, nothing from later."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prognosis.cli.treat_json import treat_json
from prognosis.cohort import Case
from prognosis.comparison.answer import TreatmentAnswer
from prognosis.comparison.treat import treat_cases, worth_of
from prognosis.evidence import MODALITIES
from prognosis.fusion import FusionModel, load_model, save_model
from prognosis.fusion.arms import ArmModel
from prognosis.record import PatientRecord
from tests.cohort.builders import event, on
from tests.comparison.conftest import Treated
from tests.simulated import Simulated
from tests.treated import NEW, USUAL

TASK = Path(__file__).parents[2] / "configs" / "tasks" / "simulated_treatment.yaml"


@pytest.fixture(scope="module")
def answers(drawn: Treated) -> list[TreatmentAnswer]:
    return [each for each in treat_cases(drawn.model, drawn.cohort.cases[40:90]) if each.refused is None]


def without(record: PatientRecord, clinical: bool, text: bool, imaging: bool) -> PatientRecord:
    """The record with only some of its modalities; the index event stays."""
    kept = tuple(each for each in record.events if clinical or str(each.code) == "encounter-start|IMP")
    return replace(
        record,
        events=kept,
        notes=record.notes if text else (),
        studies=record.studies if imaging else (),
        birth_date=record.birth_date if clinical else None,
        sex=record.sex if clinical else None,
    )


def test_a_difference_is_told_down_to_values_sentences_and_regions(
    compared: Simulated,
) -> None:
    model, cohort = compared.model, compared.cohort
    whole = next(case for case in cohort.cases if case.record.notes and case.record.studies)
    (contrast,) = treat_cases(model, [whole])[0].contrasts
    assert contrast.explanation is not None
    kinds = {each.modality: each.source for each in contrast.explanation.attributions if each.source}
    assert kinds.keys() == {"clinical", "text", "imaging"}
    assert kinds["text"].startswith("DocumentReference/")
    assert kinds["imaging"].startswith("ImagingStudy/")
    assert any(each.source.startswith("Observation/") for each in contrast.explanation.attributions)


def test_the_explanation_of_a_difference_adds_up_whatever_is_missing(
    compared: Simulated,
) -> None:
    """Forty random patients, of each a random subset of its modalities."""
    model, cohort = compared.model, compared.cohort
    rng = np.random.default_rng(0)
    asked, kept = [], []
    for row in rng.integers(0, len(cohort), 40):
        keep = rng.permutation([True, bool(rng.random() < 0.5), bool(rng.random() < 0.5)])
        asked.append(replace(cohort.cases[row], record=without(cohort.cases[row].record, *keep)))
        kept.append({name for name, here in zip(MODALITIES, keep, strict=True) if here})
    told_of = set()
    for answer, names in zip(treat_cases(model, asked), kept, strict=True):
        for contrast in answer.contrasts:
            told = contrast.explanation
            if told is None or contrast.difference is None:
                continue
            assert told.max_additivity_error < 1e-6
            assert told.total == contrast.difference.value
            for parts in (told.attributions, told.drivers):
                whole = told.base + sum(each.contribution for each in parts)
                assert whole == pytest.approx(told.total, abs=1e-6)
            own = {each.modality for each in told.attributions}
            assert own - {"clinical"} <= names  # that the patient was admitted is clinical, and stays
            told_of.add(frozenset(own))
    assert len(told_of) >= 4


def test_the_base_is_the_same_for_all_patients_with_the_same_modalities(drawn: Treated) -> None:
    noted = [case for case in drawn.cohort.cases if case.record.notes][:6]
    told = [each.contrast(NEW, USUAL).explanation for each in treat_cases(drawn.model, noted)]
    assert len({round(each.base, 9) for each in told if each is not None}) == 1


def test_every_number_of_an_answer_lies_in_its_interval(answers: list[TreatmentAnswer]) -> None:
    for answer in answers:
        numbers = [arm.worth for arm in answer.arms] + [each.difference for each in answer.contrasts]
        numbers += [risk.risk for arm in answer.arms for risk in arm.risks]
        numbers += [each.ratio for each in answer.contrasts] + [each.average for each in answer.contrasts]
        for number in numbers:
            if number is not None:
                assert number.low <= number.value <= number.high
                assert number.unit in {"days", "probability", "ratio"}


def test_the_numbers_of_one_answer_agree_with_one_another(answers: list[TreatmentAnswer]) -> None:
    for answer in answers:
        for arm in answer.arms:
            if arm.worth is None or arm.curve is None:
                continue
            curve = arm.curve
            kept = curve.days[-1] - curve.incidence[:-1] @ np.diff(curve.days)
            assert kept == pytest.approx(arm.worth.value, abs=0.01)
            assert (np.diff(curve.incidence) >= 0.0).all()
            assert (curve.low <= curve.incidence).all()
            assert (curve.incidence <= curve.high).all()
            assert curve.high[-1] < 1.0
            assert arm.risks[-1].risk.value == curve.incidence[-1]
        contrast = answer.contrast(NEW, USUAL)
        first, second = answer.arm(NEW).worth, answer.arm(USUAL).worth
        assert contrast.difference is not None
        assert first is not None
        assert second is not None
        assert contrast.difference.value == pytest.approx(first.value - second.value, abs=1e-9)
        if contrast.ratio is not None:
            risks = [answer.arm(name).risks[-1].risk.value for name in (NEW, USUAL)]
            assert contrast.ratio.value == pytest.approx(risks[0] / risks[1])


def test_chances_of_the_arms_sum_to_one(chosen: Treated) -> None:
    for answer in treat_cases(chosen.model, chosen.cohort.cases[:20]):
        assert sum(arm.chance for arm in answer.arms) == pytest.approx(1.0)


def test_a_drug_that_helps_everybody_is_better_supported_and_confounding_does_not_hide_it(
    chosen: Treated,
) -> None:
    """The sicker got the drug; planted is a hazard ratio of 0.37."""
    (pair,) = chosen.arms.basis.pairs
    assert pair.difference.low > 0.0
    assert pair.ratio is not None
    assert pair.ratio.high < 0.9
    assert pair.e_value is not None
    assert pair.e_value[0] > pair.e_value[1] > 1.0
    assert chosen.arms.basis.imbalance[1] < chosen.arms.basis.imbalance[0]
    found = treat_cases(chosen.model, chosen.cohort.cases[:40])
    assert sum(each.better == NEW for each in found) > 30
    assert not any(each.better == USUAL for each in found)


@given(day=st.floats(0.01, 900.0), value=st.floats(-1e6, 1e6))
def test_nothing_that_is_known_later_changes_the_answer(drawn: Treated, day: float, value: float) -> None:
    case = next(case for case in drawn.cohort.cases if case.record.notes)
    later = (event(day, "lab|sickness", value, "mg/dL"), event(day, "rx|rare"))
    record = replace(case.record, events=(*case.record.events, *later))
    asked = Case(record.as_of(on(0)), on(0))
    assert stated(drawn.model, asked) == stated(drawn.model, Case(case.record, case.index_time))


def test_a_model_that_was_saved_and_read_says_the_same(chosen: Treated, tmp_path: Path) -> None:
    saved = save_model(chosen.model, tmp_path / "model", "# A test's\n", {})
    read = load_model(tmp_path / "model")
    assert isinstance(read.arms, ArmModel)
    for case in chosen.cohort.cases[:5]:
        assert stated(read, case) == stated(saved, case)


def test_many_cases_at_once_have_the_worth_that_each_has_alone(drawn: Treated) -> None:
    cases = drawn.cohort.cases[30:50]
    together = worth_of(drawn.model, cases)
    for row, answer in enumerate(treat_cases(drawn.model, cases)):
        for place, arm in enumerate(answer.arms):
            if arm.worth is not None:
                assert arm.worth.value == pytest.approx(together[row, place])


def stated(model: FusionModel, case: Case) -> str:
    return json.dumps(treat_json(treat_cases(model, [case])[0], 5), sort_keys=True, allow_nan=False)
