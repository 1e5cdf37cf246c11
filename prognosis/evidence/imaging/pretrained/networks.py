"""From a statement to its network: images in, the last feature map out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from prognosis.evidence.imaging.pretrained.statement import EncoderStatement

if TYPE_CHECKING:
    from torch import Tensor, nn

_MOST_PREFIX_TOKENS = 16  # a class token and registers

Reader = Callable[[Any, "Tensor"], "Tensor"]


def build_network(statement: EncoderStatement) -> nn.Module:
    """The network of a statement with random weights.

    Raises:
        ValueError: What the network is built from cannot be built.
        TypeError: Likewise.
        KeyError: Likewise.
    """
    if statement.kind == "resnet":
        from prognosis.evidence.imaging.resnet import ResNetShape, build_resnet

        stated: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in statement.network.items()
        }
        return build_resnet(ResNetShape(statement.dimensions, statement.channels, **stated))
    if statement.kind == "tiny":
        from torch import nn

        from prognosis.evidence.imaging.encoder import convolutions

        stated = statement.network
        layers = convolutions(
            statement.dimensions,
            statement.channels,
            tuple(stated["channels"]),
            tuple(stated["strides"]),
            stated["norm"],
        )
        return nn.Sequential(*layers)
    if statement.kind == "transformers":
        from transformers import AutoConfig, AutoModel

        stated = dict(statement.network)
        config = AutoConfig.for_model(str(stated.pop("model_type")), **stated)
        model = AutoModel.from_config(config, trust_remote_code=False)  # type: ignore[no-untyped-call]
        return vision_part(model)
    return monai_network(statement.network)


def vision_part(model: nn.Module) -> nn.Module:
    """The vision tower of a model of images and text, or the model itself."""
    inside: nn.Module = getattr(model, "vision_model", model)
    return inside


def monai_network(stated: dict[str, Any]) -> nn.Module:
    """A MONAI network by the name of its class, of those in the allow-list, and its arguments.

    Raises:
        ValueError: The class is not allowed.
    """
    from monai.networks import nets

    arguments = dict(stated)
    name = str(arguments.pop("_target_")).removeprefix("monai.networks.nets.")
    if name not in MONAI_READERS:
        message = f"network {name} is none of {', '.join(sorted(MONAI_READERS))}"
        raise ValueError(message)
    network: nn.Module = getattr(nets, name)(**arguments)
    return network


def feature_map(statement: EncoderStatement, network: nn.Module, images: Tensor) -> Tensor:
    """(n, features, *cells) the network's last feature map.

    Args:
        statement: The encoder's.
        network: Of that statement.
        images: (n, channels, *size) prepared.
    """
    if statement.kind == "transformers":
        return _hidden_map(network, images)
    if statement.kind == "monai":
        name = str(statement.network["_target_"]).removeprefix("monai.networks.nets.")
        return MONAI_READERS[name](network, images)
    found: Tensor = network(images)
    return found


def _hidden_map(network: nn.Module, images: Tensor) -> Tensor:
    """The last hidden state as a map: patch tokens back on their grid, without class and register tokens."""
    hidden: Tensor = network(pixel_values=images).last_hidden_state
    if hidden.ndim == 4:
        return hidden
    tokens = hidden.shape[1]
    patch = getattr(getattr(network, "config", None), "patch_size", None)
    side = images.shape[-1] // patch if isinstance(patch, int) else 0
    if not 0 <= tokens - side * side <= _MOST_PREFIX_TOKENS or side == 0:
        side = math.isqrt(tokens)
    placed = hidden[:, tokens - side * side :].transpose(1, 2)
    return placed.reshape(*placed.shape[:2], side, side)


def _resnet(network: Any, images: Tensor) -> Tensor:  # noqa: ANN401 - a MONAI network
    found = network.act(network.bn1(network.conv1(images)))
    if not network.no_max_pool:
        found = network.maxpool(found)
    for stage in (network.layer1, network.layer2, network.layer3, network.layer4):
        found = stage(found)
    return found


def _unet(network: Any, images: Tensor) -> Tensor:  # noqa: ANN401 - a MONAI network
    part = network.model
    while hasattr(part, "__getitem__") and hasattr(part[1], "submodule"):
        images, part = part[0](images), part[1].submodule
    found: Tensor = part(images)
    return found


def _dense(network: Any, images: Tensor) -> Tensor:  # noqa: ANN401 - a MONAI network
    found: Tensor = network.features(images)
    return found


def _segresnet(network: Any, images: Tensor) -> Tensor:  # noqa: ANN401 - a MONAI network
    found: Tensor = network.encode(images)[0]
    return found


def _swin(network: Any, images: Tensor) -> Tensor:  # noqa: ANN401 - a MONAI network
    found: Tensor = network.swinViT(images, network.normalize)[-1]
    return found


MONAI_READERS: dict[str, Reader] = {
    "ResNet": _resnet,
    **{f"resnet{depth}": _resnet for depth in (10, 18, 34, 50, 101, 152, 200)},
    "DenseNet": _dense,
    **{f"DenseNet{depth}": _dense for depth in (121, 169, 201, 264)},
    "SegResNet": _segresnet,
    "UNet": _unet,
    "SwinUNETR": _swin,
}
"""The MONAI networks that may be built, and how the last feature map of their encoder is read."""
