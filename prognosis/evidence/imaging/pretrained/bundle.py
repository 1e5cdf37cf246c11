"""A MONAI bundle's network and weights, without running what a bundle may run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from prognosis.errors import ConfigError
from prognosis.evidence.imaging.pretrained.encoder import PretrainedEncoder
from prognosis.evidence.imaging.pretrained.networks import MONAI_READERS, monai_network
from prognosis.evidence.imaging.pretrained.statement import (
    STATEMENT_FILE,
    EncoderStatement,
    Expectation,
    checked,
    read_json,
)
from prognosis.evidence.imaging.pretrained.weights import read_weights, strictly_loaded

_CONFIGS = ("inference.json", "inference.yaml", "inference.yml", "train.json", "train.yaml")
_NETWORK = ("network_def", "network")
_WEIGHTS = ("models/model.safetensors", "models/model.pt")


def load_monai_bundle(folder: Path) -> PretrainedEncoder:
    """The encoder part of a bundle's network.

    Only `network_def` of the inference configuration is read. Its `_target_` must be one of the networks that
    may be built and its arguments plain values or references ("@name") to plain values; an expression
    ("$...") is refused, never evaluated. What the bundle does to images beforehand is not read: state it in
    encoder.json.

    Raises:
        ConfigError: The configuration asks for anything else, or the weights do not fit.
    """
    path = next(
        (folder / "configs" / name for name in _CONFIGS if (folder / "configs" / name).is_file()), None
    )
    if path is None:
        raise ConfigError(f"{folder}/configs", "holds no inference.json", "give a whole MONAI bundle")
    config = _read(path)
    stated = next((config[name] for name in _NETWORK if isinstance(config.get(name), dict)), None)
    if stated is None or "_target_" not in stated:
        raise ConfigError(str(path), "has no network_def with a _target_", "give a whole MONAI bundle")
    network_def = {name: _plain_value(value, config, path) for name, value in stated.items()}
    network_def = {name: value for name, value in network_def.items() if name != "_mode_"}
    try:
        network = monai_network(network_def)
    except (ValueError, TypeError, KeyError) as error:
        known = ", ".join(sorted(MONAI_READERS))
        raise ConfigError(
            str(path), f"its network cannot be built ({error})", f"use one of {known}"
        ) from error
    weights = next((folder / name for name in _WEIGHTS if (folder / name).is_file()), None)
    if weights is None:
        raise ConfigError(
            f"{folder}/models", "holds no model.pt with a state dict", "a TorchScript model.ts is not read"
        )
    strictly_loaded(network, read_weights(weights), weights)
    return PretrainedEncoder(_statement(folder, network_def, path), network, folder)


def _statement(folder: Path, network_def: dict[str, Any], path: Path) -> EncoderStatement:
    """The bundle's network, with what encoder.json states of the images."""
    stated_path = folder / STATEMENT_FILE
    stated = checked(Expectation, read_json(stated_path) if stated_path.is_file() else {}, stated_path)
    channels = next(
        (network_def[name] for name in ("n_input_channels", "in_channels") if name in network_def), None
    )
    dimensions = network_def.get("spatial_dims", network_def.get("dimensions", 3))
    statement = {
        **stated.model_dump(),
        "kind": "monai",
        "dimensions": dimensions,
        "channels": channels if channels is not None else 1,
        "network": network_def,
    }
    return checked(EncoderStatement, statement, path)


def _read(path: Path) -> dict[str, Any]:
    """A configuration file as plain values."""
    if path.suffix == ".json":
        config = read_json(path)
    else:
        try:
            config = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ConfigError(str(path), "cannot be read", "give a whole MONAI bundle") from error
    if not isinstance(config, dict):
        raise ConfigError(str(path), "is not a mapping", "give a whole MONAI bundle")
    return config


def _plain_value(value: Any, config: dict[str, Any], path: Path) -> Any:  # noqa: ANN401 - a configuration's value
    """The value with references resolved.

    Raises:
        ConfigError: It is or holds an expression, another object, or a reference to nothing plain.
    """
    if isinstance(value, list):
        return [_plain_value(each, config, path) for each in value]
    if isinstance(value, dict):
        if "_target_" in value:
            raise ConfigError(str(path), "builds an object inside network_def", "give plain values")
        return {name: _plain_value(each, config, path) for name, each in value.items()}
    if isinstance(value, str) and value.startswith(("$", "%")):
        raise ConfigError(str(path), "has an expression inside network_def", "give plain values: none is run")
    if isinstance(value, str) and value.startswith("@"):
        found = config.get(value[1:])
        if not isinstance(found, int | float | bool | list):
            raise ConfigError(str(path), f"refers to {value}, which is no plain value", "give plain values")
        return found
    return value
