"""From a case's studies to its latest frontal film, the one before, and what was withheld with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case
from prognosis.errors import StudyError
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.gate import FilmGate, Verdict
from prognosis.evidence.imaging.kind import series_of
from prognosis.evidence.imaging.outline import Outline
from prognosis.evidence.imaging.quality import unreadable
from prognosis.evidence.imaging.reduced import reduced_film
from prognosis.evidence.imaging.regions import (
    Layout,
    Placed,
    Placement,
    on_own_voxels,
    region_map,
    region_weights,
    resample,
)
from prognosis.evidence.imaging.volumes import read_volume
from prognosis.record import ImagingStudy, Series, Volume

Progress = Callable[[str, int, int], None]

_WINDOW = (0.5, 99.5)  # percentiles of the film that become black and white
_SECONDS_A_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class FilmQuality:
    """What the quality of a film is judged by, and the judgement.

    Attributes:
        reduced: The film from `reduced_film`.
        series: What its header says.
        verdict: The gate's; None where there is no gate yet.
    """

    reduced: NDArray[np.float16]
    series: Series
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Film:
    """A film, or a volume, as it is read.

    Attributes:
        square: (size, size) windowed to 0 to 1, its border repeated as padding; of a volume (windows, *size).
        placement: Where the film lies in the square.
        time: When it was taken.
        source: "ImagingStudy/<uid>".
        patient: Whose it is.
        quality: What its quality is judged by; None of a volume.
        outline: Where its regions lie; None where the configuration's layout says it.
    """

    square: NDArray[np.float32]
    placement: Placed
    time: datetime
    source: str
    patient: str
    quality: FilmQuality | None = None
    outline: Outline | None = None

    @property
    def caution(self) -> str:
        """What is doubtful about it, else ""."""
        verdict = None if self.quality is None else self.quality.verdict
        found = [] if verdict is None else list(verdict.cautions)
        if self.outline is not None and self.outline.caution:
            found.append(self.outline.caution)
        return "; ".join(found)

    def on_own_grid(self) -> NDArray[np.float32]:
        """The film as it is read, or the volume through its first window, back on its own pixels."""
        shape = tuple(axis.size for axis in self.placement.axes)
        return on_own_voxels(self.square.reshape(-1, *shape)[0], self.placement)

    def region_shares(self, layout: Layout, cells: Sequence[int]) -> NDArray[np.float64]:
        """(regions, *cells) share of the film that lies in each region and cell; they sum to 1."""
        if self.outline is not None:
            return self.outline.shares(self.placement, cells)
        return region_weights(self.placement, layout, cells)

    def spread_regions(self, values: NDArray[np.float64], layout: Layout) -> NDArray[np.float64]:
        """One value a region, spread evenly over its pixels; it sums to the values' sum."""
        if self.outline is not None:
            return self.outline.spread(values)
        return region_map(values, self.placement, layout)

    def in_own_order(self, array: NDArray[np.float64]) -> NDArray[np.float64]:
        """A map over the film's pixels, axis by axis as it is read, as one over its own array."""
        return self.placement.in_own_order(array)


class Dated(Protocol):
    """A film as it is read, or what is known of one."""

    @property
    def time(self) -> datetime:
        """When it was taken."""
        ...

    @property
    def caution(self) -> str:
        """What is doubtful about it, else ""."""
        ...


FilmT_co = TypeVar("FilmT_co", bound=Dated, covariant=True)
Read = Callable[[ImagingStudy, str], FilmT_co | str]
"""From a study and its patient's key to its film, or to the reason why there is none."""


@dataclass(frozen=True, slots=True)
class FilmTable(Generic[FilmT_co]):
    """The films of many cases, each opened once.

    Attributes:
        films: Every film that is used.
        latest: (n,) place in `films` of each case's latest film; -1 where it has none.
        previous: (n,) of the film before it; -1 where it has none.
        gap_days: (n,) days between the two; 0 where there is no previous film.
        withheld: (n,) why a film that exists was not used, else "".
    """

    films: tuple[FilmT_co, ...]
    latest: NDArray[np.int64]
    previous: NDArray[np.int64]
    gap_days: NDArray[np.float64]
    withheld: tuple[str, ...]

    @property
    def cautions(self) -> tuple[str, ...]:
        """(n,) what the gate or the outline found doubtful about each case's latest film, else ""."""
        return tuple(self.films[place].caution if place >= 0 else "" for place in self.latest)

    @property
    def present(self) -> NDArray[np.bool_]:
        """(n,) True where the case has a film that can be read."""
        return self.latest >= 0

    def take(self, rows: NDArray[np.intp]) -> FilmTable[FilmT_co]:
        """The same films, and the cases at `rows`."""
        withheld = tuple(self.withheld[row] for row in rows)
        return FilmTable(self.films, self.latest[rows], self.previous[rows], self.gap_days[rows], withheld)


def gather_films(
    cases: Sequence[Case],
    config: ImagingConfig,
    on_progress: Progress | None = None,
    gate: FilmGate | None = None,
) -> FilmTable[Film]:
    """The latest and previous readable frontal film of every case.

    Args:
        cases: Cases whose records are as known at their index.
        config: Settings.
        on_progress: Told how many cases were read.
        gate: What the training films taught of quality; without it only what no model can read is refused.
    """
    return gather(cases, config, lambda study, patient: read_image(study, patient, config, gate), on_progress)


