"""What each arm would do, on a patient's page and in lines: the numbers of the answer, or its reason."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from prognosis.outputs.report import render_patient_page
from prognosis.outputs.treatment_figures import arms_picture
from prognosis.outputs.treatment_text import NO_ORDER, arm_lines, contrast_lines, verdict
from prognosis.outputs.treatment_words import amount, gain
from tests.outputs.example import ATTACK, abstaining_patient, patient
from tests.outputs.test_report import LOADING, Page
from tests.outputs.treatment import FEW, RARE, comparison, refusal, response

ORDERS = ("should", "recommend", "prescribe", "must be given", "treat with")


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render_patient_page(replace(patient(), treatment=comparison())))


def test_every_number_of_the_answer_is_on_the_page_with_its_interval(page: Page) -> None:
    told = comparison()
    shown = [amount(arm.worth) for arm in told.arms if arm.worth is not None]
    shown += [amount(each.risk) for arm in told.arms for each in arm.risks]
    shown += [gain(each.difference) for each in told.contrasts if each.difference is not None]
    shown += [gain(each.average) for each in told.contrasts]
    assert told.basis is not None
    shown += [amount(arm.average) for arm in told.basis.arms]
    assert [number for number in shown if number not in page.text] == []
    assert NO_ORDER in page.text
    assert verdict(told) in page.text


def test_an_arm_of_which_nothing_is_said_has_its_reason_and_no_number(page: Page) -> None:
    assert f"Not said: {FEW.detail}" in page.text
    assert not any(line.startswith(f"{RARE}: days") for line in arm_lines(comparison()))
    picture = arms_picture(comparison())
    assert picture is not None
    assert RARE not in picture.alternative


def test_a_caution_of_the_risk_is_not_told_again_beneath_the_arms() -> None:
    shared = comparison().cautions[0]
    told = replace(patient(), cautions=(shared,), treatment=comparison())
    text = Page(render_patient_page(told)).text
    assert text.count(shared) == 1
    assert "imaging is missing" in text


def test_a_refusal_shows_its_reason_and_no_number_of_the_patient() -> None:
    for one in (patient(), abstaining_patient()):
        text = Page(render_patient_page(replace(one, treatment=refusal()))).text
        assert "The arms are not compared for this patient" in text
        assert "unlike everybody in the cohort" in text
        assert all(amount(arm.worth) not in text for arm in comparison().arms if arm.worth is not None)
    assert arms_picture(refusal()) is None


def test_a_response_is_told_as_a_probability() -> None:
    text = Page(render_patient_page(replace(patient(), treatment=response()))).text
    assert "probability of improved" in text
    assert "40% (30 to 52)" in text


def test_names_of_arms_cannot_become_markup_and_nothing_is_loaded() -> None:
    told = comparison()
    arms = tuple(replace(arm, name=f"{ATTACK} {place}") for place, arm in enumerate(told.arms))
    page = Page(render_patient_page(replace(patient(), treatment=replace(told, arms=arms))))
    assert all(tag != "script" for tag, _ in page.tags)
    loaded = [value for name in LOADING for value in page.attributes(name)]
    assert [value for value in loaded if re.match(r"(https?:)?//", value)] == []


def test_no_word_on_the_page_or_in_the_lines_is_an_order(page: Page) -> None:
    text = " ".join((page.text, *arm_lines(comparison()), *contrast_lines(comparison()))).lower()
    start = text.index("under each treatment")
    assert [word for word in ORDERS if word in text[start:]] == []


def test_only_the_lines_of_an_arm_that_was_asked_for_are_given() -> None:
    assert len(contrast_lines(comparison())) == 2
    (line,) = contrast_lines(comparison(), RARE)
    assert "not said" in line
    assert FEW.detail in line
