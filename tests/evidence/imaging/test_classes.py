"""Several classes from films: one softmax, each class with evidence of its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

import prognosis
from prognosis.cli.sources import read_records
from prognosis.cli.train import run_train
from prognosis.record import Quarantine

NAMES = ("normal", "opacity", "cavity")
TASK = {
    "name": "lesions",
    "question": "Is there an opacity or a cavity?",
    "index": {"at": "study", "occurrence": "each"},
    "outcome": {
        "kind": "value",
        "code": "prognosis|class-label",
        "classes": {str(place): name for place, name in enumerate(NAMES)},
    },
    "model": {
        "modalities": ["imaging"],
        "folds": 2,
        "imaging": {"size": 28, "contrast_scales": [2.0], "channels": [8], "strides": [2], "epochs": 1},
        "fusion": {"bootstrap": 10},
    },
}


def films(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """(n, 28, 28) noise with no disc, or a bright or a dark one low on the patient's right; and the class."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    y, x = np.mgrid[:28, :28]
    pixels = 110.0 + 10.0 * random.standard_normal((count, 28, 28))
    grey = np.array([0.0, 60.0, -60.0])[labels]
    pixels += grey[:, None, None] * (np.hypot(y - 23.0, x - 7.0) < 3.5)
    return np.clip(pixels, 0, 255).astype(np.uint8), labels[:, None]


def test_three_classes_are_trained_judged_predicted_and_explained_from_films(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arrays = {}
    for part, count, seed in (("train", 90, 0), ("val", 45, 1)):
        arrays[f"{part}_images"], arrays[f"{part}_labels"] = films(count, seed)
    np.savez(tmp_path / "films.npz", **arrays)
    (tmp_path / "task.yaml").write_text(yaml.safe_dump(TASK, sort_keys=False))
    source = f"pneumoniamnist:{tmp_path / 'films.npz'}"
    run_train(tmp_path / "task.yaml", [source], tmp_path / "model", None, [], json_output=True)
    metrics = json.loads(capsys.readouterr().out)["validation"]["metrics"]
    assert metrics["accuracy"]["value"] > 0.8
    model = prognosis.load(tmp_path / "model")
    records = {one.patient_id: one for one in read_records([source], None, Quarantine())}
    for name, record in (("opacity", records["val-00001"]), ("cavity", records["val-00002"])):
        at = record.studies[0].time
        risks = {risk.cause: risk.probability for risk in prognosis.predict(model, record, at=at).risks()}
        assert sum(risks.values()) <= 1.0
        assert max(risks, key=lambda cause: risks[cause]) == name
        explanation = prognosis.explain(model, record, at, cause=name)
        assert explanation.max_additivity_error < 1e-5
        top = max(explanation.attributions, key=lambda each: each.contribution)
        assert top.name == "right lower zone"
