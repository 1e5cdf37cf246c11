"""The lint of single facts: late, impossible, in two units, in two patients, or told by a note."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from prognosis.cohort import Case, Cohort, SurvivalLabel, build_cohort
from prognosis.cohort.lint import Finding, Thresholds, lint_cohort
from prognosis.record import Event
from tests.cohort.builders import DEATH, INDEX, event, on, patient, task


def failing(cohort: Cohort, *limits: Thresholds) -> tuple[Finding, ...]:
    return tuple(finding for finding in lint_cohort(cohort, *limits) if finding.fails)


def found(cohort: Cohort, kind: str) -> list[Finding]:
    return [finding for finding in lint_cohort(cohort) if finding.kind == kind]


def subjects(cohort: Cohort, kind: str) -> list[str]:
    return [finding.subject for finding in found(cohort, kind)]


def late_case(**late: object) -> Case:
    record = patient("a", [event(0, INDEX)], [(0.0, "note")], [(0.0, "1.1")])
    return Case(replace(record, **late), on(0), SurvivalLabel(None, 5.0))


def test_a_fact_from_after_the_index_is_found_whatever_let_it_in() -> None:
    record = patient("b", [event(1, "s|1")], [(2.0, "later")], [(3.0, "1.2")])
    for kind in ("events", "notes", "studies"):
        cohort = Cohort(task(), (late_case(), late_case(**{kind: getattr(record, kind)})))
        (finding,) = found(cohort, "known after the index")
        assert (finding.subject, finding.numerator, finding.denominator) == (kind, 1, 2)


def one(*facts: Event, birth_date: date | None = None) -> Cohort:
    return build_cohort(
        task(),
        [patient("a", [event(0, INDEX), *facts, event(9, "s|1")], birth_date=birth_date, sex="female")],
    )


def test_two_units_for_one_code_are_found_and_one_is_not() -> None:
    glucose = "http://loinc.org|2345-7"
    facts = [
        event(0, glucose, 90.0, "mg/dL"),
        event(-1, glucose, 5.0, "mmol/L"),
        event(-2, glucose, 95.0, "mg/dL"),
    ]
    (finding,) = failing(one(*facts))
    assert (finding.kind, finding.numerator, finding.denominator) == ("two units for one code", 1, 3)
    assert "mg/dL: 2, mmol/L: 1" in finding.problem
    assert failing(one(facts[0], facts[2])) == ()


def test_a_number_without_a_unit_beside_numbers_with_one_is_found() -> None:
    facts = [event(0, "s|crp", 9.0, "mg/L"), event(-1, "s|crp", 9.0)]
    assert "no unit: 1" in failing(one(*facts))[0].problem


@pytest.mark.parametrize(
    ("birth_date", "problem"),
    [(date(2020, 6, 1), "born after the index"), (date(1890, 1, 1), "older than 120 years")],
)
def test_an_impossible_age_is_found(birth_date: date, problem: str) -> None:
    (finding,) = failing(one(birth_date=birth_date))
    assert finding.kind == "implausible value"
    assert problem in finding.problem
    assert failing(one(birth_date=date(1950, 1, 1))) == ()


@pytest.mark.parametrize("unit", ["mg/dL", "mmol/L", "10*3/uL", "U/L", "g/L", "ng/mL", "m[IU]/L"])
def test_a_concentration_below_zero_is_found(unit: str) -> None:
    (finding,) = failing(one(event(0, "s|x", -1.0, unit), event(-1, "s|x", 2.0, unit)))
    assert (finding.kind, finding.subject, finding.numerator, finding.denominator) == (
        "implausible value",
        "s|x",
        1,
        2,
    )


def test_what_may_be_below_zero_is_not_reported() -> None:
    facts = [
        event(0, "http://loinc.org|11555-0", -4.0, "mmol/L"),
        event(0, "s|be", -4.0, "mmol/L", name="Base excess in blood"),
        event(0, "s|temperature", -4.0, "Cel"),
        event(0, "s|z", -2.0),
    ]
    assert failing(one(*facts)) == ()


LONG = "The heart is not enlarged. " * 10


def test_a_study_in_two_patients_is_found() -> None:
    records = [
        patient(name, [event(0, INDEX), event(9, "s|1")], [], [(-1.0, uid)])
        for name, uid in ("a1", "b1", "c2")
    ]
    (finding,) = failing(build_cohort(task(), records))
    assert (finding.kind, finding.numerator, finding.denominator) == ("same image in two patients", 1, 2)


def test_a_long_note_in_two_patients_is_found_and_a_repeat_within_one_is_not() -> None:
    index = [event(0, INDEX), event(9, "s|1")]
    once = patient("a", index, [(-1.0, LONG), (-2.0, LONG)])
    assert failing(build_cohort(task(), [once])) == ()
    again = patient("b", index, [(-1.0, f"  {LONG.upper()}")])
    (finding,) = failing(build_cohort(task(), [once, again]))
    assert (finding.kind, finding.numerator, finding.denominator) == ("same note in two patients", 1, 1)


def test_a_standard_sentence_in_two_patients_is_no_finding() -> None:
    records = [patient(n, [event(0, INDEX), event(9, "s|1")], [(-1.0, "No acute finding.")]) for n in "ab"]
    assert failing(build_cohort(task(), records)) == ()


def noted(*texts: str, patterns: tuple[str, ...] = ()) -> Cohort:
    records = [
        patient(f"p{row}", [event(0, INDEX), event(9, "s|1")], [(-1.0, text)])
        for row, text in enumerate(texts)
    ]
    return build_cohort(task(screening={"sentence_patterns": list(patterns)}), records)


def test_a_note_written_by_someone_who_knew_the_outcome_is_found_word_by_word() -> None:
    cohort = noted(
        "Bilateral opacities. The patient died on day 9.", "She passed away.\nDied at home.", "Clear lungs."
    )
    told = found(cohort, "outcome told in notes")
    assert [(f.subject, f.numerator, f.denominator) for f in told] == [("died", 2, 3), ("passed away", 1, 3)]


def test_a_sentence_that_the_screening_drops_is_not_reported() -> None:
    cohort = noted("Opacities. The patient DIED on day 9.", patterns=(r"\bdied\b",))
    assert failing(cohort) == ()


@pytest.mark.parametrize("text", ["Her father died of a stroke.", "Increased dead space.", "No deadline."])
def test_a_death_that_is_not_the_patient_s_is_not_reported(text: str) -> None:
    assert failing(noted(text)) == ()


def test_a_note_read_at_two_index_times_counts_once() -> None:
    record = patient("a", [event(0, INDEX), event(1, INDEX), event(9, "s|1")], [(-1.0, "Survived.")])
    cohort = build_cohort(task(index={"at": "event", "occurrence": "each", "codes": [INDEX]}), [record])
    assert [(f.subject, f.numerator, f.denominator) for f in failing(cohort)] == [("survived", 1, 1)]


def test_death_before_the_index_stands_out_when_death_is_not_the_outcome() -> None:
    outcome = {"kind": "state", "name": "icu", "start_codes": ["start|ICU"], "within_days": 1}
    record = patient("a", [event(-1, DEATH), event(0, INDEX), event(9, "s|1")])
    assert subjects(build_cohort(task(outcome=outcome), [record]), "outcome-like name") == [DEATH]
