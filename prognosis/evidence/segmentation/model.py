"""A trained segmentation model: what it outlines, and whom it learnt from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prognosis.cohort import Case, Cohort, Task
from prognosis.errors import ScopeError
from prognosis.evidence.model_folder import patient_digest
from prognosis.evidence.segmentation.config import SegmentationConfig
from prognosis.evidence.segmentation.inference import one_pass_dice, segment_volume
from prognosis.evidence.segmentation.marked import marked_images
from prognosis.evidence.segmentation.training import Progress, read_example, train_network
from prognosis.record import Segmentation, Volume

if TYPE_CHECKING:
    from torch import nn


LEAST_ONE_PASS_DICE = 0.995
"""From which a volume is answered in one pass, and not by patches."""

_VOLUMES_COMPARED = 3


@dataclass(frozen=True, slots=True)
class SegmentationModel:
    """Outlines structures on films, or on volumes.

    Attributes:
        task: The question it answers.
        config: How it was made.
        dimensions: 2 when it reads films, 3 when it reads volumes.
        network: See `build_network`.
        images: Number of images that trained it.
        patients: sha256 of each training patient's key; the keys themselves are not kept.
        one_pass_dice: How far, on training volumes, one pass agreed with patches; None where patches are all
            that is right: films fit at once, and instance normalisation reads each patch's own statistics.
        model_id: Name and content digest; empty until saved.
    """

    task: Task
    config: SegmentationConfig
    dimensions: int
    network: nn.Module
    images: int
    patients: frozenset[str]
    one_pass_dice: float | None = None
    model_id: str = field(default="")

    @property
    def structures(self) -> tuple[str, ...]:
        """What it outlines."""
        return self.task.causes

    def segment(self, volume: Volume) -> Segmentation:
        """The structures on a volume, on its own grid.

        Raises:
            ScopeError: The model reads films and this is a volume, or the other way round.
        """
        is_film = volume.voxels.shape[0] == 1
        if is_film != (self.dimensions == 2):
            reads = "films" if self.dimensions == 2 else "volumes"
            slices = f"has {volume.voxels.shape[0]} slices, and the model reads {reads}"
            raise ScopeError(volume.source, slices, f"use a model that was trained on {reads} of this kind")
        one_pass = self.one_pass_dice is not None and self.one_pass_dice >= LEAST_ONE_PASS_DICE
        return segment_volume(self.network, volume, self.structures, self.config, one_pass=one_pass)

    def was_trained_on(self, case: Case) -> bool:
        """Whether this patient was among the training patients."""
        return patient_digest(case.patient) in self.patients


def train_segmentation(
    cohort: Cohort, config: SegmentationConfig, seed: int, on_progress: Progress | None = None
) -> SegmentationModel:
    """A model of a task whose outcome is a mask, trained on every marked image of a cohort.

    Args:
        cohort: Cases whose labels are masks.
        config: Settings.
        seed: Of every random choice.
        on_progress: Told images read and epochs done.

    Raises:
        CohortError: The cohort holds no marked image, or films as well as volumes.
        StudyError: An image cannot be opened, or its segmentation has another shape.
    """
    structures = cohort.task.causes
    examples = []
    for image in marked_images(cohort.cases, structures):
        examples.append(read_example(image.volume, image.marked, structures, config))
        if on_progress is not None:
            on_progress("reading marked images", len(examples), 0)
    network = train_network(examples, structures, config, seed, on_progress)
    agreement = None
    if examples[0].image.ndim == 3 and config.norm == "batch":
        compared = [example.image for example in examples[:_VOLUMES_COMPARED]]
        agreement = one_pass_dice(network, compared, structures, config)
    return SegmentationModel(
        task=cohort.task,
        config=config,
        dimensions=examples[0].image.ndim,
        network=network,
        images=len(examples),
        patients=frozenset(patient_digest(patient) for patient in cohort.patients),
        one_pass_dice=agreement,
    )
