"""The report: one HTML file that needs no network and no script, readable on a phone, and printable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prognosis.errors import InputError
from prognosis.outputs.estimate import Estimate, as_percent, decimal, in_days, signed, with_interval
from prognosis.outputs.figures import Picture, calibration_picture, leaderboard_picture, risk_group_picture
from prognosis.outputs.patient_figures import BARS, film_picture, incidence_picture, waterfall_picture
from prognosis.outputs.patient_page import Driver, Film, PatientPage
from prognosis.outputs.report_content import Calibration, Report

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True, slots=True)
class _PatientView:
    """A patient's page with its figures drawn."""

    page: PatientPage
    incidence: Picture | None
    waterfalls: tuple[Picture, ...]
    films: tuple[tuple[Film, Picture], ...]


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
    _write_whole(path, render_report(report))


def write_patient_page(path: Path, page: PatientPage) -> None:
    """Write one patient's page as one HTML file, whole or not at all.

    Args:
        path: Where to; an existing file is replaced.
        page: What to say.

    Raises:
        InputError: The path is a folder, or cannot be written.
    """
    _write_whole(path, render_patient_page(page))


def render_report(report: Report) -> str:
    """The report as HTML. Equal reports give equal text; everything that was given is escaped."""
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            title=report.title,
            report=report,
            style=_style(),
            leaderboards=[(board, leaderboard_picture(board)) for board in report.leaderboards],
            calibrations=[(item, calibration_picture(item)) for item in report.calibrations],
            risk_groups=[(groups, risk_group_picture(groups)) for groups in report.risk_groups],
            patients=[_view(page) for page in report.patients],
        )
    )


def render_patient_page(page: PatientPage) -> str:
    """One patient's page as HTML; everything that was given is escaped."""
    return (
        _environment()
        .get_template("one_patient.html.j2")
        .render(title=f"Patient {page.patient}", style=_style(), view=_view(page), place=1)
    )


def _write_whole(path: Path, text: str) -> None:
    """A reader never meets half a file: it is written beside its place and then moved there."""
    if path.is_dir():
        raise InputError(str(path), "is a folder", "name the file to write")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(path.name + ".part")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise InputError(
            str(path), "cannot be written", "name a file in a folder you may write to"
        ) from error


def _view(page: PatientPage) -> _PatientView:
    """Draw one patient's figures. A page that abstains shows its films plain: a map would be an answer."""
    if page.abstained_because:
        plain = tuple(Film(film.title, film.source, film.pixels, None) for film in page.films)
        return _PatientView(page, None, (), tuple((film, film_picture(film)) for film in plain))
    return _PatientView(
        page,
        incidence_picture(page.curves) if page.curves else None,
        tuple(waterfall_picture(explanation) for explanation in page.explanations),
        tuple((film, film_picture(film)) for film in page.films),
    )


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {
        "interval": with_interval,
        "gain": _gain,
        "percent": as_percent,
        "signed": signed,
        "decimal": decimal,
        "horizon": in_days,
        "thousands": "{:,}".format,
        "small": lambda number: f"{number:.1e}" if number else "0",
        "date": _date,
        "points": _points,
        "total": lambda drivers: sum(driver.contribution for driver in drivers),
        "by_size": _by_size,
        "head": lambda drivers: drivers[:BARS],
        "tail": lambda drivers: drivers[BARS:],
    }
    return environment


def _style() -> str:
    """The style sheet, which is ours and must not be escaped."""
    from markupsafe import Markup

    return Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))  # noqa: S704 - a file of this package


def _gain(gain: Estimate) -> str:
    """A paired difference as text: "+0.041 (+0.012 to +0.070)"."""
    return f"{signed(gain.value, 3)} ({signed(gain.low, 3)} to {signed(gain.high, 3)})"


def _date(time: str) -> str:
    """Day and minute of an ISO 8601 time; what has no time says so."""
    return time[:16].replace("T", " ") if time else "no date"


def _by_size(drivers: Sequence[Driver]) -> list[Driver]:
    return sorted(drivers, key=lambda driver: -abs(driver.contribution))


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
