"""The numbers of a fusion in a model folder: each array has the shape that the head needs, and is finite."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import BundleError
from prognosis.fusion.head import modality_pairs
from prognosis.fusion.model import FusionModel

Array = NDArray[np.float64]

ARRAYS = "model.safetensors"
_REMEDY = "train the model anew"


def write_arrays(model: FusionModel, folder: Path) -> None:
    """Write `model.safetensors`; docs/bundle.md lists what it holds."""
    from safetensors.numpy import save_file

    arrays: dict[str, Array] = {
        "alpha": model.head.alpha,
        "beta": model.head.beta,
        "strengths": model.head.strengths,
        "edges": model.edges,
        "replicates.alpha": model.replicates.alpha,
        "replicates.beta": model.replicates.beta,
        "background.present": model.background.present.astype(np.float64),
        "background.distance": model.background.distance,
    }
    for place, name in enumerate(model.modalities):
        arrays[f"factors.{name}"] = model.head.factors[place]
        arrays[f"background.evidence.{name}"] = model.background.evidence[place]
        arrays[f"background.vector.{name}"] = model.background.vectors[place]
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / ARRAYS)


def read_arrays(folder: Path, widths: Mapping[str, int], causes: int) -> dict[str, Array]:
    """What `write_arrays` wrote.

    Args:
        folder: A model's.
        widths: By modality, in the head's order, how many numbers a token's vector has.
        causes: How many causes the task asks about.

    Raises:
        BundleError: An array is missing, has another shape, or is not finite.
    """
    from safetensors.numpy import load_file

    reference = str(folder / ARRAYS)
    arrays: dict[str, Array] = load_file(folder / ARRAYS)
    for name, shape in _shapes(arrays, widths, causes).items():
        if name not in arrays:
            raise BundleError(reference, f"{name} is missing", _REMEDY)
        check_array(reference, name, arrays[name], shape)
    return arrays


def check_array(reference: str, name: str, array: Array, shape: tuple[int, ...]) -> None:
    """Check an array that was read.

    Raises:
        BundleError: It has another shape, or a number of it is not finite.
    """
    if array.shape != shape:
        raise BundleError(
            reference, f"{name} does not fit the head: its shape is {array.shape}, not {shape}", _REMEDY
        )
    if not np.isfinite(array).all():
        raise BundleError(reference, f"{name} is not finite", _REMEDY)


def stated_array(path: Path, stated: Mapping[str, Any], name: str, shape: tuple[int, ...]) -> Array:
    """The numbers that a JSON file states under a name.

    Raises:
        BundleError: There are none, or they do not pass `check_array`.
    """
    try:
        array = np.array(stated[name], dtype=np.float64)
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(str(path), f"{name} is not an array of numbers", _REMEDY) from error
    check_array(str(path), name, array, shape)
    return array


def _shapes(
    arrays: Mapping[str, Array], widths: Mapping[str, int], causes: int
) -> dict[str, tuple[int, ...]]:
    """The shape that each array needs; bins, rank, replicates and cases are as many as one array has."""

    def size(name: str, axis: int) -> int:
        return int(np.atleast_1d(arrays.get(name, np.zeros(0))).shape[axis])

    modalities, pairs = len(widths), len(modality_pairs(len(widths)))
    bins, drawn, cases = (
        max(1, size(name, axis))
        for name, axis in (("alpha", -1), ("replicates.alpha", 0), ("background.present", 0))
    )
    rank = size("strengths", -1)
    shapes: dict[str, tuple[int, ...]] = {
        "alpha": (causes, bins),
        "beta": (modalities, causes, bins),
        "strengths": (pairs, causes, rank),
        "edges": (bins + 1,),
        "replicates.alpha": (drawn, causes, bins),
        "replicates.beta": (drawn, modalities, causes, bins),
        "background.present": (cases, modalities),
        "background.distance": (cases, modalities),
    }
    for name, width in widths.items():
        own = 1 if size(f"background.evidence.{name}", -1) == 1 else bins
        shapes[f"factors.{name}"] = (width, rank)
        shapes[f"background.evidence.{name}"] = (cases, causes, own)
        shapes[f"background.vector.{name}"] = (cases, width)
    return shapes
