"""VICReg: what two views of one image should agree on, and what keeps all images from agreeing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

_INVARIANCE, _VARIANCE, _COVARIANCE = 25.0, 25.0, 1.0


def vicreg_loss(first: Tensor, second: Tensor) -> Tensor:
    """Invariance + variance + covariance of two batches of embeddings (Bardes et al., arXiv 2105.04906).

    The variance term keeps each embedding's spread above one, so that a constant encoder is never the best
    answer whatever the batch; nothing depends on many negatives, a queue or a second network.

    Args:
        first: (n, width) of one view of each image.
        second: (n, width) of another view of the same images.
    """
    invariance = (first - second).square().mean()
    spread, shared = zip(*(_spread_and_shared(each) for each in (first, second)), strict=True)
    return (
        _INVARIANCE * invariance
        + _VARIANCE * (spread[0] + spread[1]) / 2.0
        + _COVARIANCE * (shared[0] + shared[1])
    )


def _spread_and_shared(embedding: Tensor) -> tuple[Tensor, Tensor]:
    """How far standard deviations fall short of one, and the mean squared covariance between directions."""
    import torch

    count, width = embedding.shape
    spread = torch.relu(1.0 - torch.sqrt(embedding.var(dim=0) + 1e-4)).mean()
    centred = embedding - embedding.mean(dim=0)
    covariance = centred.T @ centred / (count - 1)
    between = covariance.square().sum() - covariance.diagonal().square().sum()
    return spread, between / width
