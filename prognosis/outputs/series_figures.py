"""A patient's films side by side, with the evidence of each zone and what changed since the film before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from prognosis.outputs.estimate import signed
from prognosis.outputs.figures import Picture, as_picture, drawing
from prognosis.outputs.patient_page import DatedFilm, FilmChange, FilmSeries

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = 4
_PANEL_INCHES = 2.15
_STRONGEST_TINT = 0.5


def series_picture(series: FilmSeries) -> Picture:
    """The films in the order of their dates, zones tinted by their change since the film before."""
    columns = min(_COLUMNS, len(series.films))
    rows = -(-len(series.films) // columns)
    tallest = max(film.pixels.shape[0] / film.pixels.shape[1] for film in series.films)
    largest = max((abs(value) for change in series.changes for value in change.by_zone), default=0.0)
    with drawing(columns * _PANEL_INCHES, rows * (_PANEL_INCHES * tallest + 0.35)) as figure:
        for place, film in enumerate(series.films):
            axes = figure.add_subplot(rows, columns, place + 1)
            _panel(axes, film, series.changes[place - 1] if place else None, largest)
        return as_picture(figure, _said(series), kind="png")


def _panel(axes: Axes, film: DatedFilm, change: FilmChange | None, largest: float) -> None:
    """One film; in every zone its evidence and, in brackets, the change since the film before."""
    from matplotlib.colors import to_rgb
    from matplotlib.patheffects import withStroke

    axes.imshow(film.pixels, cmap="gray", vmin=0.0, vmax=1.0, interpolation="bilinear")
    border = np.zeros(film.regions.shape, dtype=bool)
    border[1:] |= film.regions[1:] != film.regions[:-1]
    border[:, 1:] |= film.regions[:, 1:] != film.regions[:, :-1]
    tint = np.zeros((*film.regions.shape, 4))
    if change is not None and largest > 0.0:
        for zone, value in enumerate(change.by_zone):
            colour = to_rgb("#FF7F2A" if value > 0.0 else "#56B4E9")
            tint[film.regions == zone] = (*colour, _STRONGEST_TINT * abs(value) / largest)
    tint[border] = (1.0, 1.0, 1.0, 0.8)
    axes.imshow(tint, interpolation="nearest")
    for zone, level in enumerate(film.by_zone):
        inside = np.argwhere(film.regions == zone)
        if len(inside):
            row, column = inside.mean(axis=0)
            text = signed(level) if change is None else f"{signed(level)}\n({signed(change.by_zone[zone])})"
            outline = [withStroke(linewidth=2.0, foreground="black")]
            axes.text(
                column, row, text, ha="center", va="center", fontsize=7, color="white", path_effects=outline
            )
    axes.set_title(film.day, fontsize=9)
    axes.set_axis_off()


def _said(series: FilmSeries) -> str:
    """The picture in words: what changed in which zone from the first film to the last."""
    days = ", ".join(film.day for film in series.films)
    moved = "; ".join(
        f"{change.first} to {change.last}: "
        + ", ".join(
            f"{zone} {signed(value)}" for zone, value in zip(series.zones, change.by_zone, strict=True)
        )
        for change in series.changes
    )
    return f"{series.title}. Films of {days}. Change by zone: {moved}."
