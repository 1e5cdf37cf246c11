"""The quality gate on disk: its names and limits as JSON, its weights beside the other weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.gate import FAULT, Detector, FilmGate
from prognosis.evidence.imaging.kind import TrainingKinds
from prognosis.evidence.imaging.typical import TypicalFilms


def gate_statement(gate: FilmGate) -> dict[str, Any]:
    """What of a gate is written as JSON: everything that a reader may want to see."""
    return {
        "side": gate.side,
        "unlike": gate.unlike,
        "fewest_pixels": gate.fewest_pixels,
        "modalities": list(gate.kinds.modalities),
        "body_parts": list(gate.kinds.body_parts),
        "faults": {
            each.name: {
                "offset": each.offset,
                "caution": each.caution,
                "refuse": each.refuse,
                "reach": each.reach,
            }
            for each in gate.detectors
        },
        "not_looked_for": sorted(set(FAULT) - {each.name for each in gate.detectors}),
    }


def gate_weights(gate: FilmGate) -> dict[str, NDArray[np.generic]]:
    """The arrays of a gate by name, but for its `typical`, which the model writes."""
    weights: dict[str, NDArray[np.generic]] = {}
    for each in gate.detectors:
        weights[f"gate.{each.name}.weights"] = each.weights
        weights[f"gate.{each.name}.altered"] = each.altered
    return weights


def read_gate(
    stated: Mapping[str, Any], weights: Mapping[str, NDArray[np.generic]], typical: TypicalFilms
) -> FilmGate:
    """The gate from what the two functions above gave.

    Raises:
        KeyError: A part is absent, or a fault is none that this version knows.
    """
    detectors = tuple(
        Detector(
            FAULT[name].name,
            np.asarray(weights[f"gate.{name}.weights"], dtype=np.float64),
            float(own["offset"]),
            float(own["caution"]),
            float(own["refuse"]),
            np.asarray(weights[f"gate.{name}.altered"], dtype=np.float64),
            float(own["reach"]),
        )
        for name, own in stated["faults"].items()
    )
    kinds = TrainingKinds(tuple(stated["modalities"]), tuple(stated["body_parts"]))
    return FilmGate(
        int(stated["side"]), typical, float(stated["unlike"]), detectors, int(stated["fewest_pixels"]), kinds
    )
