"""The imaging evidence model: films in, additive evidence per region out, with its map on the film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case
from prognosis.errors import StudyError
from prognosis.evidence.imaging.arrays import FilmArrays, film_arrays
from prognosis.evidence.imaging.combine import Combination, film_change
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.encoding import EncodedFilm, Encoding
from prognosis.evidence.imaging.film_table import Dated, FilmTable, gather, of_study
from prognosis.evidence.imaging.films import Film, gather_films, image_of
from prognosis.evidence.imaging.gate import FilmGate
from prognosis.evidence.imaging.members import FoldMembers
from prognosis.evidence.imaging.outline import Outline, outline_film, outline_films
from prognosis.evidence.imaging.regions import film_map
from prognosis.evidence.imaging.runtime import RuntimeSettings, fastest_way
from prognosis.evidence.imaging.typical import TypicalFilms
from prognosis.evidence.token import ModalityEvidence, Token
from prognosis.record import ImagingStudy

if TYPE_CHECKING:
    from prognosis.evidence.imaging.cache import StudyCache
    from prognosis.evidence.imaging.pretrained import PretrainedEncoder
    from prognosis.evidence.segmentation.model import SegmentationModel

Array = NDArray[np.float64]


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
        regions: (*grid) the place in the layout of each pixel's region.
    """

    film: NDArray[np.float32]
    evidence: Array
    causes: tuple[str, ...]
    source: str
    time: str
    outline: Outline | None
    regions: NDArray[np.uint16]


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
        cache: Where the encodings of studies are kept; None where every study is read anew.
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
    cache: StudyCache | None = field(default=None, compare=False)
    modality: str = field(default="imaging", init=False)
    width: int = field(init=False)

    def __post_init__(self) -> None:
        self.width = 2 * len(self.causes)

    @property
    def engines(self) -> tuple[str, ...]:
        """What this machine runs the networks by: those of the evidence, and that which outlines lungs."""
        networks = self.encoder is not None or any(fold.trained is not None for fold in self.folds)
        settings: list[RuntimeSettings] = [self.config] if networks else []
        settings += [] if self.segmenter is None else [self.segmenter.config]
        return tuple(fastest_way(each) for each in settings)

    def summarise(self, cases: Sequence[Case]) -> ModalityEvidence:
        """The imaging evidence of each case; a case without a readable film is a row of zeros."""
        table = gather(cases, self.config, self._encoded)
        level, change = self._level_and_change(table)
        distance = np.zeros(len(cases))
        here = table.present
        distance[here] = [table.films[place].encoding.distance for place in table.latest[here]]
        return modality_evidence(table, level, change, distance)

    def encoding(self, study: ImagingStudy) -> Encoding:
        """What the evidence needs of one study, from the cache where it is there.

        Every study is encoded by itself: sums of many numbers come out a little different in a batch, and a
        patient's evidence must not depend on who else is asked about.

        Raises:
            StudyError: The study cannot be opened.
        """
        return self._encode(study) if self.cache is None else self.cache.kept(study, self._encode)

    def tokens(self, case: Case) -> tuple[Token, ...]:
        """A level token for each region of the latest film and, after an earlier film, a change token."""
        table = gather([case], self.config, self._encoded)
        if not table.present[0]:
            return ()
        film = table.films[int(table.latest[0])]
        level, change = self._level_and_change(table)
        age_days = (case.index_time - film.time).total_seconds() / 86_400.0
        day, kind = film.time.date().isoformat(), "film" if self.config.dimensions == 2 else "volume"
        nothing = np.zeros(len(self.causes))

        def told(region: str, name: str, detail: str, own: Array, vector: Array) -> Token:
            source, time = f"{film.source}#{region}", film.time.isoformat()
            known = (source, time, age_days)
            return Token("imaging", name, detail, *known, own[:, None], vector, name, region, region)

        tokens = []
        for place, name in enumerate(self.config.layout.names):
            own = level[0, :, place]
            tokens.append(told(name, name, f"{kind} of {day}", own, np.concatenate([own, nothing])))
        if table.previous[0] < 0:
            return tuple(tokens)
        before = table.films[int(table.previous[0])]
        detail = f"{kind} of {day} against that of {before.time.date().isoformat()}"
        for place, name in enumerate(self.config.layout.names):
            own = change[0, :, place]
            tokens.append(told(name, f"{name}, change", detail, own, np.concatenate([nothing, own])))
        return tuple(tokens)

    def tokens_of(self, cases: Sequence[Case]) -> list[tuple[Token, ...]]:
        """The tokens of each case."""
        return [self.tokens(case) for case in cases]

    def evidence_map(self, case: Case) -> EvidenceMap | None:
        """Where in the latest film its evidence lies, on its own pixels; None without a readable film.

        A pixel's evidence is its share of its cell's, less its share of its region's training mean. A cell of
        the network sees a little beyond its own border, its receptive field; one of a frozen encoder may see
        the whole film.
        """
        table = outline_films(gather_films([case], self.config, gate=self.gate), self.segmenter)
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
        places = film.region_places(layout)
        return EvidenceMap(film.on_own_grid(), evidence, self.causes, film.source, time, film.outline, places)

    def film_level(self, films: FilmArrays) -> Array:
        """(films, causes, regions) evidence of each film, whatever its date; zero is the training mean."""
        return np.einsum("mk,mfkr->fkr", self.combination.slopes, self._centred(films))

    def save(self, folder: Path) -> None:
        """Write config.json and model.safetensors into an existing, empty folder."""
        from prognosis.evidence.imaging.storage import save_imaging

        save_imaging(self, folder)

    def _encoded(self, study: ImagingStudy, _patient: str) -> EncodedFilm | str:
        """The study's film, or why there is none."""
        try:
            encoding = self.encoding(study)
        except StudyError as error:
            return of_study(study, error.problem)
        if encoding.refusal:
            return of_study(study, encoding.refusal)
        return EncodedFilm(encoding, study.time, study.source or f"ImagingStudy/{study.study_uid}")

    def _encode(self, study: ImagingStudy) -> Encoding:
        """Open a study and read it.

        Raises:
            StudyError: It cannot be opened.
        """
        film = image_of(study, study.volumes(), "", self.config, self.gate)
        if isinstance(film, str):
            return Encoding.refused(film)
        if self.segmenter is not None:
            film = outline_film(film, self.segmenter)
        films = film_arrays([film], self.config, encoder=self.encoder)
        return Encoding(self._centred(films)[:, 0], self._distance(film, films), film.caution)

    def _distance(self, film: Film, films: FilmArrays) -> float:
        """Of one film or volume from the training images."""
        if self.config.dimensions == 3:
            return float(self.typical.distance(films.statistics)[0])
        verdict = None if film.quality is None else film.quality.verdict
        return 0.0 if verdict is None else verdict.distance

    def _level_and_change(self, table: FilmTable[EncodedFilm]) -> tuple[Array, Array]:
        """(n, causes, regions) of each case's latest film and of its change, centred; zero where absent."""
        shape = (len(self.combination.slopes), len(self.causes), len(self.config.layout.names))
        members = np.zeros((shape[0], len(table.films), *shape[1:]))
        for place, film in enumerate(table.films):
            members[:, place] = film.encoding.members
        return case_evidence(members, table, self.combination, self.centres.change)

    def _centred(self, films: FilmArrays) -> Array:
        """(members, films, causes, regions) mean over the fold models, each about its training mean."""
        centred = [
            fold.regions(films, self.config) - centre[:, None]
            for fold, centre in zip(self.folds, self.centres.members, strict=True)
        ]
        return np.asarray(np.mean(centred, axis=0))


def case_evidence(
    members: Array, table: FilmTable[Dated], combination: Combination, change_centre: Array
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


def modality_evidence(
    table: FilmTable[Dated], level: Array, change: Array, distance: Array
) -> ModalityEvidence:
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
