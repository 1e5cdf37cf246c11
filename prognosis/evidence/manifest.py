"""The sha256 of every file of a model folder: an altered, missing or added file is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from prognosis.errors import BundleError

MANIFEST = "manifest.json"


def file_digests(folder: Path) -> dict[str, str]:
    """sha256 of every file below a folder but the manifest, by path relative to it."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / MANIFEST
    }


def states_a_model(folder: Path) -> bool:
    """Whether a folder's manifest is one of ours: its id belongs to the digests that it lists.

    A manifest.json alone says nothing: web pages and browser extensions have one too.
    """
    try:
        stated = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        listed, model_id = dict(stated["sha256"]), str(stated["model_id"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return model_id == _identity(model_id.rpartition("-")[0], listed)


def write_manifest(folder: Path, name: str) -> str:
    """Write manifest.json and give the model id: the name and a digest of everything in the folder."""
    digests = file_digests(folder)
    model_id = _identity(name, digests)
    text = json.dumps({"model_id": model_id, "sha256": digests}, indent=1, sort_keys=True)
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return model_id


def _identity(name: str, digests: dict[str, str]) -> str:
    """The name, and the first 12 hex digits of a digest of the name and of every file's digest."""
    content = hashlib.sha256(json.dumps([name, digests], sort_keys=True).encode()).hexdigest()
    return f"{name}-{content[:12]}"


def _no_model(folder: Path, retrain: str) -> BundleError:
    if not folder.exists():
        return BundleError(str(folder), "does not exist", "give the folder that `prognosis train` wrote")
    inside = folder / "model"  # what a demonstration writes beside its report
    if states_a_model(inside):
        retrain = f"did you mean {inside}?"
    return BundleError(str(folder), "is not a model folder: it has no manifest.json", retrain)


def check_manifest(folder: Path) -> str:
    """Verify every file of a model folder and give the model id.

    Raises:
        BundleError: There is no manifest, or a file is missing, altered or not listed.
    """
    retrain = "copy the folder again from where it was made, or train it anew"
    try:
        stated = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        expected, model_id = dict(stated["sha256"]), str(stated["model_id"])
    except OSError as error:
        raise _no_model(folder, retrain) from error
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{folder}/{MANIFEST}", "cannot be read", retrain) from error
    found = file_digests(folder)
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            raise BundleError(f"{folder}/{name}", "is missing", retrain)
        if name not in expected:
            raise BundleError(f"{folder}/{name}", "is not in the manifest", "remove it; " + retrain)
        if found[name] != expected[name]:
            raise BundleError(f"{folder}/{name}", "was altered after the model was saved", retrain)
    if model_id != _identity(model_id.rpartition("-")[0], expected):
        raise BundleError(f"{folder}/{MANIFEST}", "states an id that does not belong to the files", retrain)
    return model_id


def part_digest(folder: Path, part: str) -> str:
    """sha256 of what the manifest of a model folder states of every file below one of its folders.

    Args:
        folder: Checked by `check_manifest`.
        part: Path of a folder in it, such as "evidence/imaging".
    """
    stated: dict[str, str] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["sha256"]
    own = {name: digest for name, digest in stated.items() if name.startswith(f"{part}/")}
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()
