"""Films as arrays: what the linear member, the network and the distance from typical films each read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.contrast import input_channels
from prognosis.evidence.imaging.descriptors import cell_descriptors
from prognosis.evidence.imaging.films import Film, Progress
from prognosis.evidence.imaging.regions import parse_layout, region_weights
from prognosis.evidence.imaging.typical import film_statistics


@dataclass(frozen=True, slots=True)
class FilmArrays:
    """Films as arrays.

    Attributes:
        channels: (films, 1 + scales, size, size) what the network reads.
        weights: (films, regions, cells, cells) share of the film's area; see `region_weights`.
        descriptors: (films, regions, descriptors) each region's share of the film's mean descriptors.
        statistics: (films, statistics) for the distance from typical films.
    """

    channels: NDArray[np.float16]
    weights: NDArray[np.float32]
    descriptors: NDArray[np.float64]
    statistics: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.channels)


def film_arrays(
    films: Sequence[Film], config: ImagingConfig, on_progress: Progress | None = None
) -> FilmArrays:
    """The arrays of each film.

    Args:
        films: At least one film.
        config: Settings.
        on_progress: Told how many films were described.
    """
    layout = parse_layout(config.regions)
    channels, weights, descriptors, statistics = [], [], [], []
    for number, film in enumerate(films):
        share = region_weights(film.placement, layout, config.cells)
        own = input_channels(film.square[None], config.contrast_scales)[0]
        maps = cell_descriptors(own, config.cells).astype(np.float64)
        channels.append(own.astype(np.float16))
        weights.append(share.astype(np.float32))
        descriptors.append(np.tensordot(share, maps, axes=([1, 2], [1, 2])))
        statistics.append(film_statistics(film.square, own))
        if on_progress is not None:
            on_progress("describing films", number + 1, len(films))
    return FilmArrays(np.stack(channels), np.stack(weights), np.stack(descriptors), np.stack(statistics))
