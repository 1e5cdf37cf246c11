"""`prognosis train` and `evaluate` for a task that asks where structures are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tests.cli.program import Program
from tests.connectors.datasets.cohorts import hannover
from tests.evidence.segmentation.lungs import marked_film

TASK = Path(__file__).parents[2] / "configs" / "tasks" / "cxr_lungs.yaml"
QUICK = (
    "--set",
    "segmentation={size: 16, channels: [4, 8], residual_units: 0, epochs: 1, threads: 1}",
)


def marked_cohort(folder: Path, patients: range) -> Path:
    """Films and lung masks as the Hannover repository's reader takes them."""
    hannover(folder, [{"patient_id": f"p{n}", "image_id": f"i{n}", "lung_mask": "True"} for n in patients])
    (folder / "lung_masks").mkdir()
    for number in patients:
        volume, marked = marked_film(number)
        Image.fromarray(volume.voxels[0].clip(0, 255).astype(np.uint8)).save(
            folder / "images" / f"i{number}.png"
        )
        mask = (marked.labels[0] > 0).astype(np.uint8) * 255
        Image.fromarray(mask).save(folder / "lung_masks" / f"i{number}.png")
    return folder


def test_a_model_is_judged_on_folds_and_on_patients_it_has_not_seen(
    prognosis: Program, tmp_path: Path
) -> None:
    cohort = marked_cohort(tmp_path / "cohort", range(6))
    source, model = f"hannover-cxr:{cohort}", tmp_path / "model"
    trained = prognosis("train", TASK, "--source", source, "--out", model, *QUICK, "--json")
    assert trained.status == 0, trained.err
    assert trained.stated["images"] == 6
    assert "outline of the right lung" in (model / "README.md").read_text(encoding="utf-8")

    judged = ("--replicates", 20, "--json")
    folds = prognosis("evaluate", model, "--source", source, "--cv", "--folds", 2, *judged)
    assert folds.status == 0, folds.err
    assert folds.stated["n"] == folds.stated["patients"] == len(folds.stated["images"]) == 6
    dice = folds.stated["metrics"]["dice"]
    assert 0.0 <= dice["low"] <= dice["value"] <= dice["high"] <= 1.0
    assert "hausdorff95_px:left lung" in folds.stated["metrics"]

    seen = prognosis("evaluate", model, "--source", source, *judged)
    assert seen.status == 2
    assert "all 6 cases are of patients that trained the model" in seen.prose
    other = marked_cohort(tmp_path / "other", range(4, 9))
    unseen = prognosis("evaluate", model, "--source", f"hannover-cxr:{other}", *judged)
    assert unseen.status == 0, unseen.err
    assert unseen.stated["n"] == 3
    assert "judged on 3 of 5 cases" in unseen.prose


def test_a_report_of_a_segmentation_model_is_refused(prognosis: Program, tmp_path: Path) -> None:
    cohort = marked_cohort(tmp_path / "cohort", range(2))
    source, model = f"hannover-cxr:{cohort}", tmp_path / "model"
    assert prognosis("train", TASK, "--source", source, "--out", model, *QUICK).status == 0
    refused = prognosis("evaluate", model, "--source", source, "--report", tmp_path / "report")
    assert refused.status == 2
    assert "drawn for prognoses only" in refused.prose
