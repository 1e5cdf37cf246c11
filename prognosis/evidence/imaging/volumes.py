"""From a study's voxels to the block that is read: oriented to the patient, resampled, windowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.config import ImagingConfig, VolumeConfig
from prognosis.evidence.imaging.regions import Axis, along_axes, overlap
from prognosis.record import Volume

_TOWARDS = (
    (2, -1.0),
    (1, 1.0),
    (0, 1.0),
)  # a block's axes in LPS: head to feet, front to back, right to left
_PERCENTILES = (0.5, 99.5)
_THUMBNAIL = 2  # cubes along a side of the coarse layout


@dataclass(frozen=True, slots=True)
class VolumePlacement:
    """Where a volume lies in the block that is read.

    Attributes:
        axes: Levels from the head down, rows from the front back, columns from the patient's right to left.
        order: The axis of the volume's own array (z, y, x) that each of them is.
        flipped: Whether it runs the other way there.
    """

    axes: tuple[Axis, ...]
    order: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]

    def oriented(self, voxels: NDArray[Any]) -> NDArray[Any]:
        """The volume's own array with its axes as they are read."""
        turned = voxels.transpose(self.order)
        return turned[tuple(slice(None, None, -1 if flip else 1) for flip in self.flipped)]

    def in_own_order(self, array: NDArray[Any]) -> NDArray[Any]:
        """An array over the axes as they are read as one over the volume's own (z, y, x)."""
        turned = array[tuple(slice(None, None, -1 if flip else 1) for flip in self.flipped)]
        return np.ascontiguousarray(turned.transpose(np.argsort(self.order)))


def read_volume(
    volumes: Sequence[Volume], config: ImagingConfig
) -> tuple[NDArray[np.float32], VolumePlacement] | str:
    """The (windows, *size) block of a study's longest volume and its place there, or why there is none."""
    volume = longest_volume(volumes, config)
    if isinstance(volume, str):
        return volume
    fault = _volume_fault(volume, config.volume)
    if fault:
        return fault
    placement = volume_placement(volume, config.volume)
    return windowed_block(volume, placement, config.volume), placement


def longest_volume(volumes: Sequence[Volume], config: ImagingConfig) -> Volume | str:
    """The volume of most slices among those of a modality that is read, or why there is none."""
    wanted = config.volume.modalities
    volumes = tuple(volume for volume in volumes if not wanted or volume.modality in wanted)
    if not volumes:
        return f"study holds no series of modality {' or '.join(wanted) or 'any'}"
    return max(volumes, key=lambda each: each.voxels.shape[0])


def volume_placement(volume: Volume, config: VolumeConfig) -> VolumePlacement:
    """Where a volume lies, its axes taken as the patient's axes that they are nearest to."""
    columns = volume.affine[:3, 2::-1]  # LPS of one step along the array's z, y and x
    spacing = np.linalg.norm(columns, axis=0)
    along = columns / spacing
    order = max(permutations(range(3)), key=lambda each: _agreement(along, each))
    flipped = tuple(
        bool(along[row, axis] * sign < 0.0) for (row, sign), axis in zip(_TOWARDS, order, strict=True)
    )
    voxels = [volume.voxels.shape[axis] for axis in order]
    length_mm = [count * float(spacing[axis]) for count, axis in zip(voxels, order, strict=True)]
    per_mm = [1.0 / each for each in config.spacing_mm or ()]
    if not per_mm:
        per_mm = [min(side / length for side, length in zip(config.size, length_mm, strict=True))] * 3
    axes = tuple(
        Axis(count, side, (side - length * each) / 2.0, length * each)
        for count, side, length, each in zip(voxels, config.size, length_mm, per_mm, strict=True)
    )
    return VolumePlacement(axes, (order[0], order[1], order[2]), (flipped[0], flipped[1], flipped[2]))


def windowed_block(volume: Volume, placement: VolumePlacement, config: VolumeConfig) -> NDArray[np.float32]:
    """(windows, *size) each image 0 to 1; beyond the volume its border is repeated.

    A voxel of the block is the mean over its own extent. Hounsfield units belong to CT: any other modality is
    windowed between percentiles of its own block.
    """
    parts = []
    for axis in placement.axes:
        scale = axis.voxels / axis.extent
        part = overlap(axis.size, axis.voxels, -axis.start * scale, axis.size * scale)
        empty = ~part.any(axis=1)
        part[empty, np.where(np.flatnonzero(empty) < axis.size / 2, 0, axis.voxels - 1)] = 1.0
        parts.append((part / part.sum(axis=1, keepdims=True)).astype(np.float32))
    block = along_axes(placement.oriented(volume.voxels.astype(np.float32, copy=False)), parts)
    windows = config.windows
    if volume.modality != "CT":
        low, high = np.percentile(block, _PERCENTILES)
        windows = ((float(low), float(high)),) * len(windows)
    images = [np.clip((block - low) / max(high - low, 1e-12), 0.0, 1.0) for low, high in windows]
    return np.stack(images).astype(np.float32)


def block_statistics(block: NDArray[np.float32], channels: NDArray[np.float32]) -> NDArray[np.float64]:
    """(statistics,) of each image its mean, spread, 2 x 2 x 2 thumbnail and the log spread of its contrasts.

    Args:
        block: (windows, *size), 0 to 1.
        channels: (width, *size) of it.
    """
    shrink = [overlap(_THUMBNAIL, side) * (_THUMBNAIL / side) for side in block.shape[1:]]
    found = []
    for image, own in zip(block, np.split(channels, len(block)), strict=True):
        energy = np.log(own[1:].reshape(len(own) - 1, -1).std(axis=1) + 1e-3)
        found += [[image.mean(), image.std()], along_axes(image, shrink).ravel(), energy]
    return np.concatenate(found).astype(np.float64)


def _agreement(along: NDArray[np.float64], order: tuple[int, ...]) -> float:
    """How closely the array's axes follow the patient's in this order."""
    return float(sum(abs(along[row, axis]) for (row, _), axis in zip(_TOWARDS, order, strict=True)))


def _volume_fault(volume: Volume, config: VolumeConfig) -> str:
    """Why a volume cannot be read; "" when it can."""
    slices, voxels, columns = volume.voxels.shape[0], volume.voxels, volume.affine[:3, :3]
    if slices == 1:
        return "study is a single film and this encoder reads volumes"
    faults = (
        (slices < config.minimum_slices, f"volume has {slices} slices of the {config.minimum_slices} needed"),
        (
            not (np.isfinite(columns).all() and abs(float(np.linalg.det(columns))) > 1e-9),
            "volume has no usable orientation and spacing",
        ),
        (
            config.spacing_mm is not None and not volume.spacing_known,
            "volume has no known voxel spacing, and a working spacing is set",
        ),
        (not np.isfinite(voxels).all(), "volume has voxels that are not numbers"),
        (float(voxels.max()) == float(voxels.min()), "volume is blank"),
    )
    return next((fault for wrong, fault in faults if wrong), "")
