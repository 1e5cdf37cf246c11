"""Running a trained network on images: the fastest way that this machine has, in answers that agree.

On CUDA half precision with channels last; on a CPU OpenVINO where the package is installed, in bfloat16 where
the CPU computes in it and in single precision where not; elsewhere PyTorch in single precision.
A fast way is taken only after its answer to one image agreed with PyTorch's.

Single precision changes an answer in its sixth digit, shorter numbers in its third. So a network goes one way
from its first image to its last, in batches of one size: an answer does not depend on how many were asked for
before it, and what is added up, compared and kept comes from the same numbers. Where only single precision is
to be had, a network is exported if one image is so much work that this soon pays.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import ConfigError
from prognosis.evidence.imaging import openvino_export

if TYPE_CHECKING:
    from torch import Tensor, nn

Array = NDArray[np.float32]
Images = NDArray[np.float32] | NDArray[np.float16]
Run = Callable[[Array], Array]
Shape = tuple[int, ...]

SINGLE, SHORT = 1e-3, 1e-2
"""Largest difference from PyTorch that is accepted, as a share of the largest number of its answer."""

_WORTH_EXPORTING = 1e9
"""Multiplications an image from which exporting pays: it costs 0.2 to 1 s, and saves about 10 ms in 10^9.

A ResNet-18 on a film of 224 x 224 has 1.8e9 and pays after 30 films; the tiny trunk has 1e7 on 128 x 128.
"""
_BATCH_PIXELS = {"torch": 2**16, "openvino": 2**14, "cuda": 2**22}
_LARGEST_BATCH = 64
_SHAPES_KEPT = 4


class RuntimeSettings(Protocol):
    """What a configuration says of how its network is run.

    Attributes:
        runtime: "auto"; "torch" for PyTorch alone; "openvino" for OpenVINO from the first image on.
        precision: "auto" for the shortest numbers that the machine is fast in; "float32".
    """

    @property
    def runtime(self) -> Literal["auto", "torch", "openvino"]:
        """Which engines may run it."""

    @property
    def precision(self) -> Literal["auto", "float32"]:
        """In which numbers."""


@dataclass(frozen=True, slots=True)
class _Way:
    """A fast way to an answer.

    Attributes:
        engine: "openvino" or "cuda".
        short: In bfloat16 or half precision.
        at_once: However little work an image is.
    """

    engine: str
    short: bool
    at_once: bool


@dataclass(slots=True)
class _Known:
    """What is known of a network as long as it lives, and its weights and settings stay as they are.

    Attributes:
        state: By which that is told.
        settled: Whether a fast way was looked for.
        way: The one found.
        prepare: Gives the fast way for batches of a shape.
        runs: It, for each shape of late.
    """

    state: tuple[object, ...]
    settled: bool = False
    way: _Way | None = None
    prepare: Callable[[Shape], Run] | None = None
    runs: dict[Shape, Run] = field(default_factory=dict)


_KNOWN: WeakKeyDictionary[nn.Module, _Known] = WeakKeyDictionary()


def answers(
    network: nn.Module, images: Images, settings: RuntimeSettings, example: Shape | None = None
) -> Array:
    """(n, ...) the network's answer to each image, in evaluation mode, with PyTorch's number of threads.

    Args:
        network: One tensor in, one out.
        images: (n, channels, *grid), n at least 1.
        settings: Which ways may be taken.
        example: A smaller grid, on which a network that takes any grid is exported and checked.

    Raises:
        ConfigError: The settings want OpenVINO, and it is absent, cannot read the network or disagrees.
    """
    import torch

    network.eval()
    parts: list[Array] = []
    with torch.inference_mode():
        known, at = _known(network, settings), 0
        while at < len(images):
            if not known.settled:
                _look_for_fast_way(known, network, images, settings, example)
            size = _batch(known.way.engine if known.way else "torch", images.shape[2:])
            run = _fast(known, (size, *images.shape[1:])) or _by_torch(network)
            parts.append(run(np.ascontiguousarray(images[at : at + size], dtype=np.float32)))
            at += size
    return np.concatenate(parts)


def fastest_way(settings: RuntimeSettings) -> str:
    """What this machine would run a network by: "cuda" or "openvino" with its precision, or "torch".

    Raises:
        ConfigError: The settings want OpenVINO, and it is absent.
    """
    ways = _ways(settings)
    return f"{ways[0].engine} {'short' if ways[0].short else 'single'}" if ways else "torch"


def _known(network: nn.Module, settings: RuntimeSettings) -> _Known:
    import torch

    tensors = (*network.parameters(), *network.buffers())
    weights = tuple((each.data_ptr(), 0 if each.is_inference() else each._version) for each in tensors)
    state = (weights, settings.runtime, settings.precision, torch.get_num_threads())
    known = _KNOWN.get(network)
    if known is None or known.state != state:
        known = _KNOWN[network] = _Known(state)
    return known


def _batch(engine: str, grid: Shape) -> int:
    """Images run together: small ones are."""
    return min(_LARGEST_BATCH, max(1, _BATCH_PIXELS[engine] // math.prod(grid)))


def _by_torch(network: nn.Module) -> Run:
    """PyTorch in single precision."""
    import torch

    return lambda batch: np.asarray(network(torch.from_numpy(batch)).numpy())


def _counted(network: nn.Module, image: Array) -> tuple[Array, float]:
    """PyTorch's answer to an image, and the multiplications of its convolutions and matrix products."""
    from torch import nn

    kinds = (nn.Linear, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)
    operations = 0.0

    def count(layer: nn.Module, given: tuple[Tensor, ...], answer: Tensor) -> None:
        nonlocal operations
        axis = -1 if isinstance(layer, nn.Linear) else 1
        places = min(given[0].numel() / given[0].shape[axis], answer.numel() / answer.shape[axis])
        operations += places * layer.get_parameter("weight").numel()

    layers = [layer for layer in network.modules() if isinstance(layer, kinds)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        return _by_torch(network)(image), operations
    finally:
        for hook in hooks:
            hook.remove()


def _fast(known: _Known, shape: Shape) -> Run | None:
    """The fast way for batches of a shape, where one was found."""
    if known.prepare is None:
        return None
    if shape not in known.runs:
        if len(known.runs) >= _SHAPES_KEPT:
            del known.runs[next(iter(known.runs))]
        known.runs[shape] = known.prepare(shape)
    return known.runs[shape]


def _ways(settings: RuntimeSettings) -> list[_Way]:
    """The fast ways of this machine that the settings allow, fastest first.

    Raises:
        ConfigError: The settings want OpenVINO, and it is absent.
    """
    wanted, short = settings.runtime == "openvino", settings.precision == "auto"
    if not wanted and _has_cuda():
        return [_Way("cuda", each, at_once=True) for each in ((True, False) if short else (False,))]
    if settings.runtime == "torch":
        return []
    if not openvino_export.installed():
        if wanted:
            remedy = "pip install 'prognosis[fast]', or set runtime: auto"
            raise ConfigError("runtime: openvino", "needs the package openvino, which is absent", remedy)
        return []
    single = _Way("openvino", short=False, at_once=wanted)
    if short and openvino_export.computes_bfloat16():
        return [_Way("openvino", short=True, at_once=True), single]
    return [single]


def _has_cuda() -> bool:
    """Asked of PyTorch only where its build could have it: to import it takes seconds."""
    if version("torch").endswith("+cpu"):
        return False
    import torch

    return torch.cuda.is_available()


def _look_for_fast_way(
    known: _Known, network: nn.Module, images: Images, settings: RuntimeSettings, example: Shape | None
) -> None:
    """Settle on the first way that agrees with PyTorch on a part of the first image, if one is worth it.

    Raises:
        ConfigError: The settings want OpenVINO, and it does not run this network.
    """
    ways, known.settled = _ways(settings), True
    if not ways:
        return
    part = _middle(images[:1], example or images.shape[2:])
    expected, operations = _counted(network, part)
    image = operations * math.prod(images.shape[2:]) / math.prod(part.shape[2:])
    if not ways[0].at_once and image < _WORTH_EXPORTING:
        return
    for way in ways:
        prepare = _prepared(way, network, part)
        if prepare is None:
            continue
        run = prepare((_batch(way.engine, part.shape[2:]), *part.shape[1:]))
        if np.abs(run(part) - expected).max() <= (SHORT if way.short else SINGLE) * np.abs(expected).max():
            known.way, known.prepare = way, prepare
            return
    if settings.runtime == "openvino":
        problem = "does not run this network, or not as PyTorch does"
        raise ConfigError("runtime: openvino", problem, "set runtime: auto")


def _prepared(way: _Way, network: nn.Module, part: Array) -> Callable[[Shape], Run] | None:
    """What gives a way's runs; None where it cannot read the network."""
    import torch

    if way.engine == "cuda":
        run = on_device(network, "cuda", part.ndim - 2, short=way.short)
        return lambda _: run
    try:
        return openvino_export.exported(network, part, threads=torch.get_num_threads(), bfloat16=way.short)
    except RuntimeError:
        return None


def on_device(network: nn.Module, device: str, dimensions: int, *, short: bool) -> Run:
    """A copy of a network on another device, its channels last.

    Args:
        network: In evaluation mode.
        device: "cuda"; "cpu" works alike.
        dimensions: Of the images.
        short: In half precision (on a CPU bfloat16).
    """
    import torch

    layout = torch.channels_last if dimensions == 2 else torch.channels_last_3d
    own = copy.deepcopy(network).to(device, memory_format=layout)  # type: ignore[call-overload]

    def run(batch: Array) -> Array:
        moved = torch.from_numpy(batch).to(device, memory_format=layout)
        with torch.autocast(device, enabled=short), torch.backends.cudnn.flags(allow_tf32=short):
            return np.asarray(own(moved).float().cpu().numpy())

    return run


def _middle(images: Images, grid: Shape) -> Array:
    """The part of some images round their middle that has this grid."""
    starts = [(side - wanted) // 2 for side, wanted in zip(images.shape[2:], grid, strict=True)]
    inside = (slice(at, at + wanted) for at, wanted in zip(starts, grid, strict=True))
    return np.ascontiguousarray(images[(slice(None), slice(None), *inside)], dtype=np.float32)
