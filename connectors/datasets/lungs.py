"""Lungs marked on frontal films: one published mask of both, told apart by their parts and their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from connectors.datasets.films import FilmFolder, read_png
from prognosis.errors import StudyError
from prognosis.record import ImagingStudy, Segmentation
from prognosis.record.imaging import UNMARKED

STRUCTURES = ("right lung", "left lung")
RIGHT, LEFT = 1, 2

_LEAST_SHARE = 0.1  # of the larger part: a smaller one is a piece of a lung, not a lung


@dataclass(frozen=True, slots=True)
class LungMask:
    """A PNG of a film's size, not 0 where lung is.

    Attributes:
        path: The file.
        inside_square: Only the largest centred square of the film was looked at.
    """

    path: Path
    inside_square: bool = False


class MarkedFilmFolder(FilmFolder):
    """Opens the PNG film of a study and, where there is one, the mask of its lungs.

    Args:
        files: Where each study's film is, by study UID.
        masks: The studies whose lungs were marked, by study UID.
    """

    def __init__(self, files: Mapping[str, Path], masks: Mapping[str, LungMask]) -> None:
        super().__init__(files)
        self._masks = dict(masks)

    def segmentations(self, study: ImagingStudy) -> tuple[Segmentation, ...]:
        """The right and left lung on the study's one film; () where they were not marked.

        Raises:
            StudyError: The film or its mask cannot be read, or the two differ in size.
        """
        mask = self._masks.get(study.study_uid)
        if mask is None:
            return ()
        (film,) = self.volumes(study)
        marked = read_png(mask.path, f"lung mask of ImagingStudy {study.study_uid}") > 0
        if marked.shape != film.voxels.shape[1:]:
            raise StudyError(
                f"lung mask of ImagingStudy {study.study_uid}",
                f"has {marked.shape} pixels and its film {film.voxels.shape[1:]}",
                "restore lung_masks/ from its publisher",
            )
        labels = lung_sides(marked)
        if mask.inside_square:
            labels = np.where(centred_square(*labels.shape), labels, np.uint8(UNMARKED))
        return (Segmentation(labels[None], STRUCTURES, film.affine, film.source, film.spacing_known),)


def centred_square(rows: int, columns: int) -> NDArray[np.bool_]:
    """(rows, columns) True in the largest centred square."""
    side = min(rows, columns)
    inside = np.zeros((rows, columns), dtype=bool)
    top, left = (rows - side) // 2, (columns - side) // 2
    inside[top : top + side, left : left + side] = True
    return inside


def lung_sides(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Which lung each pixel of a frontal film belongs to.

    The patient's right lung is on the image's left, as films are hung. Two lungs that touch are parted where
    they part when worn down from their edges. A single part that does not fall into two is one lung, whose
    side is that of the film's half in which its centre lies.

    Args:
        mask: (rows, columns) True in either lung.

    Returns:
        (rows, columns) 0 outside, 1 in the right and 2 in the left lung.
    """
    from scipy import ndimage

    seeds = _two_seeds(mask)
    if seeds is None:
        columns = np.nonzero(mask)[1]
        side = RIGHT if len(columns) and columns.mean() < (mask.shape[1] - 1) / 2 else LEFT
        return np.where(mask, side, 0).astype(np.uint8)
    if np.array_equal(seeds > 0, mask):
        return seeds
    nearest = ndimage.distance_transform_edt(seeds == 0, return_distances=False, return_indices=True)
    return np.where(mask, seeds[tuple(nearest)], 0).astype(np.uint8)


def _two_seeds(mask: NDArray[np.bool_]) -> NDArray[np.uint8] | None:
    """The two lungs without what may join them, as labels; None where there are not two."""
    from scipy import ndimage

    depth = ndimage.distance_transform_cdt(mask, "chessboard")
    for worn in range(int(depth.max(initial=0))):
        parts, count = ndimage.label(depth > worn)
        sizes = np.bincount(parts.ravel())[1:]
        if count < 2:
            continue
        first, second = np.argsort(-sizes, kind="stable")[:2]
        if sizes[second] < _LEAST_SHARE * sizes[first]:
            continue
        (y1, x1), (y2, x2) = (np.argwhere(parts == 1 + part).mean(axis=0) for part in (first, second))
        if abs(x1 - x2) <= abs(y1 - y2):  # one above the other: two pieces of one lung
            continue
        right, left = (first, second) if x1 < x2 else (second, first)
        return np.select([parts == right + 1, parts == left + 1], [RIGHT, LEFT], 0).astype(np.uint8)
    return None
