"""Residual networks in two and three dimensions, without pooling and head: images in, last feature map out.

The names of the weights are those of torchvision and MONAI, so that their state dicts load as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

DEPTHS = {
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
    "resnet50": (3, 4, 6, 3),
}


@dataclass(frozen=True, slots=True)
class ResNetShape:
    """What tells one residual network from another (He et al., arXiv 1512.03385).

    Attributes:
        dimensions: 2 or 3.
        channels: Images that it takes.
        blocks: Blocks of each of the four stages.
        bottleneck: Three convolutions a block (50 layers and more) instead of two.
        width: Channels of the first stage.
        stem: Kernel of the first convolution along each axis.
        stem_stride: Its stride.
        pooled: A max-pooling of stride 2 follows it.
        projected: A narrowing stage's shortcut is a projection; else channels of zeros are added to it.
        projected_first: The first stage begins with a projection even where widths agree.
        projection_bias: The projections have a bias.
    """

    dimensions: int
    channels: int
    blocks: tuple[int, ...]
    bottleneck: bool
    width: int = 64
    stem: tuple[int, ...] = ()
    stem_stride: tuple[int, ...] = ()
    pooled: bool = True
    projected: bool = True
    projected_first: bool = False
    projection_bias: bool = False

    @classmethod
    def named(cls, name: str, dimensions: int, channels: int) -> ResNetShape:
        """One of `DEPTHS` with the usual stem: a kernel of 7 and a stride of 2."""
        stem, stride = (7,) * dimensions, (2,) * dimensions
        return cls(dimensions, channels, DEPTHS[name], name == "resnet50", stem=stem, stem_stride=stride)

    @property
    def features(self) -> int:
        """Channels of the last feature map."""
        return self.width * 8 * (4 if self.bottleneck else 1)


def build_resnet(shape: ResNetShape) -> nn.Module:
    """The network with random weights: (n, channels, *size) to (n, features, *size / 32)."""
    from torch import nn

    network: nn.Module = _network_class()(shape)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network


@cache
def _block_class() -> type[nn.Module]:
    """The class of a block, made where torch is first needed."""
    import torch
    from torch import nn

    class Block(nn.Module):
        """Two 3-convolutions, or 1, 3 and 1, beside a shortcut; the stride is that of the first 3."""

        def __init__(self, shape: ResNetShape, before: int, width: int, stride: int, project: bool) -> None:
            super().__init__()
            conv, norm = _layers(shape.dimensions)
            after = width * (4 if shape.bottleneck else 1)
            kernels, strides = ((1, 3, 1), (1, stride, 1)) if shape.bottleneck else ((3, 3), (stride, 1))
            widths = (before, *(width,) * (len(kernels) - 1), after)
            self.steps = len(kernels)
            for place, (kernel, step) in enumerate(zip(kernels, strides, strict=True)):
                into, out = widths[place], widths[place + 1]
                layer = conv(into, out, kernel, stride=step, padding=kernel // 2, bias=False)
                self.add_module(f"conv{place + 1}", layer)
                self.add_module(f"bn{place + 1}", norm(out))
            projection = conv(before, after, 1, stride=stride, bias=shape.projection_bias)
            project = project and shape.projected
            self.downsample = nn.Sequential(projection, norm(after)) if project else None
            self.stride, self.added = stride, after - before

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            kept = images if self.downsample is None else self.downsample(images)
            if self.downsample is None and (self.added or self.stride > 1):
                kept = kept[
                    (slice(None), slice(None), *(slice(None, None, self.stride),) * (images.ndim - 2))
                ]
                kept = torch.nn.functional.pad(kept, (0, 0) * (images.ndim - 2) + (0, self.added))
            for place in range(1, self.steps + 1):
                images = getattr(self, f"bn{place}")(getattr(self, f"conv{place}")(images))
                if place < self.steps:
                    images = torch.relu(images)
            return torch.relu(images + kept)

    return Block


@cache
def _network_class() -> type[nn.Module]:
    """The class of the network."""
    import torch
    from torch import nn

    class ResNet(nn.Module):
        """The stem and four stages."""

        def __init__(self, shape: ResNetShape) -> None:
            super().__init__()
            conv, norm = _layers(shape.dimensions)
            padding = tuple(kernel // 2 for kernel in shape.stem)
            self.conv1 = conv(
                shape.channels, shape.width, shape.stem, stride=shape.stem_stride, padding=padding, bias=False
            )
            self.bn1 = norm(shape.width)
            pool = nn.MaxPool2d if shape.dimensions == 2 else nn.MaxPool3d
            self.maxpool = pool(3, stride=2, padding=1) if shape.pooled else nn.Identity()
            before = shape.width
            for stage, count in enumerate(shape.blocks):
                width, stride = shape.width * 2**stage, 1 if stage == 0 else 2
                after = width * (4 if shape.bottleneck else 1)
                project = before != after or shape.projected_first
                blocks = [_block_class()(shape, before, width, stride, project or stage > 0)]
                blocks += [_block_class()(shape, after, width, 1, False) for _ in range(count - 1)]
                self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
                before = after

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            images = self.maxpool(torch.relu(self.bn1(self.conv1(images))))
            for stage in range(1, 5):
                images = getattr(self, f"layer{stage}")(images)
            return images

    return ResNet


def _layers(dimensions: int) -> tuple[Any, Any]:
    """Convolution and batch normalisation."""
    from torch import nn

    return (nn.Conv2d, nn.BatchNorm2d) if dimensions == 2 else (nn.Conv3d, nn.BatchNorm3d)
