"""The report: self-contained, escaped, complete, and honest about what it does not know."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from prognosis.errors import InputError
from prognosis.outputs.estimate import as_percent, signed, with_interval
from prognosis.outputs.patient_explanation import Driver
from prognosis.outputs.patient_page import Missing, NoteText, Sentence
from prognosis.outputs.report import render_patient_page, render_report, write_patient_page, write_report
from prognosis.outputs.report_content import Report
from tests.outputs.example import ATTACK, abstaining_patient, explanation, patient, report

LOADING = {"src", "href", "srcset", "action", "data", "poster", "formaction", "background"}


class Page(HTMLParser):
    """What a browser would see: tags with attributes, the text, and the ids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def attributes(self, name: str) -> list[str]:
        return [attributes[name] for _, attributes in self.tags if name in attributes]


@pytest.fixture(scope="module")
def html() -> str:
    return render_report(report())


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def short_report() -> Report:
    """A report with one figure, which is quick to draw."""
    return replace(report(), calibrations=(), risk_groups=(), patients=())


def test_a_report_loads_nothing_and_runs_nothing(page: Page) -> None:
    for tag, attributes in page.tags:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base", "form"}
        assert not any(name.startswith("on") for name in attributes)
        for name in LOADING & set(attributes):
            assert attributes[name].startswith(("#", "data:image/")), (tag, name)
    style = (Path(__file__).parents[2] / "prognosis/outputs/templates/style.css").read_text()
    assert "url(" not in style
    assert "@import" not in style


def test_every_figure_says_in_words_what_it_shows(page: Page) -> None:
    alternatives = [attributes.get("alt", "") for tag, attributes in page.tags if tag == "img"]
    assert len(alternatives) >= 8
    assert all(len(alternative) > 20 for alternative in alternatives)


def test_every_link_in_the_page_arrives_somewhere(page: Page) -> None:
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    assert {link.removeprefix("#") for link in page.attributes("href")} <= set(ids)


def test_every_number_that_was_given_is_in_the_page(page: Page) -> None:
    given = report()
    estimates = [measure.estimate for measure in given.measures]
    estimates += [row.estimate for board in given.leaderboards for row in board.contenders]
    estimates += [measure.estimate for item in given.calibrations for measure in item.measures]
    estimates += [row.estimate for table in given.subgroups for row in table.rows if row.estimate]
    for estimate in estimates:
        assert with_interval(estimate) in page.text
    for row in (
        *given.cohort.exclusions,
        *given.cohort.quarantined,
        *given.cohort.events,
        *given.cohort.sites,
    ):
        assert f"{row.name} {row.count:,}" in page.text or f"{row.count:,} {row.name}" in page.text
    for risk in patient().risks:
        assert as_percent(risk.risk) in page.text
    for driver in explanation().drivers:
        assert signed(driver.contribution) in page.text
        assert driver.source in page.text


def test_a_simulation_is_announced_before_anything_else_is_said(html: str) -> None:
    body = html[html.index("<body>") :]
    assert body.index("SIMULATED PATIENTS") < body.index("<h1>")
    assert "REAL PATIENTS" in render_report(replace(short_report(), evidence="real"))


def hostile() -> Report:
    driver = Driver(ATTACK, ATTACK, ATTACK, ATTACK, ATTACK, 9.0)
    why = replace(explanation(), cause=ATTACK, drivers=(driver,))
    note = NoteText(ATTACK, ATTACK, (Sentence(ATTACK, 0.2), Sentence(ATTACK)))
    page = replace(
        patient(),
        patient=ATTACK,
        summary=ATTACK,
        explanations=(why,),
        notes=(note,),
        missing=(Missing(ATTACK, ATTACK, ATTACK),),
        films=(replace(patient().films[0], title=ATTACK, source=ATTACK),),
        cautions=(ATTACK,),
    )
    return replace(
        report(), title=ATTACK, question=ATTACK, command=ATTACK, patients=(page,), findings=(ATTACK,)
    )


def test_what_a_note_contains_is_shown_and_never_run() -> None:
    page = Page(render_report(hostile()))
    assert {tag for tag, _ in page.tags} & {"script", "x"} == set()
    assert not any("onerror" in attributes for _, attributes in page.tags)
    assert " ".join(ATTACK.split()) in page.text


def test_a_patient_for_whom_the_model_abstains_is_given_no_risk_and_no_driver() -> None:
    page = Page(render_patient_page(abstaining_patient()))
    assert "No risk is given" in page.text
    assert abstaining_patient().abstained_because in page.text
    for risk in abstaining_patient().risks:
        assert as_percent(risk.risk) not in page.text
    for driver in explanation().drivers[:8]:
        assert signed(driver.contribution) not in page.text
    assert all(signed(0.58) not in alternative for alternative in page.attributes("alt"))


def test_a_subgroup_with_too_few_patients_is_called_insufficient(page: Page) -> None:
    assert "island 31 6 insufficient" in page.text


def test_subgroups_that_were_not_studied_are_said_to_be_unknown() -> None:
    assert "Not done" in Page(render_report(replace(short_report(), subgroups=()))).text


def test_equal_reports_give_equal_files() -> None:
    one, other = (
        replace(short_report(), patients=(patient(),)),
        replace(short_report(), patients=(patient(),)),
    )
    assert render_report(one) == render_report(other)


def test_a_written_report_is_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "report.html"
    write_report(path, short_report())
    assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")
    write_patient_page(path, abstaining_patient())
    assert "ONE PATIENT" in path.read_text(encoding="utf-8")
    assert [child.name for child in path.parent.iterdir()] == ["report.html"]


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2.2, success criterion 1.4.3."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_text_can_be_read_by_people_with_low_vision() -> None:
    style = (Path(__file__).parents[2] / "prognosis/outputs/templates/style.css").read_text()
    named = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", style))
    for name in ("ink", "soft", "worse", "better"):
        assert contrast(named[name], named["paper"]) >= 4.5
        assert contrast(named[name], named["tint"]) >= 4.5
    for back, front in re.findall(r"background: (#[0-9a-f]{6}); color: (#[0-9a-f]{6})", style):
        assert contrast(back, front) >= 4.5


def test_a_page_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for place in (tmp_path, tmp_path / "file" / "page.html"):
        with pytest.raises(InputError):
            write_patient_page(place, patient())
