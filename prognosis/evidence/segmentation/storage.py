"""A segmentation model on disk: JSON and safetensors with a manifest; nothing that can run code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from prognosis.cohort import Task
from prognosis.errors import BundleError
from prognosis.evidence.manifest import check_manifest
from prognosis.evidence.model_folder import library_versions, write_json, write_model_folder
from prognosis.evidence.segmentation.config import SegmentationConfig
from prognosis.evidence.segmentation.model import SegmentationModel
from prognosis.evidence.segmentation.networks import build_network

FORMAT = "segmentation 1"
WEIGHTS = "model.safetensors"

_REMEDY = "copy the folder again from where it was made, or train it anew"


def save_segmentation(
    model: SegmentationModel, folder: Path, card: str, metrics: Mapping[str, Any]
) -> SegmentationModel:
    """Write a model folder; an earlier model in the same folder is replaced.

    Args:
        model: What was trained.
        folder: Where to; created. A folder that holds anything but a model is refused.
        card: The model card, Markdown.
        metrics: What was measured when it was trained, plain JSON.

    Returns:
        The model with its id set.

    Raises:
        BundleError: The folder holds something else.
    """
    from safetensors.numpy import save_file

    def write(whole: Path) -> None:
        weights = {name: value.numpy() for name, value in model.network.state_dict().items()}
        save_file({name: np.array(value, order="C") for name, value in weights.items()}, whole / WEIGHTS)
        stated = {
            "format": FORMAT,
            "task": model.task.model_dump(mode="json"),
            "config": model.config.model_dump(mode="json"),
            "dimensions": model.dimensions,
            "libraries": library_versions(),
        }
        write_json(whole / "config.json", stated)
        training = {"images": model.images, "one_pass_dice": model.one_pass_dice}
        write_json(whole / "training.json", {**training, "patients": sorted(model.patients)})
        write_json(whole / "metrics.json", metrics)
        (whole / "README.md").write_text(card, encoding="utf-8")

    return replace(model, model_id=write_model_folder(folder, model.task.name, write))


def holds_segmentation(folder: Path) -> bool:
    """Whether a folder says that it is a segmentation model; `load_segmentation` checks that it is one."""
    try:
        stated = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(stated, dict) and str(stated.get("format", "")).startswith("segmentation")


def load_segmentation(folder: str | Path) -> SegmentationModel:
    """Read a model folder, after checking every file against its manifest.

    Raises:
        BundleError: The folder is incomplete, altered, of another format, or holds a weight not finite.
    """
    folder = Path(folder)
    model_id = check_manifest(folder)
    stated = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if stated.get("format") != FORMAT:
        remedy = f"name a model of `prognosis train` whose format is {FORMAT}"
        raise BundleError(str(folder), f"has format {stated.get('format')}", remedy)
    try:
        training = json.loads((folder / "training.json").read_text(encoding="utf-8"))
        config = SegmentationConfig.model_validate(stated["config"])
        dimensions = int(stated["dimensions"])
        images, patients = int(training["images"]), frozenset(training["patients"])
        agreement = None if training.get("one_pass_dice") is None else float(training["one_pass_dice"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise BundleError(str(folder), f"cannot be read ({type(error).__name__})", _REMEDY) from error
    task = Task.from_model(stated["task"], str(folder / "config.json"))
    network = build_network(config, dimensions, len(task.causes))
    network.load_state_dict(_weights(folder, network.state_dict()))
    return SegmentationModel(task, config, dimensions, network.eval(), images, patients, agreement, model_id)


def _weights(folder: Path, expected: Mapping[str, Any]) -> dict[str, Any]:
    """The network's weights as tensors.

    Raises:
        BundleError: They cannot be read, are those of another network, or one is not finite.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    reference = f"{folder}/{WEIGHTS}"
    try:
        found = load_file(folder / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise BundleError(reference, "cannot be read", _REMEDY) from error
    if {name: array.shape for name, array in found.items()} != {
        name: tuple(value.shape) for name, value in expected.items()
    }:
        raise BundleError(reference, "are weights of another network than config.json states", _REMEDY)
    for name, array in found.items():
        if not np.isfinite(array).all():
            raise BundleError(reference, f"{name} is not finite", "train the model anew")
    return {name: torch.from_numpy(array.copy()) for name, array in found.items()}
