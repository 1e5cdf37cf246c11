"""Random views of images: what an encoder should not mind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prognosis.evidence.imaging.pretraining.config import PretrainingConfig

if TYPE_CHECKING:
    from torch import Tensor


def random_view(channels: Tensor, config: PretrainingConfig) -> Tensor:
    """(n, width, *shape) each image cropped, mirrored, brightened and noised by chance.

    Args:
        channels: (n, width, *shape), see `input_channels`; grey values and local contrast scale alike.
        config: Settings.
    """
    import torch

    count, axes = len(channels), channels.ndim - 2
    view = _cropped(channels, config)
    one_each = (count, *(1,) * (axes + 1))
    gain = 1.0 + config.brightness * (2.0 * torch.rand(one_each) - 1.0)
    view = view * gain
    each = 1 + len(config.imaging.contrast_scales)
    view[:, ::each] = view[:, ::each] + config.brightness * (2.0 * torch.rand(one_each) - 1.0)
    return view + config.noise * torch.randn_like(view)


def _cropped(channels: Tensor, config: PretrainingConfig) -> Tensor:
    """A random part of each image at the full size, left and right exchanged in half of them."""
    import torch
    from torch.nn import functional

    count, axes = len(channels), channels.ndim - 2
    side = config.smallest_crop + (1.0 - config.smallest_crop) * torch.rand(count)
    transform = torch.zeros(count, axes, axes + 1)
    for axis in range(axes):  # affine_grid counts axes from the last
        transform[:, axis, axis] = side
        transform[:, axis, -1] = (1.0 - side) * (2.0 * torch.rand(count) - 1.0)
    if config.mirror:
        transform[:, 0, 0] *= torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    grid = functional.affine_grid(transform, list(channels.shape), align_corners=False)
    return functional.grid_sample(channels, grid, padding_mode="border", align_corners=False)
