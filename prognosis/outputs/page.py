"""What every HTML page of this project shares: its template, its style sheet, and how it is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from prognosis.errors import InputError
from prognosis.outputs.estimate import Estimate, as_percent, decimal, in_days, signed, with_interval

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).with_name("templates")


def write_whole(path: Path, text: str) -> None:
    """Write a page whole or not at all: it is written beside its place and then moved there.

    Args:
        path: Where to; an existing file is replaced.
        text: The page.

    Raises:
        InputError: The path is a folder, or cannot be written.
    """
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


def environment() -> Environment:
    """Where templates are found; everything that is put into them is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    made.filters |= {
        "chance": _chance,
        "interval": with_interval,
        "gain": _gain,
        "percent": as_percent,
        "signed": signed,
        "decimal": decimal,
        "horizon": in_days,
        "thousands": "{:,}".format,
        "small": lambda number: f"{number:.1e}" if number else "0",
        "date": _date,
    }
    return made


def style() -> str:
    """The style sheet, which is ours and must not be escaped."""
    from markupsafe import Markup

    return Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))  # noqa: S704 - a file of this package


def _gain(gain: Estimate) -> str:
    """A paired difference as text: "+0.0410 (+0.0121 to +0.0703)"."""
    return f"{signed(gain.value, 4)} ({signed(gain.low, 4)} to {signed(gain.high, 4)})"


def _chance(p_value: float) -> str:
    """A p-value as text; what rounds to zero is not zero."""
    return "<0.001" if p_value < 0.0005 else f"{p_value:.3f}"


def _date(time: str) -> str:
    """Day and minute of an ISO 8601 time; what has no time says so."""
    return time[:16].replace("T", " ") if time else "no date"
