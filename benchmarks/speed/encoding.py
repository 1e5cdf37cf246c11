"""Images through trained networks, from arrays in memory to the evidence of every cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.speed.timing import OURS, Comparison, in_turn
from prognosis.evidence.imaging import ImagingConfig, openvino_export
from prognosis.evidence.imaging.encoder import build_encoder
from prognosis.evidence.imaging.runtime import SHORT, SINGLE, answers

PACKAGES = ("openvino", "torch")
_TORCH, _LAST = "PyTorch in inference_mode", "PyTorch, channels last"

Images = NDArray[np.float32]


def _network(config: ImagingConfig) -> nn.Module:
    """With random weights, its silent read-out included; its normalisation as after some training."""
    torch.manual_seed(0)
    network = build_encoder(config, 2).eval()
    nn.init.normal_(network[-1].weight, std=0.05)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm3d):
            nn.init.uniform_(layer.running_var, 0.5, 2.0)
    return network.requires_grad_(False)


def _by_torch(network: nn.Module, images: Images, batch: int, layout: torch.memory_format) -> Images:
    with torch.inference_mode():
        parts = [
            network(torch.from_numpy(images[start : start + batch]).contiguous(memory_format=layout))
            for start in range(0, len(images), batch)
        ]
        return torch.cat(parts).numpy()


def _compare(what: str, config: ImagingConfig, count: int, batch: int) -> Comparison:
    images = np.random.default_rng(0).normal(size=(count, config.width, *config.shape)).astype(np.float32)
    layout = torch.channels_last if config.dimensions == 2 else torch.channels_last_3d
    network, last = _network(config), _network(config).to(memory_format=layout)
    run: dict[str, Callable[[], Images]] = {
        OURS: lambda: answers(network, images, config),
        _TORCH: lambda: _by_torch(network, images, batch, torch.contiguous_format),
        _LAST: lambda: _by_torch(last, images, batch, layout),
    }
    timings, values = in_turn(run, {OURS: 5, _TORCH: 4, _LAST: 3})
    short = openvino_export.computes_bfloat16()
    expected = values[_TORCH]
    apart = float(np.abs(values[OURS] - expected).max() / np.abs(expected).max())
    if apart > (SHORT if short else SINGLE):
        message = f"{what}: {apart:.2g} apart"
        raise AssertionError(message)
    numbers = "bfloat16" if short else "single precision: this CPU does not compute in bfloat16"
    return Comparison(
        task=what,
        timings=timings,
        goals={_TORCH: 2.5},
        equality=f"largest difference {apart:.2g} of the largest number ({numbers})",
    )


def comparisons(*, quick: bool, threads: int) -> Iterator[Comparison]:
    """The tiny trunk, a 2D and a 3D residual network."""
    torch.set_num_threads(threads)
    settings = {"runtime": "openvino", "threads": threads}
    films, side = (8, 64) if quick else (512, 128)
    yield _compare(
        f"tiny trunk, {films} films of {side} x {side}",
        ImagingConfig.model_validate({**settings, "size": side}),
        films,
        64,
    )
    films, side = (2, 64) if quick else (16, 224)
    yield _compare(
        f"ResNet-18, {films} films of {side} x {side}",
        ImagingConfig.model_validate(
            {**settings, "size": side, "trunk": "resnet18", "contrast_scales": [1.0, 2.0]}
        ),
        films,
        4,
    )
    size = [16, 32, 32] if quick else [64, 96, 96]
    yield _compare(
        "3D ResNet-18, 2 volumes of " + " x ".join(map(str, size)),
        ImagingConfig.model_validate(
            {
                **settings,
                "dimensions": 3,
                "trunk": "resnet18",
                "volume": {"size": size, "windows": [[-1000.0, 200.0]]},
                "contrast_scales": [],
            }
        ),
        2,
        2,
    )
