"""The bare weights of a residual network: its shape is read from theirs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prognosis.errors import ConfigError
from prognosis.evidence.imaging.pretrained.statement import EncoderStatement, Expectation, checked
from prognosis.evidence.imaging.resnet import ResNetShape

if TYPE_CHECKING:
    from torch import Tensor

_STEM = "conv1.weight"
_BLOCK = re.compile(r"layer([1-4])\.(\d+)\.")
_HEADS = ("fc.", "classifier.", "contrastive_head.", "head.")


class PlainExpectation(Expectation):
    """What may be stated beside bare weights, in `encoder.json` or the file's own name with .json.

    Attributes:
        stem_stride: Of the first convolution along each axis; by default 2 where its kernel is 7, else 1.
        pooled: Whether a max-pooling follows it.
    """

    stem_stride: tuple[int, ...] | None = None
    pooled: bool = True


def plain_statement(
    state: Mapping[str, Tensor], stated: object, path: Path, stated_path: Path
) -> tuple[EncoderStatement, dict[str, Tensor]]:
    """The statement of a residual network's weights, and the weights under their own names.

    Names as torchvision, MONAI and their inflated descendants give them, below any common prefix. A
    classification head is left out.

    Raises:
        ConfigError: They are no residual network's.
    """
    expected = checked(PlainExpectation, stated, stated_path)
    stems = [name for name in state if name.endswith(_STEM) and "layer" not in name]
    if not stems:
        raise ConfigError(
            str(path),
            "is no residual network's state dict: it has no conv1.weight",
            "give weights named as torchvision's or MONAI's ResNet, or a folder that says what they are",
        )
    prefix = min(stems, key=len).removesuffix(_STEM)
    own = {
        name.removeprefix(prefix): value
        for name, value in state.items()
        if name.startswith(prefix) and not name.removeprefix(prefix).startswith(_HEADS)
    }
    shape = _shape(own, expected, path)
    network = {name: value for name, value in asdict(shape).items() if name not in ("dimensions", "channels")}
    statement: dict[str, Any] = {
        **expected.model_dump(exclude={"stem_stride", "pooled"}),
        "kind": "resnet",
        "dimensions": shape.dimensions,
        "channels": shape.channels,
        "network": network,
    }
    return checked(EncoderStatement, statement, stated_path), own


def _shape(state: Mapping[str, Tensor], stated: PlainExpectation, path: Path) -> ResNetShape:
    stem = state[_STEM]
    kernel = tuple(stem.shape[2:])
    blocks = [0, 0, 0, 0]
    for name in state:
        match = _BLOCK.match(name)
        if match:
            stage = int(match[1]) - 1
            blocks[stage] = max(blocks[stage], int(match[2]) + 1)
    if stem.ndim not in (4, 5) or min(blocks) == 0:
        raise ConfigError(
            str(path),
            f"is no 2D or 3D residual network of four stages (stem {tuple(stem.shape)}, blocks {blocks})",
            "give a ResNet's weights, or a folder that says what they are",
        )
    return ResNetShape(
        dimensions=stem.ndim - 2,
        channels=int(stem.shape[1]),
        blocks=tuple(blocks),
        bottleneck="layer1.0.conv3.weight" in state,
        width=int(stem.shape[0]),
        stem=kernel,
        stem_stride=stated.stem_stride or tuple(2 if side >= 7 else 1 for side in kernel),
        pooled=stated.pooled,
        projected_first="layer1.0.downsample.0.weight" in state,
        projected="layer2.0.downsample.0.weight" in state,
        projection_bias="layer2.0.downsample.0.bias" in state,
    )
