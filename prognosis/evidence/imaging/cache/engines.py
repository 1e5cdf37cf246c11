"""What networks are run by on this machine, remembered so that no engine is loaded only to be asked."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from prognosis.evidence.imaging.cache.sealed import SealedFiles, owned_folder
from prognosis.evidence.imaging.cache.studies import digest_of, program_digest
from prognosis.evidence.model_folder import library_versions

_PROCESSOR = Path("/proc/cpuinfo")
_SETTINGS = ("ONEDNN_", "DNNL_", "OV_", "OPENVINO_", "CUDA_")


def known_engines(folder: Path, weights: str, ask: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
    """The engines of a model on this machine, from here or else from `ask`.

    They are remembered by the processor's features, the libraries' versions, the environment that changes
    them, the model's files and this program. Where PyTorch could use a GPU, or nothing says which processor
    this is, they are asked for each time.

    Args:
        folder: The cache.
        weights: Digest of the imaging evidence's files, its settings among them.
        ask: Loads the engines.

    Raises:
        InputError: The folder cannot be used.
    """
    machine = _machine()
    if machine is None:
        return ask()
    files = SealedFiles(owned_folder(folder) / "machines")
    key = digest_of([machine, weights, program_digest()])
    body = files.read(key)
    if body is not None:
        return tuple(json.loads(body))
    found = ask()
    files.write(key, json.dumps(found).encode())
    return found


def _machine() -> list[object] | None:
    """What the engines follow from; None where that is not known."""
    versions = library_versions(("torch", "openvino"))
    if not versions.get("torch", "").endswith("+cpu"):
        return None
    try:
        first = _PROCESSOR.read_text(encoding="utf-8").partition("\n\n")[0]
    except OSError:
        return None
    told = ("model name", "flags", "features", "microcode")
    features = sorted(line for line in first.splitlines() if line.lower().startswith(told))
    if not features:
        return None
    settings = sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith(_SETTINGS))
    return [features, versions, settings]
