"""The imaging evidence model: films in, additive evidence per region out, with its map on the film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case
from prognosis.evidence.imaging.arrays import FilmArrays, film_arrays
from prognosis.evidence.imaging.combine import Combination, film_change
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.films import Film, FilmTable, gather_films
from prognosis.evidence.imaging.gate import FilmGate
from prognosis.evidence.imaging.members import FoldMembers
from prognosis.evidence.imaging.outline import Outline, outline_films
from prognosis.evidence.imaging.regions import film_map
from prognosis.evidence.imaging.typical import TypicalFilms
from prognosis.evidence.token import ModalityEvidence, Token

if TYPE_CHECKING:
    from prognosis.evidence.imaging.pretrained import PretrainedEncoder
    from prognosis.evidence.segmentation.model import SegmentationModel

Array = NDArray[np.float64]

_CASES_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Centres:
    """Training means, at which evidence is zero.

    Attributes:
        members: (folds, members, causes, regions) of each fold model's members over films it did not see.
        change: (causes, regions) of the change a day, over cases with two films.
    """

    members: Array
    change: Array


@dataclass(frozen=True, slots=True)
class EvidenceMap:
    """Where on a film or in a volume its evidence lies.

    Attributes:
        film: (height, width) the film, or (z, y, x) the volume through its first window, 0 to 1; on the grid
            of the study's own pixels or voxels.
        evidence: (causes, *grid); each cause's map sums to the sum of its level tokens.
        causes: Names of the causes.
        source: "ImagingStudy/<uid>".
        time: ISO 8601.
        outline: Where the regions lie on a film whose lungs were outlined.
    """

    film: NDArray[np.float32]
    evidence: Array
    causes: tuple[str, ...]
    source: str
    time: str
    outline: Outline | None = None


@dataclass(slots=True)
class ImagingEvidence:
    """The average of the fold models, combined as their out-of-fold evidence taught.

    A film's evidence is the sum of its regions' (level tokens); the change since the film before, region by
    region, stands beside it (change tokens).

    Attributes:
        config: Settings.
        causes: Names of the causes.
        folds: The fold models.
        combination: What each member and change count for.
        centres: Training means.
        typical: The training images' statistics.
        gate: What the training films taught of quality; None of a model of volumes.
        encoder: The frozen encoder that the fold models read; None without one.
        segmenter: Outlines the lungs in whose zones the evidence is told; None where regions are a grid's.
        modality: Always "imaging".
        width: Numbers in a vector: level and change of each cause.
    """

    config: ImagingConfig
    causes: tuple[str, ...]
    folds: tuple[FoldMembers, ...]
    combination: Combination
    centres: Centres
    typical: TypicalFilms
    gate: FilmGate | None = None
    encoder: PretrainedEncoder | None = None
    segmenter: SegmentationModel | None = None
    modality: str = field(default="imaging", init=False)
    width: int = field(init=False)

    def __post_init__(self) -> None:
        self.width = 2 * len(self.causes)

    def summarise(self, cases: Sequence[Case]) -> ModalityEvidence:
        """The imaging evidence of each case; a case without a readable film is a row of zeros."""
        parts = [
            self._part(cases[start : start + _CASES_AT_ONCE])
            for start in range(0, len(cases), _CASES_AT_ONCE)
        ]
        if not parts:
            parts = [self._part(())]
        return ModalityEvidence(
            present=np.concatenate([part.present for part in parts]),
            evidence=np.concatenate([part.evidence for part in parts]),
            vector=np.concatenate([part.vector for part in parts]),
            typical_distance=np.concatenate([part.typical_distance for part in parts]),
            withheld=tuple(reason for part in parts for reason in part.withheld),
            cautions=tuple(caution for part in parts for caution in part.cautions),
        )

    def tokens(self, case: Case) -> tuple[Token, ...]:
        """A level token for each region of the latest film and, after an earlier film, a change token."""
        table = self._films([case])
        if not table.present[0]:
            return ()
        film = table.films[int(table.latest[0])]
        films = film_arrays(table.films, self.config, encoder=self.encoder)
        level, change = self._level_and_change(table, films)
        age_days = (case.index_time - film.time).total_seconds() / 86_400.0
        day, kind = film.time.date().isoformat(), "film" if self.config.dimensions == 2 else "volume"
        nothing = np.zeros(len(self.causes))
        tokens = []
        for place, name in enumerate(self.config.layout.names):
            own = level[0, :, place]
            vector = np.concatenate([own, nothing])
            source, time = f"{film.source}#{name}", film.time.isoformat()
            tokens.append(
                Token("imaging", name, f"{kind} of {day}", source, time, age_days, own[:, None], vector)
            )
        if table.previous[0] < 0:
            return tuple(tokens)
        before = table.films[int(table.previous[0])]
        detail = f"{kind} of {day} against that of {before.time.date().isoformat()}"
        for place, name in enumerate(self.config.layout.names):
            own = change[0, :, place]
            vector = np.concatenate([nothing, own])
            source, time = f"{film.source}#{name}", film.time.isoformat()
            tokens.append(
                Token("imaging", f"{name}, change", detail, source, time, age_days, own[:, None], vector)
            )
        return tuple(tokens)

    def evidence_map(self, case: Case) -> EvidenceMap | None:
        """Where in the latest film its evidence lies, on its own pixels; None without a readable film.

        A pixel's evidence is its share of its cell's, less its share of its region's training mean. A cell of
        the network sees a little beyond its own border, its receptive field; one of a frozen encoder may see
        the whole film.
        """
        table = self._films([case])
        return self.map_of(table.films[int(table.latest[0])]) if table.present[0] else None

    def map_of(self, film: Film) -> EvidenceMap:
        """Where in one film its evidence lies, as `evidence_map` says it of the latest."""
        slopes = self.combination.slopes
        by_fold = [fold.cells(film, self.config, self.encoder) for fold in self.folds]
        cells = [np.mean(each, axis=0) for each in zip(*by_fold, strict=True)]
        centre = np.einsum("mk,mkr->kr", slopes, self.centres.members.mean(axis=0))
        layout, place = self.config.layout, film.placement
        maps = []
        for cause in range(len(self.causes)):
            own = [slopes[member, cause] * film_map(each[cause], place) for member, each in enumerate(cells)]
            maps.append(np.sum(own, axis=0) - film.spread_regions(centre[cause], layout))
        evidence = np.stack([film.in_own_order(each) for each in maps])
        time = film.time.isoformat()
        return EvidenceMap(film.on_own_grid(), evidence, self.causes, film.source, time, film.outline)

    def film_level(self, films: FilmArrays) -> Array:
        """(films, causes, regions) evidence of each film, whatever its date; zero is the training mean."""
        return np.einsum("mk,mfkr->fkr", self.combination.slopes, self._centred(films))

    def save(self, folder: Path) -> None:
        """Write config.json and model.safetensors into an existing, empty folder."""
        from prognosis.evidence.imaging.storage import save_imaging

        save_imaging(self, folder)

    def _films(self, cases: Sequence[Case]) -> FilmTable:
        return outline_films(gather_films(cases, self.config, gate=self.gate), self.segmenter)

    def _part(self, cases: Sequence[Case]) -> ModalityEvidence:
        table = self._films(cases)
        if not table.films:
            shape = (len(cases), len(self.causes), len(self.config.layout.names))
            return modality_evidence(table, np.zeros(shape), np.zeros(shape), np.zeros(len(cases)))
        films = film_arrays(table.films, self.config, encoder=self.encoder)
        level, change = self._level_and_change(table, films)
        distance = np.zeros(len(cases))
        distance[table.present] = self._distance(table, films)[table.latest[table.present]]
        return modality_evidence(table, level, change, distance)

    def _distance(self, table: FilmTable, films: FilmArrays) -> Array:
        """(films,) of each film or volume from the training images."""
        if self.config.dimensions == 3:
            return self.typical.distance(films.statistics)
        verdicts = [None if film.quality is None else film.quality.verdict for film in table.films]
        return np.array([0.0 if verdict is None else verdict.distance for verdict in verdicts])

    def _level_and_change(self, table: FilmTable, films: FilmArrays) -> tuple[Array, Array]:
        """(n, causes, regions) of each case's latest film and of its change, centred; zero where absent."""
        return case_evidence(self._centred(films), table, self.combination, self.centres.change)

    def _centred(self, films: FilmArrays) -> Array:
        """(members, films, causes, regions) mean over the fold models, each about its training mean."""
        centred = [
            fold.regions(films, self.config) - centre[:, None]
            for fold, centre in zip(self.folds, self.centres.members, strict=True)
        ]
        return np.asarray(np.mean(centred, axis=0))


def case_evidence(
    members: Array, table: FilmTable, combination: Combination, change_centre: Array
) -> tuple[Array, Array]:
    """(n, causes, regions) level and change of each case; zero where absent.

    Args:
        members: (members, films, causes, regions) centred evidence of each film.
        table: Which films are each case's.
        combination: Slopes and the coefficient of change.
        change_centre: (causes, regions) mean change a day.
    """
    film_level = np.einsum("mk,mfkr->fkr", combination.slopes, members)
    level = np.zeros((len(table.latest), *film_level.shape[1:]))
    level[table.present] = film_level[table.latest[table.present]]
    change = film_change(film_level, table)
    both = table.previous >= 0
    change[both] = combination.change[:, None] * (change[both] - change_centre)
    return level, change


def modality_evidence(table: FilmTable, level: Array, change: Array, distance: Array) -> ModalityEvidence:
    """Level and change, (n, causes, regions) each, summed over regions."""
    level, change = level.sum(axis=2), change.sum(axis=2)
    return ModalityEvidence(
        present=table.present,
        evidence=(level + change)[:, :, None],
        vector=np.concatenate([level, change], axis=1),
        typical_distance=distance,
        withheld=table.withheld,
        cautions=table.cautions,
    )
