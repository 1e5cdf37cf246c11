"""The networks that outline structures, from MONAI, in two or three dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prognosis.evidence.segmentation.config import SegmentationConfig

if TYPE_CHECKING:
    from torch import nn

_NORMS = {"instance": ("instance", {"affine": True}), "batch": ("batch", {})}


def build_network(config: SegmentationConfig, dimensions: int, structures: int) -> nn.Module:
    """A network from images (n, 1, *grid) to logits (n, 1 + structures, *grid), the first for none of them.

    Args:
        config: Settings.
        dimensions: 2 for films, 3 for volumes.
        structures: How many are told apart.
    """
    from monai.networks.nets.basic_unet import BasicUNet
    from monai.networks.nets.unet import UNet

    norm = _NORMS[config.norm]
    if config.network == "basic_unet":
        features = (*config.channels, config.channels[0])
        return BasicUNet(dimensions, 1, 1 + structures, features=features, norm=norm)
    return UNet(
        dimensions,
        1,
        1 + structures,
        channels=config.channels,
        strides=(2,) * (len(config.channels) - 1),
        num_res_units=config.residual_units,
        norm=norm,
    )
