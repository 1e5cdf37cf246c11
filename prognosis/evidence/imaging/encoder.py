"""The network that gives every cell of an image its evidence: a trunk and a linear read-out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.runtime import answers

if TYPE_CHECKING:
    from torch import nn

    from prognosis.evidence.imaging.pretrained import PretrainedEncoder

_NORMS: dict[str, Any] = {
    "batch": "batch",
    "group": ("group", {"num_groups": 4}),
    "instance": ("instance", {"affine": True}),
    "none": None,
}


def build_encoder(config: ImagingConfig, causes: int, encoder: PretrainedEncoder | None = None) -> nn.Module:
    """A network from channels (n, width, *shape) to evidence per cell (n, causes, *cells).

    The evidence of an image is the mean over its cells times `read_out_gain`, so each cell's share is its
    part of the answer (the additive read-out of BagNet, Brendel and Bethge, arXiv 1904.00760). The read-out
    starts at zero: an untrained network says nothing.

    Args:
        config: Settings.
        causes: How many.
        encoder: The pretrained encoder, a copy of whose trunk is fine-tuned where the settings say so.
    """
    from torch import nn

    if config.trunk == "tiny":
        layers, width = tiny_trunk(config), config.channels[-1]
    elif config.trunk == "encoder":
        if encoder is None:
            message = "the trunk is the pretrained encoder, which was not given"
            raise ValueError(message)
        layers, width = [encoder.own_trunk(config)], encoder.map_shape(config)[0]
    else:
        from prognosis.evidence.imaging.resnet import ResNetShape, build_resnet

        shape = ResNetShape.named(config.trunk, config.dimensions, config.width)
        layers, width = [build_resnet(shape)], shape.features
    if config.dropout > 0.0:
        layers.append((nn.Dropout2d if config.dimensions == 2 else nn.Dropout3d)(config.dropout))
    read_out = (nn.Conv2d if config.dimensions == 2 else nn.Conv3d)(width, causes, 1)
    nn.init.zeros_(read_out.weight)
    if read_out.bias is not None:
        nn.init.zeros_(read_out.bias)
    return nn.Sequential(*layers, read_out)


def tiny_trunk(config: ImagingConfig) -> list[nn.Module]:
    """The few convolutions that `channels`, `strides` and `norm` state."""
    return convolutions(config.dimensions, config.width, config.channels, config.strides, config.norm)


def convolutions(
    dimensions: int, width: int, channels: Sequence[int], strides: Sequence[int], norm: str
) -> list[nn.Module]:
    """3-convolutions with normalisation and a rectifier, from `width` channels on."""
    from monai.networks.blocks.convolutions import Convolution

    layers: list[nn.Module] = []
    for after, stride in zip(channels, strides, strict=True):
        layers.append(Convolution(dimensions, width, after, stride, 3, act="relu", norm=_NORMS[norm]))
        width = after
    return layers


def network_cells(config: ImagingConfig, encoder: PretrainedEncoder | None) -> tuple[int, ...]:
    """Cells of the network's evidence along each axis."""
    if config.trunk == "tiny":
        return config.cells
    if config.trunk == "encoder":
        if encoder is None:
            message = "the trunk is the pretrained encoder, which was not given"
            raise ValueError(message)
        return encoder.map_shape(config)[1:]
    return tuple(math.ceil(side / 32) for side in config.shape)


def read_out_gain(cells: Sequence[int]) -> float:
    """The factor from the read-out to evidence: a step then moves it as far whatever the number of cells."""
    return math.sqrt(math.prod(cells))


def cell_evidence(
    network: nn.Module, channels: NDArray[np.float16], config: ImagingConfig
) -> NDArray[np.float64]:
    """(images, causes, *cells) evidence of every cell, before weighting by extent.

    Args:
        network: A trained encoder.
        channels: (images, width, *shape).
        config: Settings.
    """
    with network_threads(config.threads):
        cells = answers(network, channels, config).astype(np.float64)
    return read_out_gain(cells.shape[2:]) * cells


@contextmanager
def network_threads(threads: int | None) -> Iterator[None]:
    """PyTorch uses this many threads inside; None leaves its own setting."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
