"""Codes and units that a concept gathers are one feature; what it cannot read counts as not measured."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from prognosis.cohort.case import Case
from prognosis.cohort.concepts import CodedConcept, gathering
from prognosis.cohort.splits import patient_folds
from prognosis.evaluation.features import last_values
from prognosis.evidence.clinical import ClinicalConfig, CodeRoles, fit_clinical, load_clinical
from prognosis.evidence.clinical.concepts import Concept, ConceptReader, learn_vocabulary
from prognosis.evidence.clinical.windows import table_columns, window_table
from prognosis.explanation.cohort import _numbers
from prognosis.record import Code, Event
from tests.evidence.clinical.cohorts import CRP, DIABETES, INDEX, case_of, laboratory, planted_cohort

SENSITIVE = Code("http://loinc.org", "30522-7")
GATHERED = {
    "c-reactive-protein": CodedConcept(label="C-reactive protein", unit="mg/L", loinc=("1988-5", "30522-7")),
    "diabetes": CodedConcept(
        label="Diabetes", snomed=("44054006",), icd10=("E11*",), rxnorm=("6809",)
    ),
}  # fmt: skip
LINEAR = ClinicalConfig(trees=None)


def elsewhere(event: Event, place: int) -> Event:
    """The same fact as other hospitals send it: another code, another unit."""
    if event.code == CRP and event.number is not None and place % 3 == 1:
        return replace(event, code=SENSITIVE, number=event.number / 10.0, unit="mg/dL", display="hs-CRP")
    if event.code == CRP and event.number is not None and place % 3 == 2:
        return replace(event, number=event.number * 1000.0, unit="mcg/L", display="")
    if event.code == DIABETES and place % 2:
        return replace(event, code=Code("http://hl7.org/fhir/sid/icd-10-cm", "E11.9"))
    return event


def mixed(case: Case, place: int) -> Case:
    events = tuple(elsewhere(event, place) for event in case.record.events)
    return replace(case, record=replace(case.record, events=events))


def test_hospitals_that_differ_in_codes_and_units_train_the_model_that_one_would(tmp_path: Path) -> None:
    cases, target = planted_cohort()
    folds = patient_folds(np.array([case.patient for case in cases]), target.cause, 2, 0)
    several = [mixed(case, place) for place, case in enumerate(cases)]
    roles = CodeRoles(gathered=GATHERED)
    one = fit_clinical(cases, target, folds, LINEAR, 0, roles).model
    many = fit_clinical(several, target, folds, LINEAR, 0, roles).model
    expected, found = one.summarise(cases), many.summarise(several)
    assert found.evidence == pytest.approx(expected.evidence, rel=1e-6, abs=1e-8)
    assert set(found.withheld) == {""}
    many.save(tmp_path)
    again = load_clinical(tmp_path)
    assert np.array_equal(again.summarise(several).evidence, found.evidence)
    token = next(each for each in again.tokens(several[1]) if each.name == "C-reactive protein")
    assert token.detail.partition(" on ")[0].endswith("mg/L")
    assert token.subject == "concept|c-reactive-protein mg/L"
    assert token.source.startswith("Observation/")


def test_peers_and_explanations_read_the_same_unit_as_the_model() -> None:
    case = case_of([laboratory(0.5, 3.0, SENSITIVE, "mg/dL"), laboratory(9.0, 2.0, unit="[IU]/L")])
    values = last_values(case, frozenset(), gathering(GATHERED))
    assert values["concept|c-reactive-protein"] == pytest.approx(5.0)
    assert last_values(case, frozenset())[str(CRP)] == 9.0
    numbers = _numbers(case, ConceptReader(frozenset(), GATHERED))
    assert numbers == {"Observation/30522-7-3": {"concept|c-reactive-protein mg/L": pytest.approx(5.0)}}


def test_without_concepts_codes_and_units_stay_apart() -> None:
    events = [laboratory(1.0, 3.0), laboratory(0.1, 4.0, unit="mg/dL")]
    concepts = learn_vocabulary([case_of(events)], frozenset(), 1, 5).concepts
    assert [concept.unit for concept in concepts if concept.kind == "number"] == ["mg/L", "mg/dL", "a"]


@pytest.mark.parametrize(
    ("unit", "why"),
    [
        ("[IU]/L", "unit [IU]/L is of another kind"),
        ("mmol/L", "unit mmol/L needs the weight or charge of a mole"),
        ("", "unit none is of another kind"),
        ("bananas", "unit bananas is not a UCUM unit"),
    ],
)
def test_a_value_that_cannot_be_converted_is_not_read_and_said_so(unit: str, why: str) -> None:
    good = case_of([laboratory(5.0, 3.0)])
    vocabulary = learn_vocabulary([good], frozenset(), 1, 5, gathered=GATHERED)
    columns = table_columns(vocabulary, (30.0,))
    table = window_table([good, case_of([laboratory(5.0, 3.0, unit=unit)])], vocabulary, columns)
    place = vocabulary.concepts.index(Concept("concept|c-reactive-protein", "mg/L", "number"))
    last = next(n for n, own in enumerate(columns) if own.concept == place and own.statistic == "last")
    assert table.values[0, last] == 5.0
    assert np.isnan(table.values[1, last])
    assert table.withheld[0] == ""
    assert table.withheld[1].startswith(f"concept|c-reactive-protein: {why}")


def test_a_unit_that_nobody_can_read_makes_no_feature() -> None:
    case = case_of([laboratory(5.0, 3.0, unit="[IU]/L")])
    vocabulary = learn_vocabulary([case], frozenset(), 1, 5, gathered=GATHERED)
    assert not [concept for concept in vocabulary.concepts if concept.code.startswith("concept|")]


def test_a_dose_beside_a_concept_without_a_unit_is_not_read() -> None:
    drug = Code("http://www.nlm.nih.gov/research/umls/rxnorm", "6809")
    dose = Event(
        INDEX - timedelta(days=2), drug, number=500.0, unit="mg", source="MedicationAdministration/1"
    )
    reading = ConceptReader(frozenset(), GATHERED).reading(dose)
    assert reading is not None
    assert reading.concept == Concept("concept|diabetes", "", "occurrence")
    assert reading.as_read(dose).number is None


def test_what_a_task_screens_out_stays_out_of_every_concept() -> None:
    reader = ConceptReader(frozenset({str(CRP), "http://hl7.org/fhir/sid/icd-10-cm|E11*"}), GATHERED)
    assert reader.reading(laboratory(1.0, 3.0)) is None
    assert reader.reading(laboratory(1.0, 3.0, code=SENSITIVE)) is not None
    subtype = Event(INDEX, Code("http://hl7.org/fhir/sid/icd-10-cm", "E11.65"))
    assert reader.reading(subtype) is None


def test_the_measurement_asked_for_is_known_inside_its_concept() -> None:
    roles = CodeRoles(measured=frozenset({str(SENSITIVE)}), gathered=GATHERED)
    assert roles.asks_for(Concept("concept|c-reactive-protein", "mg/L", "number"))
    assert not roles.asks_for(Concept("concept|diabetes", "", "occurrence"))
    assert roles.asks_for(Concept(str(SENSITIVE), "mg/L", "number"))
