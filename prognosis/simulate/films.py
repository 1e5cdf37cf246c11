"""Imaging studies of simulated patients, whose films are drawn when they are opened."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from prognosis.errors import StudyError
from prognosis.record import ImagingStudy, Series, Volume
from prognosis.simulate.film import Lesion, Scanner, film_affine, render_film

_MODALITY, _VIEW, _BODY_PART = "DX", "PA", "CHEST"


@dataclass(frozen=True, slots=True)
class FilmRecipe:
    """All that a film is drawn from."""

    lesions: tuple[Lesion, ...]
    scanner: Scanner
    anatomy_seed: int
    film_seed: int


@dataclass(slots=True)
class SimulatedFilms:
    """An `ImageStore` that draws a study's film anew each time; nothing is kept in memory.

    Attributes:
        recipes: Study UID to what its film shows.
    """

    recipes: dict[str, FilmRecipe] = field(default_factory=dict)

    def add(self, name: str, time: datetime, recipe: FilmRecipe) -> ImagingStudy:
        """Take one film into the store.

        Args:
            name: Names the study within all simulations; the same name gives the same UIDs.
            time: When the film was taken.
            recipe: What it shows.

        Returns:
            The study, which opens from this store.
        """
        study_uid = simulated_uid(f"{name}/study")
        self.recipes[study_uid] = recipe
        series = Series(simulated_uid(f"{name}/series"), _MODALITY, _VIEW, _BODY_PART)
        return ImagingStudy(time, study_uid, (series,), f"ImagingStudy/{study_uid}", self)

    def volumes(self, study: ImagingStudy) -> tuple[Volume, ...]:
        """Draw the study's one film.

        Raises:
            StudyError: The study was not simulated here.
        """
        recipe = self.recipes.get(study.study_uid)
        if recipe is None:
            raise StudyError(
                f"ImagingStudy {study.study_uid}",
                "is not a study of this simulation",
                "open it from the source that holds it",
            )
        film = render_film(recipe.lesions, recipe.scanner, recipe.anatomy_seed, recipe.film_seed)
        return tuple(
            Volume(
                voxels=film,
                affine=film_affine(),
                source=f"ImagingStudy/{study.study_uid}#{series.series_uid}",
                modality=series.modality,
                view=series.view,
            )
            for series in study.series
        )


def simulated_uid(name: str) -> str:
    """A DICOM UID made from a name, under the root for UUIDs (DICOM PS3.5 B.2): at most 44 characters."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, f'urn:prognosis:simulate:{name}').int}"
