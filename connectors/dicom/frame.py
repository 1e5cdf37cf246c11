"""One frame of an instance without its pixels: where it lies, and what tells it from others at its place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectors.dicom.fields import Fields, number, numbers, whole
from connectors.dicom.scale import Scale, scale_of
from prognosis.errors import StudyError

DIRECTION_TOLERANCE = 1e-3

MARKS = (
    "StackID",
    "EchoTime",
    "EchoNumbers",
    "InversionTime",
    "FlipAngle",
    "DiffusionBValue",
    "DiffusionGradientOrientation",
    "TemporalPositionIdentifier",
    "TriggerTime",
    "ImageType",
    "ConvolutionKernel",
    "AcquisitionNumber",
)
"""What several stacks of one series differ in, the most telling first."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a plane lies in the patient.

    Attributes:
        position: (3,) of the first voxel's centre in patient millimetres.
        directions: (2, 3) of growing column and growing row.
    """

    position: NDArray[np.float64]
    directions: NDArray[np.float64]

    @property
    def normal(self) -> NDArray[np.float64]:
        """(3,) across the plane, of length 1."""
        return np.cross(self.directions[0], self.directions[1])


@dataclass(frozen=True, slots=True)
class Frame:
    """Where one frame lies.

    Attributes:
        instance: Place of its instance in the series' list.
        number: Of the frame in its instance, from 1.
        count: How many frames its instance has.
        shape: (rows, columns).
        place: In the patient; None for a projection.
        spacing: (between columns, between rows) in mm; None when the file gives none.
        slice_spacing: Between slices in mm; None when the file gives none.
        scale: From its stored pixels to values.
        window: (centre, width) that the file states.
        marks: Its values of `MARKS`, in their order.
        localizer: Whether the file calls it a localizer (ImageType, value 3).
    """

    instance: int
    number: int
    count: int
    shape: tuple[int, int]
    place: Place | None
    spacing: tuple[float, float] | None
    slice_spacing: float | None
    scale: Scale
    window: tuple[float, float] | None
    marks: tuple[str, ...]
    localizer: bool


def frame_of(fields: Fields, instance: int, ordinal: int, count: int, reference: str) -> Frame:
    """The frame that an instance's fields, with those of its functional groups, describe.

    Raises:
        StudyError: A number is not usable, or the two directions are no right angle of unit vectors.
    """
    between = number(fields, "SpacingBetweenSlices", reference) or number(fields, "SliceThickness", reference)
    scale = scale_of(fields, reference)
    parts = fields.get("ImageType", "").split("\\")
    return Frame(
        instance=instance,
        number=ordinal,
        count=count,
        shape=(whole(fields, "Rows", 0, reference), whole(fields, "Columns", 0, reference)),
        place=_place(fields, reference),
        spacing=_spacing(fields, reference),
        slice_spacing=abs(between) if between else None,
        scale=scale,
        window=scale.window(fields, reference),
        marks=tuple(fields.get(mark, "") for mark in MARKS),
        localizer=len(parts) > 2 and parts[2].strip().upper() == "LOCALIZER",
    )


def _place(fields: Fields, reference: str) -> Place | None:
    position = numbers(fields, "ImagePositionPatient", 3, reference)
    orientation = numbers(fields, "ImageOrientationPatient", 6, reference)
    if position is None or orientation is None:
        _check_hung(fields, reference)
        return None
    directions = np.array(orientation).reshape(2, 3)
    if np.abs(directions @ directions.T - np.eye(2)).max() > DIRECTION_TOLERANCE:
        raise StudyError(
            reference, "states directions that are no right angle of unit length", "correct its orientation"
        )
    return Place(np.array(position), directions)


def _check_hung(fields: Fields, reference: str) -> None:
    """Refuse a frontal projection that states that it is not stored as films are hung (PS3.3 C.7.6.1.1.1).

    Zones are named by the side of the image that they lie on: on a mirrored film right would be left.
    """
    stated = [part.strip()[:1] for part in fields.get("PatientOrientation", "").split("\\")]
    if len(stated) == 2 and "".join(sorted(stated)) in _FRONTAL and stated != ["L", "F"]:
        problem = f"states that its rows run to {stated[0]} and its columns to {stated[1]} of the patient"
        raise StudyError(reference, problem, "export it as films are hung, rows to L and columns to F")


_FRONTAL = frozenset({"FL", "FR", "HL", "HR"})


def _spacing(fields: Fields, reference: str) -> tuple[float, float] | None:
    """At the patient where stated, else at the detector or the scanned film; the file gives rows first."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        stated = numbers(fields, keyword, 2, reference)
        if stated is not None and min(stated) > 0:
            return stated[1], stated[0]
    return None
