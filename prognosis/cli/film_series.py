"""The films of a patient's dates, put together for the page: evidence by zone, and change between dates."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case
from prognosis.evidence.imaging.films import Film
from prognosis.evidence.imaging.model import ImagingEvidence
from prognosis.evidence.imaging.series import DatedEvidence, change_between, evidence_series
from prognosis.outputs.patient_page import DatedFilm, FilmChange, FilmSeries

MOST_FILMS = 8
_MEANING = (
    "In each zone the evidence of the film, and in brackets its change since the film before (orange: worse, "
    "blue: better). Films are aligned before they are compared, so a change need not be the difference of "
    "the two numbers. This is the film's own evidence, before it is weighed against the other modalities."
)


def film_series(imaging: ImagingEvidence, case: Case) -> FilmSeries | None:
    """The latest films known at a case's index with their change; None for volumes or with fewer than two."""
    if imaging.config.dimensions != 2:
        return None
    series = evidence_series(imaging, case, MOST_FILMS)
    if len(series) < 2:
        return None
    return FilmSeries(
        title=f"Films of {len(series)} dates: evidence for {imaging.causes[0].replace('_', ' ')}",
        zones=imaging.config.layout.names,
        films=tuple(_dated(imaging, each) for each in series),
        changes=tuple(_change(imaging, before.film, after.film) for before, after in pairwise(series)),
        overall=_change(imaging, series[0].film, series[-1].film),
        meaning=_MEANING,
    )


def _dated(imaging: ImagingEvidence, dated: DatedEvidence) -> DatedFilm:
    film = dated.film
    pixels = film.on_own_grid().astype(np.float64)
    regions = film.outline.regions if film.outline is not None else _grid(imaging, pixels.shape)
    return DatedFilm(
        day=film.time.date().isoformat(),
        source=film.source,
        pixels=pixels,
        regions=regions,
        by_zone=tuple(float(value) for value in dated.regions[0]),
    )


def _grid(imaging: ImagingEvidence, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """(rows, columns) the place of each pixel's region in the layout that divides the film evenly."""
    layout = imaging.config.layout
    rows, columns = (
        np.arange(side) * count // side
        for side, count in zip(shape, (layout.rows, layout.columns), strict=True)
    )
    return np.asarray(rows[:, None] * layout.columns + columns[None, :], dtype=np.uint8)


def _change(imaging: ImagingEvidence, before: Film, after: Film) -> FilmChange:
    found = change_between(imaging, before, after)
    first, last = (film.time.date().isoformat() for film in (before, after))
    by_zone = tuple(float(value) for value in found.regions[0])
    return FilmChange(first, last, by_zone, found.alignment.caution)
