"""Films and volumes as arrays: what each member and the distance from typical images read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.contrast import input_channels
from prognosis.evidence.imaging.descriptors import cell_descriptors
from prognosis.evidence.imaging.encoder import network_cells
from prognosis.evidence.imaging.film_table import Progress
from prognosis.evidence.imaging.films import Film
from prognosis.evidence.imaging.volumes import block_statistics

if TYPE_CHECKING:
    from prognosis.evidence.imaging.pretrained import PretrainedEncoder


@dataclass(frozen=True, slots=True)
class FilmArrays:
    """Films (or volumes) as arrays.

    Attributes:
        channels: (films, width, *shape) what the network reads.
        weights: (films, regions, *cells) share of the extent of each cell of the network; see
            `region_weights`.
        descriptors: (films, regions, descriptors) each region's share of the film's mean descriptors.
        statistics: (volumes, statistics) for the distance from typical volumes; (films, 0) of films, whose
            quality is judged as they are opened.
        features: (films, regions, features) each region's share of the mean of the frozen encoder's feature
            map; None without one.
    """

    channels: NDArray[np.float16]
    weights: NDArray[np.float32]
    descriptors: NDArray[np.float64]
    statistics: NDArray[np.float64]
    features: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.channels)


def film_arrays(
    films: Sequence[Film],
    config: ImagingConfig,
    on_progress: Progress | None = None,
    encoder: PretrainedEncoder | None = None,
) -> FilmArrays:
    """The arrays of each film.

    Args:
        films: At least one film.
        config: Settings.
        on_progress: Told how many films were described.
        encoder: Read frozen, where there is one.
    """
    cells = network_cells(config, encoder)
    channels, weights, descriptors, statistics, features = [], [], [], [], []
    for number, film in enumerate(films):
        own = image_channels(film, config)
        share = film.region_shares(config.layout, config.cells)
        maps = image_descriptors(own, config)
        whole = list(range(1, 1 + config.dimensions))
        descriptors.append(np.tensordot(share, maps, axes=(whole, whole)))
        if cells != config.cells:
            share = film.region_shares(config.layout, cells)
        channels.append(own.astype(np.float16))
        weights.append(share.astype(np.float32))
        statistics.append(np.zeros(0) if config.dimensions == 2 else block_statistics(film.square, own))
        if encoder is not None:
            seen = encoder.feature_maps(channels[-1][None], config)[0]
            share = film.region_shares(config.layout, seen.shape[1:])
            features.append(np.tensordot(share, seen, axes=(whole, whole)))
        if on_progress is not None:
            on_progress("describing films", number + 1, len(films))
    return FilmArrays(
        np.stack(channels),
        np.stack(weights),
        np.stack(descriptors),
        np.stack(statistics),
        np.stack(features) if features else None,
    )


def image_channels(film: Film, config: ImagingConfig) -> NDArray[np.float32]:
    """(width, *shape) each of the film's images and its local contrasts."""
    images = film.square.reshape(config.images, *config.shape)
    return np.concatenate([input_channels(image[None], config.contrast_scales)[0] for image in images])


def image_descriptors(channels: NDArray[np.float32], config: ImagingConfig) -> NDArray[np.float64]:
    """(descriptors, *cells) the fixed descriptors of every image, from `image_channels`."""
    images = np.split(channels, config.images)
    return np.concatenate([cell_descriptors(each, config.cells) for each in images]).astype(np.float64)
