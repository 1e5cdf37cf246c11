"""One fold's members: the ridge on fixed descriptors and, where trained, the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.arrays import FilmArrays
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.contrast import input_channels
from prognosis.evidence.imaging.descriptors import cell_descriptors
from prognosis.evidence.imaging.encoder import cell_evidence

if TYPE_CHECKING:
    from torch import nn

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FoldMembers:
    """What was learned from all folds but one.

    Attributes:
        coefficients: (descriptors, causes) of the ridge.
        network: The encoder; None where none was trained.
    """

    coefficients: Array
    network: nn.Module | None

    def regions(self, films: FilmArrays, config: ImagingConfig) -> Array:
        """(members, films, causes, regions) evidence of each region, not yet centred."""
        linear: Array = np.einsum("frd,dk->fkr", films.descriptors, self.coefficients)
        if self.network is None:
            return linear[None]
        cells = cell_evidence(self.network, films.channels, config)
        return np.stack([linear, np.einsum("fkhw,frhw->fkr", cells, films.weights, optimize=True)])

    def cells(self, square: NDArray[np.float32], config: ImagingConfig) -> Array:
        """(members, causes, cells, cells) evidence of each cell of one film, before weighting by area."""
        channels = input_channels(square[None], config.contrast_scales)
        maps = cell_descriptors(channels[0], config.cells).astype(np.float64)
        linear: Array = np.einsum("dhw,dk->khw", maps, self.coefficients)
        if self.network is None:
            return linear[None]
        return np.stack([linear, cell_evidence(self.network, channels.astype(np.float16), config)[0]])
