"""Structures outlined on one volume, on its own grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.encoder import network_threads
from prognosis.evidence.imaging.runtime import answers
from prognosis.evidence.segmentation.augmentation import mirrored_order
from prognosis.evidence.segmentation.config import SegmentationConfig
from prognosis.evidence.segmentation.grid import WorkingGrid, padding, read_image
from prognosis.record import Segmentation, Volume

if TYPE_CHECKING:
    from torch import Tensor, nn

MOST_AT_ONCE_BYTES = 4 * 2**30
"""Largest estimate of the memory of one pass through a volume; a larger volume is answered by patches."""

_PATCHES = 4  # run at once


def segment_volume(
    network: nn.Module,
    volume: Volume,
    structures: tuple[str, ...],
    config: SegmentationConfig,
    *,
    one_pass: bool = False,
) -> Segmentation:
    """The most probable structure of every voxel of a volume.

    Args:
        network: Trained on as many structures, for films or for volumes as `volume` is.
        volume: With one slice a film.
        structures: Their names.
        config: The settings with which the network was trained.
        one_pass: Answer a volume in one pass where it fits `MOST_AT_ONCE_BYTES`, and not by patches.
    """
    grid = WorkingGrid.of(volume, config)
    image = read_image(volume, grid, config)
    probability = _probability(network, image, structures, config, one_pass=one_pass)
    labels = grid.to_own(probability).argmax(axis=0).astype(np.uint8)
    if config.largest_part:
        labels = largest_parts(labels, len(structures))
    return Segmentation(
        labels.reshape(volume.voxels.shape), structures, volume.affine, volume.source, volume.spacing_known
    )


def one_pass_dice(
    network: nn.Module,
    images: Sequence[NDArray[np.float32]],
    structures: tuple[str, ...],
    config: SegmentationConfig,
) -> float | None:
    """How far one pass agrees with patches: the least Dice over some volumes and their structures.

    None where it cannot be said: no volume is larger than a patch and fits `MOST_AT_ONCE_BYTES`, or some
    structure was outlined on none of them.

    In one pass a voxel sees as far as the network does, in a patch to the patch's border. The two agree where
    the network was trained on patches that are large beside what it uses, and was trained to the end.

    Args:
        network: Trained.
        images: On their working grids.
        structures: Their names.
        config: Settings.
    """
    least: dict[int, float] = {}
    for image in images:
        if _grid_at_once(image.shape, config) is None:
            continue
        whole, patched = (
            _probability(network, image, structures, config, one_pass=one_pass).argmax(axis=0)
            for one_pass in (True, False)
        )
        for place in range(1, 1 + len(structures)):
            both = np.count_nonzero((whole == place) & (patched == place))
            total = np.count_nonzero(whole == place) + np.count_nonzero(patched == place)
            if total:
                least[place] = min(least.get(place, 1.0), 2.0 * both / total)
    return min(least.values()) if len(least) == len(structures) else None


def largest_parts(labels: NDArray[np.uint8], structures: int) -> NDArray[np.uint8]:
    """The labels with only the largest connected part of each structure, voxels joined by their faces."""
    from scipy import ndimage

    kept = np.zeros_like(labels)
    for place in range(1, structures + 1):
        parts, count = ndimage.label(labels == place)
        if count:
            kept[parts == 1 + np.bincount(parts.ravel())[1:].argmax()] = place
    return kept


def _probability(
    network: nn.Module,
    image: NDArray[np.float32],
    structures: tuple[str, ...],
    config: SegmentationConfig,
    *,
    one_pass: bool,
) -> NDArray[np.float32]:
    """(1 + structures, *grid) of each voxel of an image on its working grid."""
    import torch

    window = config.window_shape(image.ndim)
    whole = _grid_at_once(image.shape, config) if one_pass else None
    gaps = padding(image.shape, whole or window)
    batch = np.pad(image, gaps)[None, None]

    def answer(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        whole_at_once = whole is not None or batch.shape[2:] == window
        logits = (
            answers(network, batch, config, example=window)
            if whole_at_once
            else _by_patches(network, batch, config)
        )
        return torch.softmax(torch.from_numpy(logits), dim=1).numpy()

    with network_threads(config.threads):
        probability = answer(batch)
        if config.mirror:
            mirrored = answer(np.ascontiguousarray(batch[..., ::-1]))[..., ::-1]
            probability = (probability + mirrored[:, mirrored_order(structures)]) / 2.0
    inside = tuple(slice(before, before + side) for (before, _), side in zip(gaps, image.shape, strict=True))
    return np.ascontiguousarray(probability[0][(slice(None), *inside)])


def _grid_at_once(shape: tuple[int, ...], config: SegmentationConfig) -> tuple[int, ...] | None:
    """The padded grid of one pass through an image; None where it is a patch or takes too much memory."""
    window = config.window_shape(len(shape))
    whole = tuple(
        max(wanted, -(-side // config.coarsest) * config.coarsest)
        for side, wanted in zip(shape, window, strict=True)
    )
    fits = config.bytes_at_once(whole) <= MOST_AT_ONCE_BYTES
    return whole if whole != window and fits else None


def _by_patches(
    network: nn.Module, batch: NDArray[np.float32], config: SegmentationConfig
) -> NDArray[np.float32]:
    """The network's answer on a padded volume; patches overlap, and count most in their middle."""
    import torch
    from monai.inferers.utils import sliding_window_inference

    def answer(patches: Tensor) -> Tensor:
        return torch.from_numpy(answers(network, patches.numpy(), config))

    found = sliding_window_inference(
        torch.from_numpy(batch), config.patch, _PATCHES, answer, overlap=config.overlap, mode="gaussian"
    )
    return cast("Tensor", found).numpy()
