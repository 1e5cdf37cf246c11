"""Weights from disk: tensors by name, and nothing that can run."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prognosis.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor, nn

SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")
_CONTAINERS = ("state_dict", "model_state_dict", "model", "network", "net")
_SHOWN = 3


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file or of a torch file that holds tensors alone.

    Raises:
        ConfigError: The file is absent, damaged, or needs unpickling of more than tensors.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return dict(load_file(str(path)))
        with warnings.catch_warnings():  # of an old pickle's protocol, just before it is refused
            warnings.simplefilter("ignore")
            held = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ConfigError(
            str(path),
            "holds more than tensors, and unpickling it could run code",
            "save the state dict alone, best as .safetensors",
        ) from error
    except (OSError, RuntimeError, EOFError, ValueError, SafetensorError) as error:
        raise ConfigError(
            str(path),
            f"cannot be read as weights ({type(error).__name__})",
            f"give one of {', '.join(SUFFIXES)} that is whole",
        ) from error
    return _tensors(held, path)


def strictly_loaded(network: nn.Module, state: Mapping[str, Tensor], path: Path) -> nn.Module:
    """The network with these weights, in evaluation mode: every tensor of it, and no other.

    Counters of batches, which no answer depends on, may be absent.

    Raises:
        ConfigError: A tensor is missing, left over, of another shape or not finite.
    """
    expected = network.state_dict()
    counters = {name: value for name, value in expected.items() if name.endswith("num_batches_tracked")}
    state = {**counters, **state}
    missing = [name for name in expected if name not in state]
    extra = [name for name in state if name not in expected]
    shaped = [name for name in expected if name in state and expected[name].shape != state[name].shape]
    if missing or extra:
        raise ConfigError(
            str(path),
            f"does not fit the network: missing {_some(missing)}; left over {_some(extra)}",
            "give the weights of this network, or state the right one",
        )
    if shaped:
        name = shaped[0]
        raise ConfigError(
            str(path),
            f"{name} has shape {tuple(state[name].shape)}, the network's has {tuple(expected[name].shape)}",
            "give the weights of this network, or state the right one",
        )
    refuse_not_finite(state, path)
    network.load_state_dict(dict(state), strict=True)
    return network.eval()


def refuse_not_finite(state: Mapping[str, Tensor], path: Path) -> None:
    """Refuse weights that are not all finite numbers.

    Raises:
        ConfigError: One is not.
    """
    import torch

    for name, value in state.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise ConfigError(str(path), f"{name} holds numbers that are not finite", "copy the file again")


def _tensors(held: Any, path: Path) -> dict[str, Tensor]:  # noqa: ANN401 - what a torch file holds
    """The state dict inside, which training scripts wrap under one of a few names."""
    import torch

    if isinstance(held, Mapping):
        for name in _CONTAINERS:
            if isinstance(held.get(name), Mapping):
                held = held[name]
                break
    if not isinstance(held, Mapping) or not held:
        raise ConfigError(str(path), "holds no state dict", "save the network's state_dict()")
    tensors = {str(name): value for name, value in held.items() if isinstance(value, torch.Tensor)}
    if not tensors:
        raise ConfigError(str(path), "holds no tensors by name", "save the network's state_dict()")
    return tensors


def _some(names: list[str]) -> str:
    if not names:
        return "nothing"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
