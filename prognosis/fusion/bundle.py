"""A model on disk: JSON, safetensors and Parquet files with a manifest; nothing that can run code."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Task
from prognosis.errors import BundleError
from prognosis.evidence import EvidenceModel
from prognosis.evidence.manifest import check_manifest, part_digest
from prognosis.evidence.model_folder import library_versions, write_json, write_model_folder
from prognosis.fusion.arms.storage import load_arms, save_arms
from prognosis.fusion.bundle_arrays import read_arrays, stated_array, write_arrays
from prognosis.fusion.config import ModelConfig
from prognosis.fusion.head import HazardHead, straight
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.measured_json import measured_json, read_measured
from prognosis.fusion.model import FusionModel, Training
from prognosis.fusion.replicates import Replicates
from prognosis.survival.class_sets import ClassSets
from prognosis.survival.conformal import SurvivalBound

FORMAT = 5
CALIBRATION = "calibration.json"
CONFORMAL = "conformal.json"
CLASS_SETS = "class_sets.json"
MEASURED = "measured.json"


def save_model(model: FusionModel, folder: Path, card: str, metrics: Mapping[str, Any]) -> FusionModel:
    """Write a model folder; an earlier model in the same folder is replaced.

    Args:
        model: What was trained.
        folder: Where to; created. A folder that holds anything but a model is refused.
        card: The model card, Markdown.
        metrics: What was measured when it was trained, plain JSON.

    Returns:
        The model with its id set.

    Raises:
        BundleError: The folder holds something else, or the model's head is not finite, so that nobody could
            read it.
    """
    head = model.head
    held = (head.alpha, head.beta, *head.factors, head.strengths, head.shift, head.scale)
    if not all(np.isfinite(each).all() for each in held):
        problem = "has a head with numbers that are not finite"
        raise BundleError(f"the model of task {model.task.name}", problem, "train it with other settings")

    def write(whole: Path) -> None:
        _write_files(model, whole, card, metrics)

    return replace(model, model_id=write_model_folder(folder, model.task.name, write))


def _write_files(model: FusionModel, folder: Path, card: str, metrics: Mapping[str, Any]) -> None:
    for name, evidence in model.evidence.items():
        (folder / "evidence" / name).mkdir(parents=True)
        evidence.save(folder / "evidence" / name)
    write_arrays(model, folder)
    write_json(folder / "config.json", _configuration(model))
    ends = model.head.shift[:, :, [0, -1]]
    write_json(folder / CALIBRATION, {"shift": ends.tolist(), "scale": model.head.scale.tolist()})
    if model.bounds:
        write_json(folder / CONFORMAL, _bounds(model.bounds))
    if model.sets is not None:
        sets = {"levels": list(model.sets.levels), "largest_score": model.sets.largest_score.tolist()}
        write_json(folder / CLASS_SETS, sets)
    if model.measured is not None:
        write_json(folder / MEASURED, measured_json(model.measured))
    if model.arms is not None:
        save_arms(model.arms, folder)
    write_json(folder / "training.json", _training(model.training))
    write_json(folder / "metrics.json", dict(metrics))
    (folder / "README.md").write_text(card, encoding="utf-8")


def load_model(folder: str | Path, cache: str | Path | None = None) -> FusionModel:
    """Read a model folder, after checking every file against its manifest.

    Args:
        folder: A model's.
        cache: A folder in which the encodings of studies are kept, so that none is encoded twice; see
            docs/cache.md.

    Raises:
        BundleError: The folder is incomplete, altered, of another format, or holds numbers that are not
            finite or do not fit the head.
        InputError: The cache cannot be used.
    """
    folder = Path(folder)
    model_id = check_manifest(folder)
    stated = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if stated.get("format") != FORMAT:
        raise BundleError(
            str(folder), f"has format {stated.get('format')}", f"this version reads format {FORMAT}"
        )
    names = tuple(stated["modalities"])
    task = Task.from_model(stated["task"], str(folder / "config.json"))
    evidence = {name: load_evidence(name, folder, cache) for name in names}
    widths = {name: own.width for name, own in evidence.items()}
    arrays = read_arrays(folder, widths, len(task.causes))
    training = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    model = FusionModel(
        task=task,
        config=ModelConfig.from_statement(stated["config"], str(folder / "config.json")),
        evidence=evidence,
        head=_read_head(folder / CALIBRATION, names, arrays),
        edges=arrays["edges"],
        replicates=Replicates(arrays["replicates.alpha"], arrays["replicates.beta"]),
        background=FusionInputs(
            names,
            arrays["background.present"].astype(bool),
            tuple(arrays[f"background.evidence.{name}"] for name in names),
            tuple(arrays[f"background.vector.{name}"] for name in names),
            arrays["background.distance"],
            ((),) * len(arrays["background.present"]),
        ),
        training=Training(**{**training, "patients": frozenset(training["patients"])}),
        bounds=_read_bounds(folder / CONFORMAL),
        sets=_read_sets(folder / CLASS_SETS, len(task.causes)),
        measured=read_measured(folder / MEASURED, len(names)),
        arms=load_arms(folder, task, lambda name, part: load_evidence(name, folder, cache, part)),
        model_id=model_id,
    )
    if check_manifest(folder) != model_id:
        raise BundleError(str(folder), "was replaced while it was read", "load it again")
    return model


def load_evidence(
    name: str, folder: Path, cache: str | Path | None = None, part: str | None = None
) -> EvidenceModel:
    """Read one modality's evidence model from `part` of a folder, `evidence/<name>` by default.

    Raises:
        BundleError: It is incomplete, or of a modality that this version does not know.
    """
    part = part or f"evidence/{name}"
    if name == "clinical":
        from prognosis.evidence.clinical import load_clinical

        clinical = load_clinical(folder / part)
        if cache is not None:
            from prognosis.evidence.array_cache import ArrayCache

            own = part_digest(folder, part)
            clinical.shares = ArrayCache(Path(cache), "shares", own, ("numpy", "numba"))
        return clinical
    if name == "text":
        from prognosis.evidence.text import load_text

        text = load_text(folder / part)
        if cache is not None and text.encoder is not None:
            from prognosis.evidence.array_cache import ArrayCache
            from prognosis.evidence.text.encoder import ENCODER_PACKAGES

            own = f"{part_digest(folder, part)} {text.encoder.stamp()}"
            text.kept = ArrayCache(Path(cache), "sentences", own, ENCODER_PACKAGES)
        return text
    if name == "imaging":
        from prognosis.evidence.imaging import load_imaging

        imaging = load_imaging(folder / part)
        if cache is not None:
            from prognosis.evidence.imaging.cache import StudyCache, encoder_digest, known_engines

            weights = part_digest(folder, part)
            engines = known_engines(Path(cache), weights, lambda: imaging.engines)
            imaging.cache = StudyCache(Path(cache), encoder_digest(weights, engines))
        return imaging
    raise BundleError(
        str(folder / part), f"has an unknown modality {name!r}", "use a newer version of prognosis"
    )


def _read_head(path: Path, names: Sequence[str], arrays: Mapping[str, NDArray[np.float64]]) -> HazardHead:
    """The head; of its shift the file at `path` states the first and the last bin."""
    stated = json.loads(path.read_text(encoding="utf-8"))
    causes, bins = arrays["alpha"].shape
    shift = stated_array(path, stated, "shift", (2 ** len(names), causes, 2))
    scale = stated_array(path, stated, "scale", (2 ** len(names), causes))
    return HazardHead(
        alpha=arrays["alpha"],
        beta=arrays["beta"],
        factors=tuple(arrays[f"factors.{name}"] for name in names),
        strengths=arrays["strengths"],
        shift=straight(shift[..., 0], shift[..., 1], bins),
        scale=scale,
    )


def _configuration(model: FusionModel) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "modalities": list(model.modalities),
        "task": model.task.model_dump(mode="json"),
        "config": model.config.model_dump(mode="json"),
        "libraries": library_versions(),
    }


def _bounds(bounds: Mapping[str, SurvivalBound]) -> dict[str, Any]:
    return {
        name: {
            "levels": bound.levels.tolist(),
            "probability": bound.probability.tolist(),
            "last_day": bound.last_day,
        }
        for name, bound in bounds.items()
    }


def _read_bounds(path: Path) -> dict[str, SurvivalBound]:
    """The lower bounds; none where the task asks for no time to an event."""
    if not path.exists():
        return {}
    bounds = {}
    for name, each in json.loads(path.read_text(encoding="utf-8")).items():
        count = len(each["levels"])
        levels, probability = (stated_array(path, each, key, (count,)) for key in ("levels", "probability"))
        bounds[name] = SurvivalBound(levels, probability, float(stated_array(path, each, "last_day", ())))
    return bounds


def _read_sets(path: Path, causes: int) -> ClassSets | None:
    """The sets of classes; None where the task has no classes that exclude one another."""
    if not path.exists():
        return None
    stated = json.loads(path.read_text(encoding="utf-8"))
    levels = tuple(stated["levels"])
    return ClassSets(levels, stated_array(path, stated, "largest_score", (len(levels), 1 + causes)))


def _training(training: Training) -> dict[str, Any]:
    return {
        "cases": training.cases,
        "events": dict(training.events),
        "modality_cases": dict(training.modality_cases),
        "left_out": dict(training.left_out),
        "patients": sorted(training.patients),
    }
