"""A patient's films in the order of their dates, each with the evidence of its regions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case
from prognosis.evidence.imaging.arrays import film_arrays
from prognosis.evidence.imaging.films import Film, read_image
from prognosis.evidence.imaging.model import ImagingEvidence

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DatedEvidence:
    """One film of a series.

    Attributes:
        film: As it is read.
        regions: (causes, regions) its evidence; zero is the training films' mean. The difference of two dates
            is the change in evidence between them, whether or not the model found that change as such bears
            on the outcome.
    """

    film: Film
    regions: Array


def evidence_series(model: ImagingEvidence, case: Case, most: int | None = None) -> tuple[DatedEvidence, ...]:
    """The readable films known at a case's index, oldest first, with their evidence.

    Args:
        model: Imaging evidence.
        case: Whose films; one that the gate refuses is passed over.
        most: How many of the latest; all where None.
    """
    films: list[Film] = []
    for study in reversed(case.record.studies):
        if study.series and not any(model.config.reads_view(series.view) for series in study.series):
            continue
        film = read_image(study, case.patient, model.config, model.gate)
        if isinstance(film, Film):
            films.insert(0, film)
        if most is not None and len(films) == most:
            break
    if not films:
        return ()
    level = model.film_level(film_arrays(films, model.config, encoder=model.encoder))
    return tuple(DatedEvidence(film, own) for film, own in zip(films, level, strict=True))
