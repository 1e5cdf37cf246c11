"""`prognosis train` and `prognosis evaluate` for tasks whose outcome is a mask."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from prognosis.cli.cards import segmentation_card
from prognosis.cli.console import Bars, print_json, stderr, stdout
from prognosis.cli.loading import Loaded, cohort_json, load_cohort
from prognosis.cohort import Cohort
from prognosis.cohort.lint.images import look_alike_patients
from prognosis.errors import CohortError
from prognosis.evaluation.mask_folds import cross_validated_masks, left_out_site_masks
from prognosis.evaluation.results import EvaluationResult
from prognosis.evaluation.segmentation import ImageAgreement, evaluate_masks, judge_masks
from prognosis.evidence.segmentation.model import SegmentationModel, train_segmentation
from prognosis.evidence.segmentation.storage import load_segmentation, save_segmentation
from prognosis.fusion import ModelConfig
from prognosis.outputs.model_card import model_card

WORST_SHOWN = 5

How = Literal["cv", "by site", "unseen"]


def train_masks(loaded: Loaded, config: ModelConfig, out: Path, *, json_output: bool) -> None:
    """Train a segmentation model on every marked image and write the model folder."""
    started = time.monotonic()
    with Bars() as bars:
        model = train_segmentation(loaded.cohort, config.segmentation, config.seed, bars)
    counts = cohort_json(loaded)
    counts["quarantined"] = len(counts["quarantined"])
    metrics = {
        "fit_seconds": round(time.monotonic() - started, 1),
        "images": model.images,
        "cohort": counts,
    }
    card = segmentation_card(
        model, loaded.cohort, loaded.quarantine, shlex.join(["prognosis", *sys.argv[1:]])
    )
    model = save_segmentation(model, out, model_card(card), metrics)
    stderr.print(f"wrote {out} ({model.model_id}) in {metrics['fit_seconds']} s", markup=False)
    if json_output:
        print_json({"model": str(out), "model_id": model.model_id, **metrics})


def evaluate_masks_of(
    folder: Path,
    sources: Sequence[str],
    how: How,
    folds: int,
    replicates: int,
    seed: int,
    *,
    json_output: bool,
) -> None:
    """Judge a segmentation model, by models of its settings on folds or sites, or on unseen patients."""
    model = load_segmentation(folder)
    cohort = load_cohort(sources, model.task).cohort
    images: list[ImageAgreement] = []
    with Bars() as bars:
        alike = look_alike_patients(cohort, bars)
        groups = dict(zip(cohort.patients.tolist(), alike.tolist(), strict=True))
        judged: Iterable[tuple[SegmentationModel, Cohort]] = ()
        if how == "cv":
            judged = cross_validated_masks(cohort, alike, model.config, folds, seed, bars)
        elif how == "by site":
            judged = left_out_site_masks(cohort, alike, model.config, seed, bars)
        else:
            judged = [(model, unseen_masks(cohort, model, groups))]
        for fold, held_out in judged:
            found = judge_masks(fold, held_out)
            mean = np.mean([image.dice.mean() for image in found])
            stderr.print(f"{len(found)} images held out: mean Dice {mean:.4f}", highlight=False)
            images += found
    clusters = np.array([groups[image.case.patient] for image in images])
    result = evaluate_masks(model.task, images, clusters, seed, replicates)
    result = replace(result, exclusions=dict(cohort.exclusions))
    if json_output:
        stated = result.to_json() | {"images": [_image_json(image, model) for image in images]}
        print_json({"model_id": model.model_id, "cross_validated": how == "cv", "how": how, **stated})
    else:
        _print_result(result, images, clusters, how)


def unseen_masks(cohort: Cohort, model: SegmentationModel, groups: dict[str, str]) -> Cohort:
    """The cases whose patients, and patients whose films look like theirs, did not train the model.

    Raises:
        CohortError: Every patient trained the model.
    """
    seen = {groups[case.patient] for case in cohort.cases if model.was_trained_on(case)}
    new = cohort.where(lambda case: groups[case.patient] not in seen)
    if not new.cases:
        raise CohortError(
            f"evaluation of {model.model_id}",
            f"all {len(cohort)} cases are of patients that trained the model",
            "evaluate on other patients, or retrain on folds with --cv",
        )
    if len(new) < len(cohort):
        stderr.print(
            f"judged on {len(new)} of {len(cohort)} cases: the others are not held out from this model"
        )
    return new


def _image_json(image: ImageAgreement, model: SegmentationModel) -> dict[str, Any]:
    return {
        "image": image.source,
        "site": image.case.record.site,
        "view": image.view,
        "dice": dict(zip(model.structures, image.dice.tolist(), strict=True)),
        "dice_together": image.together,
        f"hausdorff95_{image.unit}": dict(zip(model.structures, image.distance.tolist(), strict=True)),
    }


def _print_result(
    result: EvaluationResult, images: Sequence[ImageAgreement], clusters: NDArray[np.str_], how: str
) -> None:
    patients = len(np.unique(clusters))
    table = Table(title=f"{result.task} ({how}): {result.n} images of {patients} patients told apart")
    for name in ("metric", "mean over images (95% interval)"):
        table.add_column(name)
    for name, found in result.result.metrics.items():
        table.add_row(name, f"{found.value:.4f} ({found.low:.4f}, {found.high:.4f})")
    for group in result.subgroups:
        found_dice = group.result.metrics["dice"] if group.result else None
        shown = (
            f"{found_dice.value:.4f} ({found_dice.low:.4f}, {found_dice.high:.4f})"
            if found_dice
            else "too few"
        )
        table.add_row(f"dice, {group.name} {group.level} (n = {group.n})", shown)
    stdout.print(table)
    for image in sorted(images, key=lambda image: float(image.dice.mean()))[:WORST_SHOWN]:
        stderr.print(f"lowest: {image.source.partition('#')[0]} {image.dice.mean():.3f}", highlight=False)
