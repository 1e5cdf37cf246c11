"""The network that gives every cell of a film its evidence: a small trunk and a linear read-out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.config import ImagingConfig

if TYPE_CHECKING:
    from torch import nn

_NORMS: dict[str, Any] = {
    "batch": "batch",
    "group": ("group", {"num_groups": 4}),
    "instance": ("instance", {"affine": True}),
    "none": None,
}
_BATCH = 64


def build_encoder(config: ImagingConfig, causes: int) -> nn.Module:
    """A network from channels (n, 1 + scales, size, size) to evidence per cell (n, causes, cells, cells).

    The evidence of a film is the mean over its cells times `read_out_gain`, so each cell's share is its part
    of the answer (the additive read-out of BagNet, Brendel and Bethge, arXiv 1904.00760). The read-out starts
    at zero: an untrained network says nothing.
    """
    from monai.networks.blocks.convolutions import Convolution
    from torch import nn

    width = 1 + len(config.contrast_scales)
    layers: list[nn.Module] = []
    for channels, stride in zip(config.channels, config.strides, strict=True):
        layers.append(Convolution(2, width, channels, stride, 3, act="relu", norm=_NORMS[config.norm]))
        width = channels
    if config.dropout > 0.0:
        layers.append(nn.Dropout2d(config.dropout))
    read_out = nn.Conv2d(width, causes, 1)
    nn.init.zeros_(read_out.weight)
    if read_out.bias is not None:
        nn.init.zeros_(read_out.bias)
    return nn.Sequential(*layers, read_out)


def read_out_gain(config: ImagingConfig) -> float:
    """The factor from the read-out to evidence: a step then moves it as far whatever the number of cells."""
    return float(config.cells)


def cell_evidence(
    network: nn.Module, channels: NDArray[np.float16], config: ImagingConfig
) -> NDArray[np.float64]:
    """(films, causes, cells, cells) evidence of every cell, before weighting by area.

    Args:
        network: A trained encoder.
        channels: (films, 1 + scales, size, size).
        config: Settings.
    """
    import torch

    network.eval()
    parts = []
    with network_threads(config.threads), torch.inference_mode():
        for start in range(0, len(channels), _BATCH):
            batch = torch.from_numpy(channels[start : start + _BATCH].astype(np.float32))
            parts.append(read_out_gain(config) * network(batch).numpy().astype(np.float64))
    return np.concatenate(parts)


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
