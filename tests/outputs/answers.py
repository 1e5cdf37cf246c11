"""A prediction with its explanations, and the evidence of two questions on small images."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from prognosis.explanation import Attribution, Explanation
from prognosis.explanation.explanation import drivers_of
from prognosis.outputs.dicom_answer import ImageEvidence
from prognosis.outputs.dicom_risk_report import Answer
from prognosis.outputs.dicom_seg import Algorithm
from prognosis.prediction import Prediction
from prognosis.record import Volume
from tests.outputs.images import MADE_AT, film, series

MODEL = Algorithm("chest", "model-1")
CAUSES = ("progression", "death")
ZONES = tuple(f"{side} {level} zone" for level in ("upper", "middle", "lower") for side in ("right", "left"))


def explanation(cause: str) -> Explanation:
    """Each zone's level, one zone's change, and one laboratory value."""
    zones = [
        Attribution("imaging", name, "film", "x", "2024", 0.1 * place - 0.2, 0.0, name, name, name)
        for place, name in enumerate(ZONES)
    ]
    change = Attribution(
        "imaging", f"{ZONES[0]}, change", "film", "x", "2024", 0.05, 0.0, "c", ZONES[0], ZONES[0]
    )
    blood = Attribution("clinical", "CRP", "5", "Observation/1", "2024", 0.3, 0.0)
    parts = (*zones, change, blood)
    return Explanation(cause, -1.0, 0.0, parts, drivers_of(parts), "log_hazard", "exact", 0.0, 0.0, "model-1")


def answer(scale: float = 1.0, abstained_because: str = "") -> Answer:
    """Risks of two causes at two horizons, times `scale`."""
    days = np.array([0.0, 365.0, 730.0])
    curves = {"progression": np.array([0.0, 0.2, 0.3]), "death": np.array([0.0, 0.1, 0.2])}
    prediction = Prediction(
        patient_id="p-1",
        site="",
        index_time=MADE_AT,
        days=days,
        cumulative_incidence={cause: scale * curve for cause, curve in curves.items()},
        low={cause: 0.5 * scale * curve for cause, curve in curves.items()},
        high={cause: 1.5 * scale * curve for cause, curve in curves.items()},
        level=0.9,
        log_hazard_standard_error=dict.fromkeys(CAUSES, 0.1),
        horizons_days=(365.0, 730.0),
        modalities_used=("clinical", "imaging"),
        modalities_missing={"text": "not in the record"},
        cautions=("film is rotated",),
        abstained_because=abstained_because,
        model_id="model-1",
    )
    return Answer("What happens?", "p-1", prediction, tuple(explanation(cause) for cause in CAUSES))


def evidence(folder: Path, kind: str, *, outlined: bool = False) -> ImageEvidence:
    """Of a film ("DX"), of one without pixel spacing, or of an oblique CT or MR series."""
    flat = kind.startswith("DX")
    segmentation, sources = (
        film(folder, spacing_known="without" not in kind) if flat else series(folder, kind)
    )
    shape = segmentation.labels.shape
    along = [np.arange(side) * count // side for side, count in zip(shape, (1, 3, 2), strict=True)]
    places = np.ravel_multi_index(np.ix_(*along), (1, 3, 2)).astype(np.uint16)
    found = np.random.default_rng(0).normal(size=(2, *shape))
    volume = Volume(
        np.zeros(shape, np.float32),
        segmentation.affine,
        segmentation.source,
        spacing_known=segmentation.spacing_known,
    )
    if flat:
        found, places = found[:, 0], places[0]
    return ImageEvidence(volume, found, CAUSES, places, ZONES, outlined, tuple(sources))
