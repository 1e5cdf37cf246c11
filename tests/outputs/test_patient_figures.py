"""Figures of one patient: the waterfall's arithmetic, and drawing what is unusual."""

from __future__ import annotations

import base64
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prognosis.outputs.figures import (
    WIDTH_INCHES,
    calibration_picture,
    drawing,
    leaderboard_picture,
    risk_group_picture,
)
from prognosis.outputs.patient_explanation import Driver, PatientExplanation, Receipt
from prognosis.outputs.patient_figures import (
    LEAST_SHOWN,
    Bar,
    draw_waterfall,
    film_picture,
    strongest,
    waterfall_bars,
    waterfall_picture,
)
from tests.outputs.example import ATTACK, calibration, explanation, film, leaderboard, report, risk_groups

SHARES = st.lists(st.floats(-3, 3), min_size=1, max_size=40)


def explained(shares: list[float]) -> PatientExplanation:
    drivers = tuple(
        Driver(f"d{i}", "", "clinical", "", "Observation/x", share) for i, share in enumerate(shares)
    )
    return PatientExplanation(
        "death", -2.0, -2.0 + sum(shares), drivers, Receipt("exact", "log-hazard", 0.0, 0.0)
    )


@given(SHARES)
def test_a_waterfall_leads_from_the_base_to_the_total_without_a_gap(shares: list[float]) -> None:
    why = explained(shares)
    bars = waterfall_bars(why, most=5)
    assert bars[0].start == why.base
    assert all(before.end == after.start for before, after in pairwise(bars))
    assert bars[-1].end == pytest.approx(why.total, abs=1e-9)


@given(SHARES)
def test_no_driver_that_is_left_out_is_larger_than_one_that_is_shown(shares: list[float]) -> None:
    shown, others = strongest(explained(shares).drivers, 5)
    assert len(shown) + len(others) == len(shares)
    smallest = min((abs(driver.contribution) for driver in shown), default=LEAST_SHOWN)
    assert smallest >= LEAST_SHOWN
    assert all(abs(driver.contribution) <= smallest for driver in others)


def test_a_waterfall_in_which_nothing_matters_can_still_be_drawn() -> None:
    assert "total \N{MINUS SIGN}2.00" in waterfall_picture(explained([0.0, 0.0])).alternative


def on_bilirubin(shares: list[float]) -> PatientExplanation:
    """A value page on the logarithm, whose drivers have names and values as long as records have them."""
    drivers = tuple(
        Driver(
            f"Bilirubin.total [Mass/volume] in Serum or Plasma {place}",
            "1.234 mg/dL on 2020-03-02, rising (n=4)",
            "clinical",
            "2020-03-02T08:15:00+00:00",
            "Observation/x",
            share,
        )
        for place, share in enumerate(shares)
    )
    scale = "natural logarithm of mg/dL: +0.10 is 1.105 times as much"
    receipt = Receipt("exact", scale, 0.0, 0.0, short_scale="ln bilirubin")
    return PatientExplanation("bilirubin", 0.4, 0.4 + sum(shares), drivers, receipt)


@pytest.mark.parametrize(
    "shares",
    [[-0.9, -0.4, -0.2], [0.9, 0.4, 0.2], [-0.9, 0.4, -0.2, 0.01], [0.9, -1.4, 0.2], [-14.2, 3.1], [-0.02]],
)
def test_no_number_of_a_waterfall_lies_on_a_label_and_nothing_is_cut_off(shares: list[float]) -> None:
    why = on_bilirubin(shares)
    with drawing(WIDTH_INCHES, 2.5) as figure:
        draw_waterfall(figure, why, waterfall_bars(why))
        figure.canvas.draw()
        (axes,) = figure.axes
        labels = [label.get_window_extent() for label in axes.get_yticklabels()]
        numbers = [number.get_window_extent() for number in axes.texts]
        under = axes.xaxis.label
        assert under.get_text() == "adds to bilirubin (ln bilirubin); right raises it"
        assert min(number.x0 for number in numbers) > max(label.x1 for label in labels)
        assert min(drawn.x0 for drawn in (*labels, under.get_window_extent())) >= 0.0
        assert max(drawn.x1 for drawn in (*numbers, under.get_window_extent())) <= figure.bbox.x1


@pytest.mark.parametrize(
    ("name", "detail", "told"),
    [
        ("sodium", "139 mmol/L on 2020-03-02", "sodium  139 mmol/L on 2020-03-02"),
        ("oxygen saturation", "88 % on 2020-03-02, falling (n=4)", "oxygen saturation  88 %, falling (n=4)"),
        (
            "creatinine, change",
            "+0.3 mg/dL in 4 days (from 1 on 2020-02-27)",
            "+0.3 mg/dL in 4 days (from 1)",
        ),
        ("Leukocytes [#/volume] in Blood by Automated count", "11.2 10*9/L on 2020-03-02", "11.2 10*9/L"),
        ("findings", "Progression of the opacity in the left base.", "findings  Progression of the opacity"),
    ],
)
def test_a_label_loses_its_date_and_then_its_name_before_its_value(name: str, detail: str, told: str) -> None:
    label = Bar(name, detail, 0.0, 1.0).short_label
    assert told in label
    assert len(label) <= 40


def test_a_dollar_in_a_note_is_a_dollar_and_not_a_formula() -> None:
    why = explanation()
    odd = replace(
        why, cause="$x^{$", drivers=(Driver(ATTACK, "$\\frac{", "text", "", "DocumentReference/1", 1.0),)
    )
    assert waterfall_picture(odd).uri.startswith("data:image/svg+xml;base64,")


def test_a_film_without_a_map_is_drawn_alone() -> None:
    plain = film_picture(replace(film(), evidence=None, zones=()))
    mapped = film_picture(film())
    assert plain.width * 2 == pytest.approx(mapped.width, abs=2)
    assert "left lower zone +0.58" in mapped.alternative


def test_a_map_of_zeros_tints_nothing_and_does_not_fail() -> None:
    assert film_picture(replace(film(), evidence=np.zeros((4, 4)))).uri.startswith("data:image/png;base64,")


def test_a_perfectly_calibrated_group_without_events_can_be_drawn() -> None:
    zero = np.zeros(1)
    empty = replace(
        calibration("x"), predicted=zero, observed=zero, low=zero, high=zero, counts=np.array([9])
    )
    assert "observed 0.0%" in calibration_picture(empty).alternative


def test_a_figure_states_the_numbers_that_it_draws() -> None:
    assert "imaging alone 0.671 (0.647 to 0.693)" in leaderboard_picture(leaderboard()).alternative
    assert "highest third (133 cases)" in risk_group_picture(risk_groups("death")).alternative


def test_an_svg_holds_no_date_and_no_script() -> None:
    picture = leaderboard_picture(report().leaderboards[0])
    svg = base64.b64decode(picture.uri.partition(",")[2]).decode()
    assert "<script" not in svg
    assert "dc:date" not in svg
