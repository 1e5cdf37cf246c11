"""The films of training cases, read and looked at without any outcome: most of a fit goes into that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case
from prognosis.errors import CohortError
from prognosis.evidence.imaging.arrays import FilmArrays, film_arrays
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.film_table import FilmTable, Progress
from prognosis.evidence.imaging.films import Film, gather_films
from prognosis.evidence.imaging.gate import FilmGate
from prognosis.evidence.imaging.gate_fitting import learn_gate
from prognosis.evidence.imaging.outline import outline_films
from prognosis.evidence.imaging.typical import TypicalFilms

if TYPE_CHECKING:
    from prognosis.evidence.imaging.pretrained import PretrainedEncoder
    from prognosis.evidence.segmentation.model import SegmentationModel

Array = NDArray[np.float64]

_FEWEST_FILMS = 4


@dataclass(frozen=True, slots=True)
class ImagesRead:
    """The films of cases, read and looked at without any target."""

    table: FilmTable[Film]
    films: FilmArrays
    film_folds: NDArray[np.int64]
    encoder: PretrainedEncoder | None
    segmenter: SegmentationModel | None
    typical: Typical


def read_images(
    cases: Sequence[Case],
    folds: NDArray[np.int64],
    config: ImagingConfig,
    seed: int,
    on_progress: Progress | None = None,
) -> ImagesRead:
    """Read what `imaging_fitting` learns from, which takes the most of its time; arguments are as there."""
    encoder = _pretrained(config)
    segmenter = _segmenter(config)
    table = outline_films(gather_films(cases, config, on_progress), segmenter)
    if table.present.sum() < _FEWEST_FILMS:
        raise CohortError(
            f"cohort of {len(cases)} cases",
            f"has {int(table.present.sum())} readable films; {_FEWEST_FILMS} are needed",
            "add a source with films, or leave imaging out: --set 'modalities=[clinical, text]'",
        )
    films = film_arrays(table.films, config, on_progress, encoder)
    film_folds = _film_folds(cases, table, folds)
    typical = _typical(cases, table, films, config, film_folds, seed)
    return ImagesRead(table, films, film_folds, encoder, segmenter, typical)


@dataclass(frozen=True, slots=True)
class Typical:
    """What is usual: of volumes their statistics, of films the whole gate; each image's distance from it."""

    films: TypicalFilms
    gate: FilmGate | None
    distance: Array


def _typical(
    cases: Sequence[Case],
    table: FilmTable[Film],
    films: FilmArrays,
    config: ImagingConfig,
    film_folds: NDArray[np.int64],
    seed: int,
) -> Typical:
    """Learned on every training image, each one's distance from those of the other folds."""
    if config.dimensions == 2:
        site_of = {case.patient: case.record.site for case in cases}
        sites = [site_of[film.patient] for film in table.films]
        gate, distance = learn_gate(table.films, film_folds, sites, seed)
        return Typical(gate.typical, gate, distance)
    usual, distance = TypicalFilms.learned(films.statistics, film_folds)
    return Typical(usual, None, distance)


def _film_folds(cases: Sequence[Case], table: FilmTable[Film], folds: NDArray[np.int64]) -> NDArray[np.int64]:
    """(films,) the fold of each film's patient."""
    fold_of = {case.patient: int(fold) for case, fold in zip(cases, folds, strict=True)}
    return np.array([fold_of[film.patient] for film in table.films], dtype=np.int64)


def _segmenter(config: ImagingConfig) -> SegmentationModel | None:
    """The model that outlines lungs, where the settings name one."""
    if config.segmentation is None:
        return None
    from prognosis.evidence.segmentation.storage import load_segmentation

    return load_segmentation(config.segmentation)


def _pretrained(config: ImagingConfig) -> PretrainedEncoder | None:
    """The encoder that the settings name, or None."""
    if config.encoder is None:
        return None
    from prognosis.evidence.imaging.pretrained import load_encoder

    encoder = load_encoder(Path(config.encoder))
    encoder.check(config)
    return encoder
