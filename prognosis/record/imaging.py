"""Imaging studies as references, and the volumes that they open to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import StudyError


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a study: DICOM modality (CR, DX, CT, MR), view position (AP, PA, LL) and body part."""

    series_uid: str
    modality: str = ""
    view: str = ""
    body_part: str = ""


@dataclass(frozen=True, slots=True)
class Volume:
    """Voxels with their place in the patient.

    Attributes:
        voxels: Intensities, shape (z, y, x); a radiograph has z = 1; higher is brighter
            (MONOCHROME2 sense, inverted on loading where the file says MONOCHROME1).
        affine: 4x4, voxel index (x, y, z) to patient millimetres.
        source: "ImagingStudy/<uid>#<series uid>".
        modality: DICOM modality.
        view: DICOM view position, "" where it has none.
        spacing_known: False when the file gave no pixel spacing and 1 mm was assumed.
        window: (centre, width) that the file states for viewing, in units of the voxels; else None.
        stack: What tells it from other volumes of its series ("EchoTime 4.6", "localizer"); "" where alone.
    """

    voxels: NDArray[np.float32]
    affine: NDArray[np.float64]
    source: str
    modality: str = ""
    view: str = ""
    spacing_known: bool = True
    window: tuple[float, float] | None = None
    stack: str = ""


UNMARKED = 255
"""The label where nobody marked a segmentation: neither a structure nor known to be none."""


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Which structure each voxel of one series belongs to.

    Attributes:
        labels: Shape (z, y, x), the grid of the series' volume: 0 is none of the structures, i is
            structures[i - 1], `UNMARKED` is not known.
        structures: Names, the patient's sides in them ("right lung"); at most 254.
        affine: 4x4, voxel index (x, y, z) to patient millimetres.
        source: Of the volume that it belongs to: "ImagingStudy/<uid>#<series uid>".
        spacing_known: False when the series gave no pixel spacing and 1 mm was assumed.
    """

    labels: NDArray[np.uint8]
    structures: tuple[str, ...]
    affine: NDArray[np.float64]
    source: str
    spacing_known: bool = True

    def mask(self, structure: str) -> NDArray[np.bool_]:
        """(z, y, x) True where the structure is."""
        return np.asarray(self.labels == 1 + self.structures.index(structure))


class ImageStore(Protocol):
    """Opens the series of a study: a folder, a PACS, a package's arrays."""

    def volumes(self, study: ImagingStudy) -> tuple[Volume, ...]:
        """The study's volumes, one a series.

        Raises:
            StudyError: The study is absent or its pixels cannot be used.
        """
        ...


@runtime_checkable
class StoredStudies(Protocol):
    """An `ImageStore` that can say which stored bytes a study's pixels are read from."""

    def contents(self, study: ImagingStudy) -> tuple[Path | NDArray[Any], ...]:
        """The study's files or, where it is held in memory, its arrays; always in the same order.

        Raises:
            StudyError: The study is absent.
        """
        ...


@runtime_checkable
class SegmentationStore(Protocol):
    """An `ImageStore` that also holds what somebody marked on its images."""

    def segmentations(self, study: ImagingStudy) -> tuple[Segmentation, ...]:
        """The study's segmentations, () where nobody marked it.

        Raises:
            StudyError: A segmentation is there and cannot be used.
        """
        ...


@dataclass(frozen=True, slots=True)
class ImagingStudy:
    """A study as a reference, never pixels.

    Attributes:
        time: When it was acquired (aware).
        study_uid: Study instance UID.
        series: Its series, as far as they are stated.
        source: How it is cited, "ImagingStudy/..".
        store: Opens it; None where no source holds its pixels.
        archives: Addresses of DICOMweb archives that the record says hold it. Whoever wrote the record wrote
            them: nothing may be sent to one that the user did not allow.
        accession: Its accession number, "" where none is stated.
    """

    time: datetime
    study_uid: str
    series: tuple[Series, ...] = ()
    source: str = ""
    store: ImageStore | None = field(default=None, compare=False, repr=False)
    archives: tuple[str, ...] = field(default=(), compare=False, repr=False)
    accession: str = field(default="", compare=False, repr=False)

    def volumes(self) -> tuple[Volume, ...]:
        """Open the study's pixels, one volume a series.

        Raises:
            StudyError: No store holds the study, or its pixels cannot be used.
        """
        if self.store is None:
            raise StudyError(
                f"ImagingStudy {self.study_uid}",
                "no source given holds its pixels",
                "add the source that does, e.g. --source dicom-folder:DIR",
            )
        return self.store.volumes(self)

    def contents(self) -> tuple[Path | NDArray[Any], ...]:
        """The files or arrays that the study's pixels are read from; () where its store does not say.

        Raises:
            StudyError: The store does not hold the study.
        """
        return self.store.contents(self) if isinstance(self.store, StoredStudies) else ()

    def segmentations(self) -> tuple[Segmentation, ...]:
        """What somebody marked on the study's images: a label to learn and to judge by, never evidence.

        When it was marked is not known, so it may say more than was known at the study.

        Returns:
            The segmentations; () where nobody marked the study or its store holds none.

        Raises:
            StudyError: A segmentation is there and cannot be used.
        """
        return self.store.segmentations(self) if isinstance(self.store, SegmentationStore) else ()
