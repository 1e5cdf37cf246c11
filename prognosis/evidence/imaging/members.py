"""One fold's members: ridges on fixed descriptors and on a frozen encoder's features, and the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.arrays import FilmArrays, image_channels, image_descriptors
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.encoder import cell_evidence
from prognosis.evidence.imaging.films import Film

if TYPE_CHECKING:
    from torch import nn

    from prognosis.evidence.imaging.pretrained import PretrainedEncoder

Array = NDArray[np.float64]


class StoredNetwork:
    """A trained network on disk, built when it is first run.

    What networks are built with takes seconds to import, and studies that were encoded before need none.

    Args:
        build: Gives the network.
    """

    def __init__(self, build: Callable[[], nn.Module]) -> None:
        self._build = build
        self._built: nn.Module | None = None

    def built(self) -> nn.Module:
        """The network, always the same one."""
        if self._built is None:
            self._built = self._build()
        return self._built


@dataclass(frozen=True, slots=True)
class FoldMembers:
    """What was learned from all folds but one.

    Attributes:
        coefficients: (descriptors, causes) of the ridge.
        trained: The trained network; None where none was.
        frozen: (features, causes) of the ridge on the frozen encoder's features; None without an encoder.
    """

    coefficients: Array
    trained: nn.Module | StoredNetwork | None
    frozen: Array | None = None

    @property
    def network(self) -> nn.Module | None:
        """The trained network, ready to be run; None where none was trained."""
        return self.trained.built() if isinstance(self.trained, StoredNetwork) else self.trained

    def regions(self, films: FilmArrays, config: ImagingConfig) -> Array:
        """(members, films, causes, regions) evidence of each region, not yet centred."""
        members: list[Array] = [np.einsum("frd,dk->fkr", films.descriptors, self.coefficients)]
        if self.frozen is not None and films.features is not None:
            members.append(np.einsum("frd,dk->fkr", films.features, self.frozen))
        if self.network is not None:
            cells = cell_evidence(self.network, films.channels, config)
            flat, share = (
                cells.reshape(*cells.shape[:2], -1),
                films.weights.reshape(*films.weights.shape[:2], -1),
            )
            members.append(np.einsum("fkp,frp->fkr", flat, share, optimize=True))
        return np.stack(members)

    def cells(self, film: Film, config: ImagingConfig, encoder: PretrainedEncoder | None) -> list[Array]:
        """(causes, *cells) evidence of each cell of one film, one a member, before weighting by extent.

        Each member has cells of its own size.
        """
        channels = image_channels(film, config)
        maps = [np.einsum("d...,dk->k...", image_descriptors(channels, config), self.coefficients)]
        seen = channels.astype(np.float16)[None]
        if self.frozen is not None and encoder is not None:
            maps.append(np.einsum("d...,dk->k...", encoder.feature_maps(seen, config)[0], self.frozen))
        if self.network is not None:
            maps.append(cell_evidence(self.network, seen, config)[0])
        return maps
