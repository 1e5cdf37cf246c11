"""The images of a cohort that somebody marked, opened one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prognosis.cohort import Case, MaskLabel
from prognosis.errors import StudyError
from prognosis.record import Segmentation, Volume


@dataclass(frozen=True, slots=True)
class MarkedImage:
    """An image of a case, and where the structures are on it."""

    case: Case
    volume: Volume
    marked: Segmentation


def marked_images(cases: Iterable[Case], structures: tuple[str, ...]) -> Iterator[MarkedImage]:
    """Every image of the cases' labels on which all structures are marked, case by case.

    Raises:
        StudyError: An image cannot be opened, or a segmentation belongs to none of its study's images.
    """
    for case in cases:
        label = case.label
        if not isinstance(label, MaskLabel):
            continue
        for study in (each for each in case.record.studies if each.study_uid in label.studies):
            volumes = {volume.source: volume for volume in study.volumes()}
            for marked in study.segmentations():
                if not set(structures) <= set(marked.structures):
                    continue
                if marked.source not in volumes:
                    remedy = "give each segmentation the source of the volume that it marks"
                    raise StudyError(f"ImagingStudy {study.study_uid}", "has marks on no image of it", remedy)
                yield MarkedImage(case, volumes[marked.source], marked)
