"""Judging a segmentation model: overlap and distance of outlines on images of patients it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case, Cohort, Task
from prognosis.errors import CohortError
from prognosis.evaluation.mask_metrics import dice, hausdorff_95
from prognosis.evaluation.results import EvaluationResult, MetricSet, Protocol, Subgroup
from prognosis.evidence.segmentation.marked import MarkedImage, marked_images
from prognosis.evidence.segmentation.model import SegmentationModel
from prognosis.record import Segmentation
from prognosis.record.imaging import UNMARKED
from prognosis.survival.bootstrap import clustered_bootstrap
from prognosis.survival.curves import Floats
from prognosis.survival.statistic import Statistic

LEAST_IMAGES = 10
DICE, TOGETHER = "dice", "dice_together"


@dataclass(frozen=True, slots=True)
class ImageAgreement:
    """How a model's outlines agree with the marks on one image.

    Attributes:
        case: Whose image it is.
        source: Of the image.
        view: DICOM view position.
        unit: Of the distances: "mm", or "px" where the image has no known spacing.
        dice: (structures,) overlap of each.
        together: Overlap of all structures taken as one.
        distance: (structures,) 95th percentile Hausdorff distance of each, in `unit`.
    """

    case: Case
    source: str
    view: str
    unit: str
    dice: Floats
    together: float
    distance: Floats


def judge_masks(model: SegmentationModel, cohort: Cohort) -> list[ImageAgreement]:
    """The agreement on every marked image of a cohort; where an image is not marked nothing is judged.

    Raises:
        CohortError: A case's patient trained the model.
        StudyError: An image cannot be opened.
    """
    seen = sum(model.was_trained_on(case) for case in cohort.cases)
    if seen:
        raise CohortError(
            f"evaluation of {model.model_id or model.task.name}",
            f"{seen} of {len(cohort)} cases are of patients that trained the model",
            "evaluate on other patients, or retrain on folds with --cv",
        )
    return [
        _agreement(image, model.segment(image.volume))
        for image in marked_images(cohort.cases, model.structures)
    ]


def evaluate_masks(
    task: Task,
    images: Sequence[ImageAgreement],
    clusters: NDArray[np.str_],
    seed: int = 0,
    replicates: int = 1000,
) -> EvaluationResult:
    """Means over images with intervals from resampled patients, overall, by structure, by site and by view.

    "dice" is the mean over images of the mean over structures; "dice:NAME" that of one structure;
    "dice_together" that of all structures taken as one. "hausdorff95_mm" or "hausdorff95_px" likewise.

    Args:
        task: The question.
        images: Of patients that did not train the model that outlined them.
        clusters: (n,) the patient (or the patients that look alike) of each image: the unit resampled.
        seed: Of the bootstrap.
        replicates: Bootstrap samples.
    """
    values, refused = _values(task.causes, images), {}
    if len({image.unit for image in images}) > 1:
        refused["hausdorff95"] = "some images have a known spacing and some have not"

    def metrics_of(rows: NDArray[np.intp]) -> MetricSet:
        return MetricSet(
            {
                name: clustered_bootstrap(_mean_of(each[rows]), clusters[rows], replicates, seed)
                for name, each in values.items()
            },
            refused,
        )

    groups = {
        "site": np.array([image.case.record.site for image in images]),
        "view": np.array([image.view for image in images]),
    }
    return EvaluationResult(
        task=task.name,
        n=len(images),
        patients=len({image.case.patient for image in images}),
        events=dict.fromkeys(task.causes, len(images)),
        protocol=Protocol(0.95, replicates, seed),
        result=metrics_of(np.arange(len(images))),
        subgroups=tuple(
            Subgroup(name, str(level), len(rows), len(rows), metrics_of(rows) if enough else None)
            for name, levels in groups.items()
            for level in np.unique(levels)
            for rows in [np.flatnonzero(levels == level)]
            for enough in [len(np.unique(clusters[rows])) >= LEAST_IMAGES]
        ),
    )


def _agreement(image: MarkedImage, found: Segmentation) -> ImageAgreement:
    marked, volume = image.marked, image.volume
    known = marked.labels != UNMARKED
    pairs = [(found.mask(name) & known, marked.mask(name)) for name in found.structures]
    spacing = np.linalg.norm(volume.affine[:3, :3], axis=0)[::-1].tolist()
    return ImageAgreement(
        case=image.case,
        source=volume.source,
        view=volume.view,
        unit="mm" if volume.spacing_known else "px",
        dice=np.array([dice(*pair) for pair in pairs]),
        together=dice(
            np.logical_or.reduce([own for own, _ in pairs]), np.logical_or.reduce([own for _, own in pairs])
        ),
        distance=np.array([hausdorff_95(*pair, spacing) for pair in pairs]),
    )


def _values(structures: tuple[str, ...], images: Sequence[ImageAgreement]) -> dict[str, Floats]:
    """(n,) each metric of each image, by name."""
    overlap = np.stack([image.dice for image in images])
    values = {DICE: overlap.mean(axis=1)}
    values |= {f"{DICE}:{name}": overlap[:, place] for place, name in enumerate(structures)}
    values[TOGETHER] = np.array([image.together for image in images])
    units = {image.unit for image in images}
    if len(units) == 1:
        distance, name = np.stack([image.distance for image in images]), f"hausdorff95_{units.pop()}"
        values[name] = distance.mean(axis=1)
        values |= {f"{name}:{each}": distance[:, place] for place, each in enumerate(structures)}
    return values


def _mean_of(values: Floats) -> Statistic:
    def mean(weights: Floats) -> Floats:
        return np.asarray(weights @ values / weights.sum(axis=1))

    return mean
