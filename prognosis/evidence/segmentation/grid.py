"""The grid on which a network reads an image, and the way there and back.

A film (one slice) is scaled so that its longer side has a fixed number of pixels; a volume is resampled to a
fixed voxel in mm. Arrays of one channel or more lie (channel, y, x) or (channel, z, y, x).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.segmentation.config import SegmentationConfig
from prognosis.record import Segmentation, Volume
from prognosis.record.imaging import UNMARKED

if TYPE_CHECKING:
    from torch import Tensor

_PERCENTILES = (0.5, 99.5)


@dataclass(frozen=True, slots=True)
class WorkingGrid:
    """An image's own grid and the one on which it is read; two numbers for a film, three for a volume.

    Attributes:
        own: Voxels of the image along each axis.
        working: Voxels of the working grid along each axis, over the same extent.
    """

    own: tuple[int, ...]
    working: tuple[int, ...]

    @classmethod
    def of(cls, volume: Volume, config: SegmentationConfig) -> WorkingGrid:
        """The working grid of a volume; one with a single slice is a film."""
        shape = volume.voxels.shape
        if shape[0] == 1:
            own = shape[1:]
            scale = config.size / max(own)
            return cls(own, tuple(max(1, round(side * scale)) for side in own))
        if config.spacing_mm is None:
            return cls(shape, shape)
        spacing = np.linalg.norm(volume.affine[:3, :3], axis=0)[::-1]  # of z, y, x
        sides = zip(shape, spacing, config.spacing_mm, strict=True)
        return cls(shape, tuple(max(1, round(side * float(own) / wanted)) for side, own, wanted in sides))

    def to_working(self, channels: NDArray[np.float32]) -> NDArray[np.float32]:
        """(channels, *own) onto the working grid: each voxel's mean, or linear where finer."""
        coarser = all(inner <= outer for inner, outer in zip(self.working, self.own, strict=True))
        return _resized(channels, self.working, by_area=coarser)

    def to_own(self, channels: NDArray[np.float32]) -> NDArray[np.float32]:
        """(channels, *working) onto the image's own grid, linear between voxel centres."""
        return _resized(channels, self.own, by_area=False)


def windowed(channel: NDArray[np.float32], window: tuple[float, float] | None) -> NDArray[np.float32]:
    """Intensities between the window's limits as 0 to 1; its 0.5th and 99.5th percentile where it is None."""
    low, high = np.percentile(channel, _PERCENTILES) if window is None else window
    return np.clip((channel - low) / max(float(high - low), 1e-12), 0.0, 1.0).astype(np.float32)


def read_image(volume: Volume, grid: WorkingGrid, config: SegmentationConfig) -> NDArray[np.float32]:
    """(*working) the volume on its working grid, windowed to 0 to 1."""
    channel = np.ascontiguousarray(volume.voxels, dtype=np.float32).reshape(1, *grid.own)
    return windowed(grid.to_working(channel)[0], config.window)


def read_target(marked: Segmentation, structures: tuple[str, ...], grid: WorkingGrid) -> NDArray[np.float16]:
    """(1 + structures, *working) the share of each working voxel in no structure and in each.

    Where nobody marked the image, all shares are 0.
    """
    labels = marked.labels.reshape(grid.own)
    channels = np.empty((1 + len(structures), *grid.own), dtype=np.float32)
    for place, name in enumerate(structures, start=1):
        channels[place] = labels == 1 + marked.structures.index(name)
    channels[0] = (labels != UNMARKED) & ~channels[1:].any(axis=0)
    return grid.to_working(channels).astype(np.float16)


def padding(shape: tuple[int, ...], window: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """What is missing before and after each axis for `shape` to hold `window`, in equal parts."""
    missing = [max(0, wanted - side) for side, wanted in zip(shape, window, strict=True)]
    return tuple((gap // 2, gap - gap // 2) for gap in missing)


def _resized(channels: NDArray[np.float32], shape: tuple[int, ...], *, by_area: bool) -> NDArray[np.float32]:
    import torch

    if channels.shape[1:] == shape:
        return channels
    batch: Tensor = torch.from_numpy(channels)[None]
    linear = "bilinear" if len(shape) == 2 else "trilinear"
    resized = torch.nn.functional.interpolate(batch, shape, mode="area" if by_area else linear)
    return np.asarray(resized[0].numpy())
