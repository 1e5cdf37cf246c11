"""Random changes of a batch of images and of what is marked on them, alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

_ROTATION = 0.1  # radians, in the image plane
_SCALE = 0.1  # of the logarithm
_ASPECT = 0.05  # of the logarithm
_SHIFT = 0.06  # of half the window's side
_GAMMA = 0.35  # of the logarithm
_CONTRAST = 0.2  # of the logarithm
_BRIGHTNESS = 0.1  # of the range black to white
_NOISE = 0.08  # of the range: the largest standard deviation
# All but the last are standard deviations. Grey scales are never inverted: that is left to the quality gate.


def mirrored_order(structures: Sequence[str]) -> list[int]:
    """The channel that each channel becomes when the patient is mirrored: none, then each structure.

    A name that begins with "right " or "left " is exchanged for the other side's, where that is there too.
    """
    places = {name: place for place, name in enumerate(structures, start=1)}
    order = [0]
    for name in structures:
        side, _, rest = name.partition(" ")
        other = {"right": "left", "left": "right"}.get(side)
        order.append(places.get(f"{other} {rest}", places[name]) if other else places[name])
    return order


def augmented(
    images: Tensor, targets: Tensor, strength: float, order: Sequence[int] | None
) -> tuple[Tensor, Tensor]:
    """A batch turned, scaled, shifted, perhaps mirrored; its images also changed in contrast and noise.

    Args:
        images: (n, 1, *grid) 0 to 1.
        targets: (n, channels, *grid) shares of each structure; what comes from beyond the window is unmarked.
        strength: Factor on every change but mirroring; 0 for none.
        order: See `mirrored_order`; None to mirror nothing.
    """
    import torch
    from torch.nn.functional import affine_grid, grid_sample

    count, mirrored = len(images), torch.zeros(len(images), dtype=torch.bool)
    if order is not None:
        mirrored = torch.rand(count) < 0.5
    matrices = _matrices(count, images.ndim - 2, strength, mirrored)
    grid = affine_grid(matrices, list(images.shape), align_corners=False)
    images = grid_sample(images, grid, align_corners=False)
    targets = grid_sample(targets, grid, align_corners=False)
    if order is not None:
        targets[mirrored] = targets[mirrored][:, list(order)]

    def each(spread: float) -> Tensor:
        return spread * strength * torch.randn(count, *(1,) * (images.ndim - 1))

    images = images.clamp(0.0, 1.0) ** torch.exp(each(_GAMMA))
    images = images * torch.exp(each(_CONTRAST)) + each(_BRIGHTNESS)
    noise = _NOISE * strength * torch.rand(count, *(1,) * (images.ndim - 1))
    return images + noise * torch.randn_like(images), targets


def _matrices(count: int, dimensions: int, strength: float, mirrored: Tensor) -> Tensor:
    """(count, d, d + 1) from the changed image's coordinates (x, y, z; -1 to 1) to the image's own."""
    import torch

    angle = _ROTATION * strength * torch.randn(count)
    scale = torch.exp(_SCALE * strength * torch.randn(count))
    aspect = torch.exp(_ASPECT * strength * torch.randn(count))
    matrix = torch.zeros(count, dimensions, dimensions + 1)
    flip = 1.0 - 2.0 * mirrored.float()
    matrix[:, 0, 0], matrix[:, 0, 1] = flip * scale * aspect * torch.cos(angle), -scale * torch.sin(angle)
    matrix[:, 1, 0], matrix[:, 1, 1] = flip * scale * torch.sin(angle), scale / aspect * torch.cos(angle)
    if dimensions == 3:
        matrix[:, 2, 2] = scale
    matrix[:, :, -1] = _SHIFT * strength * torch.randn(count, dimensions)
    return matrix
