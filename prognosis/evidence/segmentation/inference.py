"""Structures outlined on one volume, on its own grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.encoder import network_threads
from prognosis.evidence.segmentation.augmentation import mirrored_order
from prognosis.evidence.segmentation.config import SegmentationConfig
from prognosis.evidence.segmentation.grid import WorkingGrid, padding, read_image
from prognosis.record import Segmentation, Volume

if TYPE_CHECKING:
    from torch import Tensor, nn

_PATCHES = 4  # run at once


def segment_volume(
    network: nn.Module, volume: Volume, structures: tuple[str, ...], config: SegmentationConfig
) -> Segmentation:
    """The most probable structure of every voxel of a volume.

    Args:
        network: Trained on as many structures, for films or for volumes as `volume` is.
        volume: With one slice a film.
        structures: Their names.
        config: The settings with which the network was trained.
    """
    grid = WorkingGrid.of(volume, config)
    probability = _probability(network, read_image(volume, grid, config), structures, config)
    labels = grid.to_own(probability).argmax(axis=0).astype(np.uint8)
    if config.largest_part:
        labels = largest_parts(labels, len(structures))
    return Segmentation(
        labels.reshape(volume.voxels.shape), structures, volume.affine, volume.source, volume.spacing_known
    )


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
    network: nn.Module, image: NDArray[np.float32], structures: tuple[str, ...], config: SegmentationConfig
) -> NDArray[np.float32]:
    """(1 + structures, *grid) of each voxel of an image on its working grid."""
    import torch

    gaps = padding(image.shape, config.window_shape(image.ndim))
    batch = torch.from_numpy(np.pad(image, gaps))[None, None]
    network.eval()
    with network_threads(config.threads), torch.inference_mode():
        probability = torch.softmax(_logits(network, batch, config), dim=1)
        if config.mirror:
            mirrored = torch.softmax(_logits(network, batch.flip(-1), config), dim=1).flip(-1)
            probability = (probability + mirrored[:, mirrored_order(structures)]) / 2.0
    inside = tuple(slice(before, before + side) for (before, _), side in zip(gaps, image.shape, strict=True))
    return np.ascontiguousarray(probability[0].numpy()[(slice(None), *inside)])


def _logits(network: nn.Module, batch: Tensor, config: SegmentationConfig) -> Tensor:
    """The network's answer on a padded batch; patches of a volume overlap, and count most in their middle."""
    window = config.window_shape(batch.ndim - 2)
    if batch.shape[2:] == window:
        return cast("Tensor", network(batch))
    from monai.inferers.utils import sliding_window_inference

    found = sliding_window_inference(
        batch, window, _PATCHES, network, overlap=config.overlap, mode="gaussian"
    )
    return cast("Tensor", found)
