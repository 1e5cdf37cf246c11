"""Regions of a film from its outlined lungs: six zones, and what lies outside the lungs.

Every pixel is in exactly one of the seven, so that the regions' evidence still sums to the film's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.regions import Layout, Placed, overlap, parse_layout
from prognosis.evidence.segmentation.zones import OUTSIDE, ZONES, lung_zones
from prognosis.record import Volume

if TYPE_CHECKING:
    from prognosis.evidence.imaging.film_table import FilmTable
    from prognosis.evidence.imaging.films import Film
    from prognosis.evidence.segmentation.model import SegmentationModel

Array = NDArray[np.float64]

LUNG_LAYOUT = Layout((len(ZONES) + 1,), (*ZONES, OUTSIDE))


@dataclass(frozen=True, slots=True)
class Outline:
    """Where the regions lie on one film.

    Attributes:
        regions: (rows, columns) the place in `LUNG_LAYOUT.names` of each pixel's region.
        caution: Why the zones are thirds of the film and not of the lungs; "" when they are of the lungs.
    """

    regions: NDArray[np.uint8]
    caution: str

    def shares(self, placement: Placed, cells: Sequence[int]) -> Array:
        """(7, *cells) share of the film's area that lies in each region and cell; they sum to 1."""
        down, across = (
            overlap(axis.voxels, count, axis.start * count / axis.size, axis.extent * count / axis.size)
            for axis, count in zip(placement.axes, cells, strict=True)
        )
        inside = self.regions == np.arange(len(LUNG_LAYOUT.names))[:, None, None]
        weights = down.T @ inside.astype(np.float64) @ across
        return np.asarray(weights / weights.sum())

    def spread(self, values: Array) -> Array:
        """(rows, columns) one value a region, spread evenly over its pixels; sums to the values' sum.

        The value of a region without a pixel is spread over the whole film.
        """
        pixels = np.bincount(self.regions.ravel(), minlength=len(values))
        here = np.where(pixels > 0, values / np.maximum(pixels, 1), 0.0)
        return np.asarray(here[self.regions] + values[pixels == 0].sum() / self.regions.size)


def outline_films(table: FilmTable[Film], segmenter: SegmentationModel | None) -> FilmTable[Film]:
    """The table with the lungs of every film outlined; as it is where there is no segmentation model."""
    if segmenter is None:
        return table
    return replace(table, films=tuple(outline_film(film, segmenter) for film in table.films))


def outline_film(film: Film, segmenter: SegmentationModel) -> Film:
    """The film with its lungs outlined, which are sought on it as it is read: no finer than its square."""
    pixels = film.on_own_grid()
    found = segmenter.segment(Volume(pixels[None], np.eye(4), film.source, spacing_known=False))
    zones = lung_zones(found)
    if zones.implausible:
        outline = Outline(thirds_of_film(*pixels.shape), f"zones are thirds of the film: {zones.implausible}")
    else:
        outside = np.uint8(len(ZONES))
        outline = Outline(np.where(zones.labels > 0, zones.labels - 1, outside).astype(np.uint8), "")
    return replace(film, outline=outline)


def thirds_of_film(rows: int, columns: int) -> NDArray[np.uint8]:
    """(rows, columns) the zone of each pixel when zones are thirds of the film's height on each side."""
    layout = parse_layout("six-zones")
    down, across = np.arange(rows) * layout.rows // rows, np.arange(columns) * layout.columns // columns
    return (down[:, None] * layout.columns + across[None]).astype(np.uint8)
