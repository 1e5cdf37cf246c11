"""Writing a model's folder whole or not at all, and what every such folder states."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from prognosis.errors import BundleError
from prognosis.evidence.manifest import states_a_model, write_manifest

LIBRARIES = ("torch", "transformers", "monai", "xgboost-cpu", "shap", "numpy", "scikit-learn")


def write_model_folder(folder: Path, name: str, write: Callable[[Path], None]) -> str:
    """Write a model's folder; an earlier model in it is replaced.

    A run that is killed leaves the earlier model whole: the files are written beside it first.

    Args:
        folder: Where to; created. A folder that holds anything but a model is refused.
        name: The task's, with which the model's id begins.
        write: Writes every file but the manifest into a new folder.

    Returns:
        The model's id.

    Raises:
        BundleError: The folder holds something else.
    """
    refuse_other_files(folder)
    whole = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(whole, ignore_errors=True)
    whole.mkdir(parents=True)
    write(whole)
    model_id = write_manifest(whole, name)
    if folder.exists():
        shutil.rmtree(folder)
    whole.rename(folder)
    return model_id


def refuse_other_files(folder: Path) -> None:
    """Check, before the time of a training is spent, that a model may be written to a folder.

    Raises:
        BundleError: It is a file or a link, holds anything but a model, or cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise BundleError(str(folder), "is a file", "name an empty or new folder")
    if folder.is_symlink():
        raise BundleError(str(folder), "is a link", "name the folder itself")
    if folder.exists() and any(folder.iterdir()) and not states_a_model(folder):
        raise BundleError(str(folder), "holds files that are not a model", "name an empty or new folder")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent):
            pass  # what may be made there may be renamed there
    except OSError as error:
        problem = f"cannot be written ({error.strerror})"
        raise BundleError(str(folder), problem, "name a folder that you may write to") from error


def library_versions(libraries: Sequence[str] = LIBRARIES) -> dict[str, str]:
    """The installed versions of prognosis and of some libraries, by default what models are made with."""
    return {name: found for name in ("prognosis", *libraries) if (found := _version(name))}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def write_json(path: Path, stated: Mapping[str, Any]) -> None:
    """Write a mapping as JSON; keys stay in their order, which can be what the weights' rows mean."""
    path.write_text(json.dumps(stated, indent=1) + "\n", encoding="utf-8")


def patient_digest(patient: str) -> str:
    """sha256 of a patient's key: by it a model knows whom it was trained on without keeping who they are."""
    return hashlib.sha256(patient.encode()).hexdigest()
