"""From a file or folder to an encoder, whichever of the four forms it has."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from prognosis.errors import ConfigError
from prognosis.evidence.imaging.pretrained.bundle import load_monai_bundle
from prognosis.evidence.imaging.pretrained.encoder import PretrainedEncoder
from prognosis.evidence.imaging.pretrained.networks import build_network, vision_part
from prognosis.evidence.imaging.pretrained.plain import plain_statement
from prognosis.evidence.imaging.pretrained.statement import (
    STATEMENT_FILE,
    WEIGHTS_FILE,
    EncoderStatement,
    checked,
    read_json,
)
from prognosis.evidence.imaging.pretrained.weights import (
    SUFFIXES,
    read_weights,
    refuse_not_finite,
    strictly_loaded,
)

_FORMS = (
    "give a Hugging Face vision folder (config.json), a MONAI bundle (configs/inference.json), a folder with "
    "encoder.json, or a file of a residual network's weights"
)
_PASSING = ("transformers_version", "_name_or_path", "architectures", "dtype", "torch_dtype")
_UNUSED = ("pooler.", "mask_token", "embeddings.mask_token", "head.")


def load_encoder(place: Path) -> PretrainedEncoder:
    """The encoder in a file or folder, its weights checked one by one.

    Args:
        place: A Hugging Face vision folder, a MONAI bundle, a folder with our own encoder.json, or a file
            (or a folder with one file) of the weights of a residual network.

    Raises:
        ConfigError: It is none of these, holds more than tensors, or its weights do not fit its network.
    """
    if place.is_file():
        return _plain(place, place.with_suffix(".json"))
    if not place.is_dir():
        raise ConfigError(str(place), "is not there", _FORMS)
    statement = place / STATEMENT_FILE
    if statement.is_file() and "kind" in read_json(statement):
        return _own(place)
    if (place / "configs").is_dir():
        return load_monai_bundle(place)
    if (place / "config.json").is_file():
        return _transformers(place)
    weights = [path for path in sorted(place.iterdir()) if path.suffix in SUFFIXES]
    if len(weights) != 1:
        raise ConfigError(str(place), f"is no encoder: it holds {len(weights)} files of weights", _FORMS)
    return _plain(weights[0], statement)


def _own(folder: Path) -> PretrainedEncoder:
    """What `PretrainedEncoder.save` wrote."""
    path = folder / STATEMENT_FILE
    statement = checked(EncoderStatement, read_json(path), path)
    try:
        network = build_network(statement)
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigError(str(path), f"states no network that can be built ({error})", _FORMS) from error
    weights = folder / WEIGHTS_FILE
    return PretrainedEncoder(statement, strictly_loaded(network, read_weights(weights), weights), folder)


def _plain(path: Path, stated: Path) -> PretrainedEncoder:
    """The bare weights of a residual network, its shape read from theirs."""
    overrides: dict[str, Any] = read_json(stated) if stated.is_file() else {}
    statement, state = plain_statement(read_weights(path), overrides, path, stated)
    return PretrainedEncoder(statement, strictly_loaded(build_network(statement), state, path), path)


def _transformers(folder: Path) -> PretrainedEncoder:
    """A folder that transformers' save_pretrained wrote, or one laid out like it."""
    path = folder / "config.json"
    stated = read_json(path)
    if "auto_map" in stated:
        raise ConfigError(str(path), "asks to run code of its own", "give a model that transformers knows")
    if not any(folder.glob("model*.safetensors")) and not any(folder.glob("pytorch_model*.bin")):
        raise ConfigError(str(folder), "holds no weights", "add model.safetensors")
    with _quiet_offline():
        from safetensors import SafetensorError
        from transformers import AutoModel

        try:
            model, found = AutoModel.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, output_loading_info=True
            )
        except (
            OSError,
            ValueError,
            KeyError,
            RuntimeError,
            TypeError,
            SafetensorError,
            UnpicklingError,
        ) as error:
            raise ConfigError(
                str(folder),
                f"cannot be read by transformers ({type(error).__name__})",
                "give a vision model's folder with config.json and model.safetensors",
            ) from error
    missing = sorted(name for name in found["missing_keys"] if not name.startswith(_UNUSED))
    if missing or found.get("mismatched_keys"):
        wrong = missing or sorted(str(each) for each in found["mismatched_keys"])
        raise ConfigError(
            str(folder),
            f"its weights lack or misshape {wrong[0]}",
            "copy the folder again, or repair config.json",
        )
    tower: Any = vision_part(model)
    if tower.main_input_name != "pixel_values":
        raise ConfigError(str(folder), f"is no vision model ({tower.config.model_type})", _FORMS)
    refuse_not_finite(tower.state_dict(), folder)
    statement = _vision_statement(folder, tower.config)
    return PretrainedEncoder(statement, tower.float().eval(), folder)


def _vision_statement(folder: Path, config: Any) -> EncoderStatement:  # noqa: ANN401 - transformers' own
    """The configuration's values, and how preprocessor_config.json says that images are prepared.

    What names a library's version or a place is left out: the same encoder keeps its digest.
    """
    values = json.loads(config.to_json_string(use_diff=True))
    network = {name: value for name, value in values.items() if name not in _PASSING}
    network["model_type"] = config.model_type
    path = folder / "preprocessor_config.json"
    prepared = read_json(path) if path.is_file() else {}
    size = prepared.get("crop_size") or prepared.get("size") or getattr(config, "image_size", None)
    if isinstance(size, dict):
        size = size.get("height") or size.get("shortest_edge")
    channels = int(getattr(config, "num_channels", 3))
    normal = prepared.get("do_normalize", True)
    stated = {
        "kind": "transformers",
        "dimensions": 2,
        "channels": channels,
        "network": network,
        "size": [size, size] if isinstance(size, int) else size,
        "mean": prepared.get("image_mean", [0.5]) if normal else [0.0],
        "std": prepared.get("image_std", [0.5]) if normal else [1.0],
    }
    return checked(EncoderStatement, stated, path if path.is_file() else folder / "config.json")


@contextmanager
def _quiet_offline() -> Iterator[None]:
    """Hold the hub client to what is on disk, and leave the environment as it was."""
    before = os.environ.get("HF_HUB_OFFLINE")
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        yield
    finally:
        if before is None:
            del os.environ["HF_HUB_OFFLINE"]
        else:
            os.environ["HF_HUB_OFFLINE"] = before
