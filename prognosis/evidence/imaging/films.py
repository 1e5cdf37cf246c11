"""From a study to its frontal film as it is read, or to the reason why it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case
from prognosis.errors import StudyError
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.film_table import FilmTable, Progress, gather, of_study
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
from prognosis.evidence.imaging.volumes import longest_volume, read_volume
from prognosis.record import ImagingStudy, Series, Volume

_WINDOW = (0.5, 99.5)  # percentiles of the film that become black and white


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

    def region_places(self, layout: Layout) -> NDArray[np.uint16]:
        """(rows, columns), of a volume (z, y, x): the place in the layout of each pixel's region.

        A pixel that lies in two regions of an even division is given to the one that holds its first edge.
        """
        if self.outline is not None:
            return self.outline.regions.astype(np.uint16)
        sides = [axis.voxels for axis in self.placement.axes]
        along = [np.arange(side) * count // side for side, count in zip(sides, layout.shape, strict=True)]
        places = np.ravel_multi_index(np.ix_(*along), layout.shape)
        return self.placement.in_own_order(np.asarray(places, dtype=np.uint16))

    def in_own_order(self, array: NDArray[np.float64]) -> NDArray[np.float64]:
        """A map over the film's pixels, axis by axis as it is read, as one over its own array."""
        return self.placement.in_own_order(array)


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


def frontal_pixels(
    study: ImagingStudy, volumes: Sequence[Volume], config: ImagingConfig
) -> tuple[NDArray[np.float32], Series] | str:
    """The (height, width) pixels of the study's first frontal film and its series, or why there are none."""
    volume = volume_read(volumes, config)
    if isinstance(volume, str):
        return volume
    return unreadable(volume.voxels[0], config.minimum_pixels) or (volume.voxels[0], series_of(study, volume))


def volume_read(volumes: Sequence[Volume], config: ImagingConfig) -> Volume | str:
    """Which of a study's volumes is read: its first frontal film, or its longest series; or why none is."""
    if config.dimensions == 3:
        return longest_volume(volumes, config)
    volumes = tuple(volume for volume in volumes if config.reads_view(volume.view))
    if not volumes:
        return "study holds no frontal film"
    depths = [volume.voxels.shape[0] for volume in volumes]
    if 1 not in depths:
        return f"study is a volume of {depths[0]} slices and this encoder reads single films"
    return volumes[depths.index(1)]


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
