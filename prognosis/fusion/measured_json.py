"""What turns the mean of a measurement into a prediction, in a model folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from prognosis.fusion.bundle_arrays import stated_array
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
        BundleError: A number is not finite, the errors do not fit the modalities, or an interval has no end.
    """
    if not path.exists():
        return None
    stated = json.loads(path.read_text(encoding="utf-8"))
    intervals = {name: tuple(values) for name, values in stated["intervals"].items()}
    for name in ("low", "high"):
        stated_array(path, intervals, name, (len(intervals["levels"]),))
    for name in stated["last_value"]:
        stated_array(path, stated["last_value"], name, ())
    error = stated_array(path, stated, "error", (2**modalities,))
    return Measured(error, ResidualIntervals(**intervals), LastValue(**stated["last_value"]))
