"""Segmentation models trained on all images but some, and the images they are then judged on.

No patient, and no patients one of whose films looks like another's, are on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Cohort, patient_folds
from prognosis.errors import CohortError
from prognosis.evidence.segmentation.config import SegmentationConfig
from prognosis.evidence.segmentation.model import SegmentationModel, train_segmentation

Progress = Callable[[str, int, int], None]
MINIMUM_SITES = 2


def cross_validated_masks(
    cohort: Cohort,
    groups: NDArray[np.str_],
    config: SegmentationConfig,
    folds: int,
    seed: int,
    on_progress: Progress | None = None,
) -> Iterator[tuple[SegmentationModel, Cohort]]:
    """A model trained on all but one fold of patients, in turn, with the fold that it has not seen.

    Args:
        cohort: Cases with masks.
        groups: (n,) from `look_alike_patients`.
        config: Settings.
        folds: How many.
        seed: Of the folds and the training.
        on_progress: Told (what, done, total).
    """
    site = np.unique([case.record.site for case in cohort.cases], return_inverse=True)[1]
    fold = patient_folds(groups, site.astype(np.int64), folds, seed)
    for number in range(folds):
        what = f"fold {number + 1} of {folds}"
        yield _trained_without(cohort, fold == number, groups, config, seed, on_progress, what)


def left_out_site_masks(
    cohort: Cohort,
    groups: NDArray[np.str_],
    config: SegmentationConfig,
    seed: int,
    on_progress: Progress | None = None,
) -> Iterator[tuple[SegmentationModel, Cohort]]:
    """A model trained on all sites but one, in turn, with the site's cases; arguments as above.

    Raises:
        CohortError: The cohort has one site.
    """
    site = np.array([case.record.site for case in cohort.cases])
    names = [str(name) for name in np.unique(site)]
    if len(names) < MINIMUM_SITES:
        raise CohortError(
            f"cohort of task {cohort.task.name}", "has one site", "give a --source for each site"
        )
    for name in names:
        yield _trained_without(cohort, site == name, groups, config, seed, on_progress, f"without {name}")


def _trained_without(
    cohort: Cohort,
    held_out: NDArray[np.bool_],
    groups: NDArray[np.str_],
    config: SegmentationConfig,
    seed: int,
    on_progress: Progress | None,
    what: str,
) -> tuple[SegmentationModel, Cohort]:
    def report(step: str, done: int, total: int) -> None:
        if on_progress is not None:
            on_progress(f"{what}: {step}", done, total)

    training = ~np.isin(groups, groups[held_out])
    model = train_segmentation(cohort.take(np.flatnonzero(training)), config, seed, report)
    return model, cohort.take(np.flatnonzero(held_out))