def gather(
    cases: Sequence[Case], config: ImagingConfig, read: Read[FilmT_co], on_progress: Progress | None = None
) -> FilmTable[FilmT_co]:
    """The latest and previous readable film of every case, whatever a film is to `read`.

    A study that cannot be opened or whose film fails the quality gate is passed over for the one before it,
    and the reason is kept. A case never reads a study that is not in its record.

    Args:
        cases: Cases whose records are as known at their index.
        config: Settings.
        read: Gives the film of a study; called once a study.
        on_progress: Told how many cases were read.
    """
    opened: dict[tuple[str, str], int | str] = {}
    films: list[FilmT_co] = []

    def place(study: ImagingStudy, patient: str) -> int | str:
        key = (patient, study.study_uid)
        if key not in opened:
            film = read(study, patient)
            opened[key] = film if isinstance(film, str) else len(films)
            if not isinstance(film, str):
                films.append(film)
        return opened[key]

    latest, previous = (np.full(len(cases), -1, dtype=np.int64) for _ in range(2))
    gap_days, withheld = np.zeros(len(cases)), []
    for row, case in enumerate(cases):
        outcomes = list(_latest_two(case, config, place))
        found = [outcome for outcome in outcomes if isinstance(outcome, int)]
        withheld.append(outcomes[0] if outcomes and isinstance(outcomes[0], str) else "")
        if found:
            latest[row] = found[0]
        if len(found) == 2:
            previous[row] = found[1]
            gap_days[row] = (films[found[0]].time - films[found[1]].time).total_seconds() / _SECONDS_A_DAY
        if on_progress is not None:
            on_progress("reading films", row + 1, len(cases))
    return FilmTable(tuple(films), latest, previous, gap_days, tuple(withheld))


def frontal_pixels(
    study: ImagingStudy, volumes: Sequence[Volume], config: ImagingConfig
) -> tuple[NDArray[np.float32], Series] | str:
    """The (height, width) pixels of the study's first frontal film and its series, or why there are none."""
    volumes = tuple(volume for volume in volumes if config.reads_view(volume.view))
    if not volumes:
        return "study holds no frontal film"
    depths = [volume.voxels.shape[0] for volume in volumes]
    if 1 not in depths:
        return f"study is a volume of {depths[0]} slices and this encoder reads single films"
    volume = volumes[depths.index(1)]
    return unreadable(volume.voxels[0], config.minimum_pixels) or (volume.voxels[0], series_of(study, volume))


def windowed_square(pixels: NDArray[np.float32], placement: Placement) -> NDArray[np.float32]:
    """(size, size) the film between its 0.5th and 99.5th percentile as 0 to 1, padded with its border.

    Padding of one brightness would draw an edge round the film, and its shape (which tells the machine, and
    so how sick the patient was) would be read as evidence.
    """
    film = resample(pixels, placement)
    low, high = np.percentile(film, _WINDOW)
    film = np.clip((film - low) / max(float(high - low), 1e-12), 0.0, 1.0).astype(np.float32)
    rows = (placement.top, placement.size - placement.top - placement.rows)
    columns = (placement.left, placement.size - placement.left - placement.columns)
    return np.pad(film, (rows, columns), mode="edge")


def _latest_two(
    case: Case, config: ImagingConfig, place: Callable[[ImagingStudy, str], int | str]
) -> Iterator[int | str]:
    """Back from the latest study: the place of each film, or why there is none, until two films are found."""
    found, lateral = 0, ""
    for study in reversed(case.record.studies):
        if not may_be_read(study, config):
            lateral = lateral or of_study(study, "study holds no frontal film")
            continue
        outcome = place(study, case.patient)
        yield outcome
        found += isinstance(outcome, int)
        if found == 2:
            return
    if lateral and not found:
        yield lateral


def may_be_read(study: ImagingStudy, config: ImagingConfig) -> bool:
    """Whether a study's record does not already say that it holds other views only."""
    return not study.series or any(config.reads_view(series.view) for series in study.series)


def of_study(study: ImagingStudy, reason: str) -> str:
    """Why a study was not read, with the day by which people know it."""
    return f"study of {study.time.date()}: {reason}"


def read_image(
    study: ImagingStudy, patient: str, config: ImagingConfig, gate: FilmGate | None = None
) -> Film | str:
    """The study's film, or its volume, as it is read; or why there is none."""
    try:
        film = image_of(study, study.volumes(), patient, config, gate)
    except StudyError as error:
        film = error.problem
    return of_study(study, film) if isinstance(film, str) else film


def image_of(
    study: ImagingStudy,
    volumes: Sequence[Volume],
    patient: str,
    config: ImagingConfig,
    gate: FilmGate | None = None,
) -> Film | str:
    """The film, or the volume, of a study that was opened, as it is read; or why there is none."""
    two = config.dimensions == 2
    read = _read_film(study, volumes, config, gate) if two else read_volume(volumes, config)
    if isinstance(read, str):
        return read
    square, placement, *quality = read
    source = study.source or f"ImagingStudy/{study.study_uid}"
    return Film(square, placement, study.time, source, patient, quality[0] if quality else None)


def _read_film(
    study: ImagingStudy, volumes: Sequence[Volume], config: ImagingConfig, gate: FilmGate | None
) -> tuple[NDArray[np.float32], Placement, FilmQuality] | str:
    """The first frontal film's square, its place there and its quality; or why there is none."""
    found = frontal_pixels(study, volumes, config)
    if isinstance(found, str):
        return found
    pixels, series = found
    reduced = reduced_film(pixels)
    verdict = None if gate is None else gate.judge(reduced, min(pixels.shape), series)
    if verdict is not None and verdict.refusal:
        return verdict.refusal
    placement = Placement.centred(pixels.shape[0], pixels.shape[1], config.size)
    return windowed_square(pixels, placement), placement, FilmQuality(reduced, series, verdict)
