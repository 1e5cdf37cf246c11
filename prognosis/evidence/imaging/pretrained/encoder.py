"""A pretrained encoder at work: the image brought to what it expects, its feature map brought back."""

from __future__ import annotations

import copy
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import ConfigError
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.contrast import FILM_GAIN
from prognosis.evidence.imaging.pretrained.networks import feature_map
from prognosis.evidence.imaging.pretrained.statement import STATEMENT_FILE, WEIGHTS_FILE, EncoderStatement
from prognosis.evidence.imaging.runtime import answers

if TYPE_CHECKING:
    from torch import Tensor, nn

MOST_CARRIED_BYTES = 100 * 2**20
"""Weights up to this size travel inside a trained model; larger ones are named by path and digest."""


class PretrainedEncoder:
    """Images to (features, *cells), frozen.

    A cell of the map sees beyond its own place: a convolution its receptive field, a transformer the whole
    image. Its evidence is where the encoder put the feature, and not proof that the cause lies there.

    Args:
        statement: What it is.
        network: With its weights, in evaluation mode.
        place: Where it was read from.
    """

    def __init__(self, statement: EncoderStatement, network: nn.Module, place: Path) -> None:
        self.statement, self.network, self.place = statement, network, place
        self.digest = _digest(statement, network)
        self._seen: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._trunks: dict[int, nn.Module] = {}

    def check(self, config: ImagingConfig) -> None:
        """Refuse settings under which this encoder cannot be read.

        Raises:
            ConfigError: Dimensions, images or contrast scales differ.
        """
        stated, problem = self.statement, ""
        if stated.dimensions != config.dimensions:
            problem = f"reads {stated.dimensions} dimensions and the settings say {config.dimensions}"
        elif stated.kind == "tiny":
            scales = tuple(stated.network["contrast_scales"])
            if scales != config.contrast_scales or stated.channels != config.width:
                problem = f"was trained with contrast_scales {scales} and {stated.channels} channels"
        elif config.images not in (1, stated.channels):
            problem = f"takes {stated.channels} images and the settings give {config.images}"
        if problem:
            raise ConfigError(
                str(self.place), problem, "change the imaging settings, or give another encoder"
            )

    def map_shape(self, config: ImagingConfig) -> tuple[int, ...]:
        """Features of a cell, then cells along each axis, as found by reading an empty image once."""
        if config.shape not in self._seen:
            empty = np.zeros((1, config.width, *config.shape), dtype=np.float16)
            self._seen[config.shape] = self.feature_maps(empty, config).shape[1:]
        return self._seen[config.shape]

    def feature_maps(self, channels: NDArray[np.float16], config: ImagingConfig) -> NDArray[np.float64]:
        """(n, features, *cells) the frozen encoder's maps.

        Args:
            channels: (n, width, *shape), see `input_channels`.
            config: Settings.
        """
        from prognosis.evidence.imaging.encoder import network_threads

        with network_threads(config.threads):
            return answers(self.trunk(config), channels, config).astype(np.float64)

    def trunk(self, config: ImagingConfig) -> nn.Module:
        """The module from the network's input channels to the feature map."""
        each = 1 + len(config.contrast_scales)
        if each not in self._trunks:
            self._trunks[each] = _trunk_class()(self.statement, self.network, each)
        return self._trunks[each].eval()

    def own_trunk(self, config: ImagingConfig) -> nn.Module:
        """A copy of the trunk that may be trained."""
        return copy.deepcopy(self.trunk(config)).requires_grad_(True)

    @property
    def carried(self) -> bool:
        """Whether the weights travel inside a trained model."""
        return sum(value.nbytes for value in self.network.state_dict().values()) <= MOST_CARRIED_BYTES

    def save(self, folder: Path) -> None:
        """Write encoder.json and model.safetensors into a folder, which is created."""
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.statement.model_dump(mode="json"), indent=1)
        (folder / STATEMENT_FILE).write_text(text + "\n", encoding="utf-8")
        state = {name: value.contiguous().clone() for name, value in self.network.state_dict().items()}
        save_file(state, str(folder / WEIGHTS_FILE))


@cache
def _trunk_class() -> type[nn.Module]:
    """The class of the trunk, made where torch is first needed."""
    import torch
    from torch import nn

    class Trunk(nn.Module):
        """Input channels to the encoder's own preparation, its network, and the map back on our axes."""

        def __init__(self, statement: EncoderStatement, network: nn.Module, each: int) -> None:
            super().__init__()
            self.network, self.statement, self.each = network, statement, each

        def forward(self, channels: Tensor) -> Tensor:
            stated = self.statement
            if stated.kind == "tiny":
                return feature_map(stated, self.network, channels)
            images = channels[:, :: self.each] / FILM_GAIN + 0.5
            images = images.expand(-1, stated.channels, *images.shape[2:])
            order, spatial = [2 + axis for axis in stated.order], [2 + axis for axis in stated.flipped]
            images = images.permute(0, 1, *order)
            images = images.flip(spatial) if spatial else images  # OpenVINO reads no flip of no axis
            if stated.size is not None and images.shape[2:] != torch.Size(stated.size):
                images = _resized(images, stated.size)
            mean, std = (
                torch.tensor(values, device=channels.device).view(1, -1, *(1,) * stated.dimensions)
                for values in (stated.mean, stated.std)
            )
            seen = feature_map(stated, self.network, (images - mean) / std)
            back = [2 + order.index(2 + axis) for axis in range(stated.dimensions)]
            return (seen.flip(spatial) if spatial else seen).permute(0, 1, *back)

    return Trunk


def _resized(images: Tensor, size: tuple[int, ...]) -> Tensor:
    """The images at another size, without aliasing where they shrink."""
    from torch.nn import functional

    if len(size) == 2:
        return functional.interpolate(images, size=size, mode="bilinear", antialias=True)
    shrinks = all(new <= old for new, old in zip(size, images.shape[2:], strict=True))
    return functional.interpolate(images, size=size, mode="area" if shrinks else "trilinear")


def _digest(statement: EncoderStatement, network: nn.Module) -> str:
    """sha256 of the statement and of every weight."""
    import torch

    content = hashlib.sha256(json.dumps(statement.model_dump(mode="json"), sort_keys=True).encode())
    for name, value in sorted(network.state_dict().items()):
        content.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        content.update(value.detach().contiguous().view(-1).view(torch.uint8).numpy())
    return content.hexdigest()
