"""A patient's films in the order of their dates: evidence by region, and its change between dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case
from prognosis.evidence.imaging.alignment import Alignment, align
from prognosis.evidence.imaging.arrays import film_arrays
from prognosis.evidence.imaging.film_table import FilmTable, may_be_read
from prognosis.evidence.imaging.films import Film, read_image
from prognosis.evidence.imaging.model import ImagingEvidence
from prognosis.evidence.imaging.outline import outline_films

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DatedEvidence:
    """One film of a series.

    Attributes:
        film: As it is read.
        regions: (causes, regions) its evidence; zero is the training films' mean.
    """

    film: Film
    regions: Array


@dataclass(frozen=True, slots=True)
class RegionChange:
    """What changed between two films of a patient.

    Attributes:
        regions: (causes, regions) the later film's evidence less the earlier's, both read as aligned.
        alignment: How the earlier film was laid over the later one.
    """

    regions: Array
    alignment: Alignment


def evidence_series(model: ImagingEvidence, case: Case, most: int | None = None) -> tuple[DatedEvidence, ...]:
    """The readable films known at a case's index, oldest first, with their evidence.

    Args:
        model: Imaging evidence.
        case: Whose films; one that the gate refuses is passed over.
        most: How many of the latest; all where None.
    """
    films: list[Film] = []
    for study in reversed(case.record.studies):
        if not may_be_read(study, model.config):
            continue
        film = read_image(study, case.patient, model.config, model.gate)
        if isinstance(film, Film):
            films.insert(0, film)
        if most is not None and len(films) == most:
            break
    if not films:
        return ()
    latest = np.array([len(films) - 1])
    table = FilmTable(tuple(films), latest, latest - 1, np.zeros(1), ("",))
    outlined = outline_films(table, model.segmenter).films
    return tuple(
        DatedEvidence(film, own) for film, own in zip(outlined, _level(model, outlined), strict=True)
    )


def change_between(model: ImagingEvidence, earlier: Film, later: Film) -> RegionChange:
    """The change of each region's evidence between two films of a patient, in the later film's regions.

    The films are aligned and brought to one tone first: a rib or a nodule that lies half a cell further on is
    no change, and a harder exposure is none. It is the change in what the films are evidence of now; whether
    change as such bears on the outcome is another question, to which the change tokens answer.

    Args:
        model: Imaging evidence of films, not of volumes.
        earlier: As it is read.
        later: As it is read.
    """
    alignment = align(earlier.square, later.square)
    pair = [replace(later, square=square) for square in alignment.comparable(earlier.square, later.square)]
    before, after = _level(model, pair)
    return RegionChange(after - before, alignment)


def _level(model: ImagingEvidence, films: Sequence[Film]) -> Array:
    """(films, causes, regions)."""
    return model.film_level(film_arrays(films, model.config, encoder=model.encoder))
