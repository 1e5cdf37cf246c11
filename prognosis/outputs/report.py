"""The report: one HTML file that needs no network and no script, readable on a phone, and printable."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from prognosis.outputs.figures import Picture, calibration_picture, leaderboard_picture, risk_group_picture
from prognosis.outputs.landmark_figures import landmark_picture
from prognosis.outputs.page import environment, style, write_whole
from prognosis.outputs.patient_explanation import parts_not_told
from prognosis.outputs.patient_figures import (
    BARS,
    film_picture,
    incidence_picture,
    strongest,
    waterfall_picture,
)
from prognosis.outputs.patient_page import Film, HorizonRisk, PatientPage
from prognosis.outputs.report_content import Calibration, Report
from prognosis.outputs.series_figures import series_picture
from prognosis.outputs.treatment_figures import arms_picture
from prognosis.outputs.treatment_text import NO_ORDER, events_of, grounds_in_words, verdict
from prognosis.outputs.treatment_words import amount, drivers_shown, gain, share_of_gain

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True, slots=True)
class _PatientView:
    """A patient's page with its figures drawn."""

    page: PatientPage
    incidence: Picture | None
    waterfalls: tuple[Picture, ...]
    films: tuple[tuple[Film, Picture], ...]
    series: Picture | None
    arms: Picture | None = None


@dataclass(frozen=True, slots=True)
class _Point:
    """One group of a calibration plot, as text."""

    cases: int
    predicted: str
    observed: str


def write_report(path: Path, report: Report) -> None:
    """Write a report as one HTML file, whole or not at all.

    Args:
        path: Where to; an existing file is replaced.
        report: What to say.

    Raises:
        InputError: The path is a folder, or cannot be written.
    """
    write_whole(path, render_report(report))


def write_patient_page(path: Path, page: PatientPage) -> None:
    """Write one patient's page as one HTML file, whole or not at all.

    Args:
        path: Where to; an existing file is replaced.
        page: What to say.

    Raises:
        InputError: The path is a folder, or cannot be written.
    """
    write_whole(path, render_patient_page(page))


def render_report(report: Report) -> str:
    """The report as HTML. Equal reports give equal text; everything that was given is escaped."""
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            title=report.title,
            report=report,
            style=style(),
            leaderboards=[(board, leaderboard_picture(board)) for board in report.leaderboards],
            calibrations=[(item, calibration_picture(item)) for item in report.calibrations],
            risk_groups=[(groups, risk_group_picture(groups)) for groups in report.risk_groups],
            landmarks=[(curves, landmark_picture(curves)) for curves in report.landmarks],
            patients=[_view(page) for page in report.patients],
        )
    )


def render_patient_page(page: PatientPage) -> str:
    """One patient's page as HTML; everything that was given is escaped."""
    return (
        _environment()
        .get_template("one_patient.html.j2")
        .render(title=f"Patient {page.patient}", style=style(), view=_view(page), place=1)
    )


def _view(page: PatientPage) -> _PatientView:
    """Draw one patient's figures. A page that abstains shows its films plain: a map would be an answer."""
    arms = None if page.treatment is None else arms_picture(page.treatment)
    if page.abstained_because:
        plain = tuple(Film(film.title, film.source, film.pixels, None) for film in page.films)
        return _PatientView(page, None, (), tuple((film, film_picture(film)) for film in plain), None)
    return _PatientView(
        page,
        incidence_picture(page.curves) if page.curves else None,
        tuple(waterfall_picture(explanation) for explanation in page.explanations),
        tuple((film, film_picture(film, page.answer)) for film in page.films),
        series_picture(page.series) if page.series is not None else None,
        arms,
    )


def _environment() -> Environment:
    made = environment()
    made.filters |= {
        "points": _points,
        "rows_of_tiles": _rows_of_tiles,
        "total": lambda drivers: sum(driver.contribution for driver in drivers),
        "strongest": lambda drivers: strongest(drivers, BARS),
        "not_told": parts_not_told,
        "head": lambda drivers: drivers[:BARS],
        "tail": lambda drivers: drivers[BARS:],
        "amount": amount,
        "difference": gain,
        "adds": lambda number, told: share_of_gain(told, number),
        "verdict": verdict,
        "events_of": events_of,
        "grounds": lambda answer: grounds_in_words(answer, answer.basis),
        "plainest": lambda drivers, told: drivers_shown(told, drivers),
    }
    made.globals["no_order"] = NO_ORDER
    return made


def _rows_of_tiles(risks: tuple[HorizonRisk, ...]) -> list[list[HorizonRisk]]:
    """A row a cause, its horizons beside one another; classes and findings, with one each, in one row."""
    rows = [list(row) for _, row in groupby(risks, key=lambda risk: risk.cause)]
    return rows if any(len(row) > 1 for row in rows) else [list(risks)]


def _points(calibration: Calibration) -> list[_Point]:
    rows = zip(
        calibration.counts,
        calibration.predicted,
        calibration.observed,
        calibration.low,
        calibration.high,
        strict=True,
    )
    return [
        _Point(int(cases), f"{predicted:.1%}", f"{observed:.1%} ({100 * low:.1f} to {100 * high:.1f})")
        for cases, predicted, observed, low, high in rows
    ]
