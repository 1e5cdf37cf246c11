"""What turns the mean of a measurement into a prediction, in a model folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from prognosis.errors import BundleError
from prognosis.fusion.measured import LastValue, Measured
from prognosis.survival.measured import ResidualIntervals


def measured_json(measured: Measured) -> dict[str, Any]:
    """The fields by name."""
    return {
        "error": measured.error.tolist(),
        "intervals": asdict(measured.intervals),
        "last_value": asdict(measured.last),
    }


def read_measured(path: Path, modalities: int) -> Measured | None:
    """What `measured_json` wrote; None for a task that asks for no measurement.

    Raises:
        BundleError: A number is not finite, or the errors do not fit the modalities.
    """
    if not path.exists():
        return None
    stated = json.loads(path.read_text(encoding="utf-8"))
    error = np.array(stated["error"], dtype=np.float64)
    intervals = {name: tuple(values) for name, values in stated["intervals"].items()}
    ends = np.array([*intervals["low"], *intervals["high"], *stated["last_value"].values()])
    if error.shape != (2**modalities,) or not (np.isfinite(error).all() and np.isfinite(ends).all()):
        raise BundleError(str(path), "its errors do not fit the modalities", "train the model anew")
    return Measured(error, ResidualIntervals(**intervals), LastValue(**stated["last_value"]))
