"""The model card, the terminal, and how numbers are worded."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from prognosis.outputs.estimate import Estimate, as_percent, in_days, signed, with_interval
from prognosis.outputs.model_card import ModelCard, NotDone, card_passages, model_card
from prognosis.outputs.patient_explanation import PatientChange, parts_not_told
from prognosis.outputs.patient_page import Missing, PatientPage
from prognosis.outputs.report import render_patient_page, render_report
from prognosis.outputs.risk_text import risk_text
from tests.outputs.example import abstaining_patient, explanation, patient, report

DRIVERS_ONLY = replace(patient(), films=(), curves=(), notes=())


def card() -> ModelCard:
    return ModelCard(
        name="chest_film-1f2e3d",
        question="How likely is intensive care?",
        evidence="simulation",
        intended_use="",
        not_intended=("Children.",),
        causes=("intensive_care", "death"),
        modalities=("clinical", "imaging"),
        method=("Additive evidence.",),
        cohort=report().cohort,
        judged_on="5 folds by patient",
        measures=report().measures,
        subgroups=report().subgroups,
        not_done=(NotDone("external validation", "no second hospital has been asked"),),
        command="prognosis train task.yaml --out model",
    )


def printed(page: PatientPage) -> str:
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(risk_text(page))
    return console.export_text()


def test_a_card_says_what_was_not_done() -> None:
    text = model_card(card())
    assert "external validation: not done: no second hospital has been asked" in text
    assert "A model without a stated use has none" in text
    assert "not clinical evidence" in text


def test_a_card_holds_every_measure_with_its_interval() -> None:
    text = model_card(card())
    for measure in report().measures:
        assert with_interval(measure.estimate) in text
    assert "| site: island | 31 | 6 | insufficient |" in text


def test_a_model_that_was_not_judged_says_so() -> None:
    words = " ".join(
        line for passage in card_passages(replace(card(), judged_on="")) for line in passage.paragraphs
    )
    assert "Not done: the model was not judged" in words


def test_a_name_from_a_file_cannot_become_markup_in_a_card() -> None:
    text = model_card(replace(card(), question="a | b <script> [x](y)\n# heading"))
    assert "<script>" not in text
    assert "\\[x\\](y) # heading" in text


def test_the_terminal_shows_risk_drivers_sources_and_what_is_missing() -> None:
    text = printed(patient())
    for expected in (
        "23% (17 to 31)",
        "+0.58",
        "ImagingStudy/1.2.3#left lower",
        "procalcitonin",
        "14 smaller drivers",
    ):
        assert expected in text
    assert "the average patient with these modalities \N{MINUS SIGN}2.31, this patient" in " ".join(
        text.split()
    )


def test_the_parts_of_a_driver_stand_beneath_it_with_their_own_dates_and_sources() -> None:
    first = explanation().drivers[0]
    parts = (
        replace(first, name="now", contribution=0.7, source="ImagingStudy/9#a"),
        replace(first, name="change", contribution=-0.12, time="2020-01-09T00:00:00+00:00"),
    )
    why = replace(explanation(), drivers=(replace(first, parts=parts), *explanation().drivers[1:]))
    lines = printed(replace(patient(), explanations=(why,))).splitlines()
    at = next(place for place, line in enumerate(lines) if "+0.58" in line)
    below = "\n".join(lines[at : at + 6])
    for expected in ("+0.70", "ImagingStudy/9#a", "2020-01-09", "change"):
        assert expected in below


def with_parts(*contributions: float) -> PatientPage:
    """A page whose strongest driver is the sum of parts; the first of them is what its line says."""
    leading = replace(explanation().drivers[0], contribution=sum(contributions))
    parts = tuple(
        replace(leading, detail=f"part {place}" if place else leading.detail, contribution=contribution)
        for place, contribution in enumerate(contributions)
    )
    why = replace(explanation(), drivers=(replace(leading, parts=parts), *explanation().drivers[1:]))
    return replace(DRIVERS_ONLY, explanations=(why,))


@pytest.mark.parametrize("told", [printed, render_patient_page])
def test_parts_that_round_to_nothing_are_counted_and_not_told(told: Callable[[PatientPage], str]) -> None:
    text = told(with_parts(0.7, -0.12, 0.004, -0.003))
    assert "part 1" in text
    assert "part 2" not in text
    assert "part 3" not in text
    assert "2 parts of less than 0.005 not shown" in " ".join(text.split())
    assert "not shown" not in told(with_parts(0.7, -0.12))


@pytest.mark.parametrize("digits", [2, 4])
def test_a_driver_of_one_part_is_told_on_its_own_line_and_not_counted_as_unshown(digits: int) -> None:
    (driver,) = with_parts(0.3 * 10**-digits).explanations[0].drivers[:1]
    assert len(driver.parts) == 1
    assert parts_not_told([driver], digits) == ""
    twice = replace(driver, parts=driver.parts * 2)
    assert parts_not_told([driver, twice], digits).startswith("2 parts of less than 0.00")


@pytest.mark.parametrize("told", [printed, render_patient_page])
def test_a_part_that_would_only_repeat_its_driver_is_not_told(told: Callable[[PatientPage], str]) -> None:
    source = explanation().drivers[0].source
    once = told(DRIVERS_ONLY).count(source)
    assert told(with_parts(0.7)).count(source) == once
    assert told(with_parts(0.7, 0.001)).count(source) == once
    assert told(with_parts(0.7, -0.12)).count(source) == once + 2
    assert told(with_parts(0.0, 0.7)).count(source) == once + 1


def test_an_abstaining_model_gives_its_reason_and_no_number_on_the_terminal() -> None:
    text = printed(abstaining_patient())
    assert "No risk is given. The film is blank" in text
    assert "%" not in text
    assert "No value is given." in printed(replace(abstaining_patient(), answer="value"))


def test_square_brackets_in_a_note_are_not_read_as_colours() -> None:
    driver = replace(explanation().drivers[0], detail="pain [/] 3 [red]of 10", contribution=9.0)
    page = replace(patient(), explanations=(replace(explanation(), drivers=(driver,)),))
    assert "pain [/] 3 [red]of 10" in printed(page)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0, "now"),
        (0.25, "6 hours"),
        (1, "1 day"),
        (30, "30 days"),
        (365, "1 year"),
        (730.5, "2 years"),
        (400, "400 days"),
    ],
)
def test_a_horizon_is_worded_as_people_say_it(days: float, words: str) -> None:
    assert in_days(days) == words


def test_small_risks_keep_a_decimal() -> None:
    assert as_percent(Estimate(0.004, 0.001, 0.012)) == "0.4% (0.1 to 1.2)"
    assert as_percent(Estimate(0.42, 0.31, 0.55)) == "42% (31 to 55)"


def test_a_contribution_that_rounds_to_nothing_is_not_negative() -> None:
    assert signed(-0.001) == "+0.00"
    assert signed(-0.2) == "\N{MINUS SIGN}0.20"


def test_the_time_free_of_events_is_stated_unless_the_model_abstains() -> None:
    statement = "With 90% confidence free of death for at least 12 days"
    assert statement in printed(patient())
    assert statement not in printed(abstaining_patient())


def test_one_piece_of_evidence_is_told_in_the_singular() -> None:
    change = PatientChange("death", "2020-03-01", "log-hazard", 0.1, 0.2, 0.1, (), 1, 0.0)
    assert change.unmoved == "1 piece of evidence"
    assert replace(change, unchanged=2).unmoved == "2 pieces of evidence"
    page = replace(DRIVERS_ONLY, changes=(change,))
    assert "1 piece of evidence moved nothing" in render_patient_page(page)


def test_what_a_missing_modality_would_do_is_told_in_brackets() -> None:
    missing = Missing("imaging", "none before the index", "having it would narrow the interval most")
    page = render_patient_page(replace(DRIVERS_ONLY, missing=(missing,)))
    assert "none before the index (having it would narrow the interval most)</li>" in page


def test_a_table_of_measures_without_meanings_has_no_column_for_them() -> None:
    given = report()
    plain = tuple(
        replace(item, measures=tuple(replace(measure, meaning="") for measure in item.measures))
        for item in given.calibrations
    )
    bare = replace(given, calibrations=plain, patients=())
    assert render_report(bare).count("what it means") == 1  # of the measures that have one
    assert all(measure.meaning for measure in given.measures)
