"""A series of films on a patient's page: every date, every change, and the caution where there is one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from prognosis.outputs.patient_page import DatedFilm, FilmChange, FilmSeries
from prognosis.outputs.report import render_patient_page
from prognosis.outputs.series_figures import series_picture
from tests.outputs.example import ATTACK, abstaining_patient, patient

ZONES = ("right zone", "left zone", "outside")
REGIONS = np.repeat(np.array([[0, 1]], dtype=np.uint8), 20, axis=1).repeat(30, axis=0)  # nothing is outside


def series() -> FilmSeries:
    pixels = np.linspace(0.0, 1.0, REGIONS.size).reshape(REGIONS.shape)
    levels = ((-0.11, 0.22, 0.0), (0.33, 0.17, 0.0), (0.41, -0.52, 0.0))
    days = ("2020-03-01", "2020-03-04", "2020-03-09")
    return FilmSeries(
        title="Films of 3 dates: evidence for intensive care",
        zones=ZONES,
        films=tuple(
            DatedFilm(day, f"ImagingStudy/{day}", pixels, REGIONS, level)
            for day, level in zip(days, levels, strict=True)
        ),
        changes=(
            FilmChange(days[0], days[1], (0.44, -0.06, 0.0)),
            FilmChange(days[1], days[2], (0.07, -0.68, 0.0), "the films could not be aligned"),
        ),
        overall=FilmChange(days[0], days[2], (0.53, -0.75, 0.0)),
        meaning="What the numbers are.",
    )


def test_the_picture_says_every_change_between_dates_in_words() -> None:
    said = series_picture(series()).alternative
    assert "2020-03-01 to 2020-03-04: right zone +0.44, left zone \N{MINUS SIGN}0.06" in said
    assert "2020-03-04 to 2020-03-09: right zone +0.07, left zone \N{MINUS SIGN}0.68" in said


def test_the_page_tells_each_dates_evidence_each_change_and_the_caution() -> None:
    page = render_patient_page(replace(patient(), series=series()))
    for text in ("2020-03-04", "+0.33", "+0.44", "\N{MINUS SIGN}0.75", "the films could not be aligned"):
        assert text in page


def test_films_that_did_not_change_are_drawn_without_a_tint() -> None:
    still = replace(series(), changes=tuple(replace(each, by_zone=(0.0,) * 3) for each in series().changes))
    assert series_picture(still).uri.startswith("data:image/png;base64,")


def test_a_page_that_abstains_shows_no_change_and_a_title_is_escaped() -> None:
    abstained = render_patient_page(replace(abstaining_patient(), series=series()))
    assert "Films of 3 dates" not in abstained
    assert ATTACK not in render_patient_page(replace(patient(), series=replace(series(), title=ATTACK)))


def test_a_change_that_rounds_to_zero_has_no_colour_and_the_caption_says_what_a_change_is() -> None:
    page = render_patient_page(replace(patient(), series=series()))
    assert (
        '<td class="number">+0.00</td>'
        in page.partition('class="number soft">change<')[2].partition("</tr>")[0]
    )
    assert '<td class="number better">+0.00</td>' not in page
    assert "it is not the difference of the levels" in page
