"""From the instances of one series to volumes: pixels go from each file straight to their slices' places."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from connectors.dicom.fields import Fields, whole
from connectors.dicom.frame import Frame, frame_of
from connectors.dicom.guard import PIXEL_BUDGET
from connectors.dicom.header import Header
from connectors.dicom.plain import EXPLICIT, IMPLICIT, Plain, read_plain
from connectors.dicom.reader import shared_reader
from connectors.dicom.stacks import Stack, stacks
from prognosis.errors import StudyError
from prognosis.record import Volume

ELSEWHERE = frozenset(
    {
        "ModalityLUTSequence",
        "SharedFunctionalGroupsSequence",
        "PerFrameFunctionalGroupsSequence",
        "SequenceOfUltrasoundRegions",
    }
)
"""Sequences whose content matters, and which only pydicom reads."""


class Instance(Protocol):
    """An instance whose frames are known and whose pixels can be read."""

    @property
    def frames(self) -> Sequence[Frame]:
        """Its frames, in its order."""
        ...

    def read(self, out: Sequence[NDArray[np.float32]]) -> None:
        """Write the values of each frame into its place in `out`, contiguous (rows, columns)."""
        ...


@dataclass(frozen=True, slots=True)
class PlainInstance:
    """One uncompressed frame, whose bytes are read straight from the file."""

    frames: tuple[Frame]
    path: Path
    offset: int
    kind: np.dtype[np.integer]
    unused_bits: int
    reference: str

    def read(self, out: Sequence[NDArray[np.float32]]) -> None:
        """Write the frame's values.

        Raises:
            StudyError: The file ends before its pixels do.
        """
        stored = np.empty(self.frames[0].shape, dtype=self.kind)
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(self.offset)
                got = file.readinto(stored.data.cast("B"))
        except OSError as error:
            raise StudyError(self.reference, "cannot be read", "check the folder and its rights") from error
        if got != stored.nbytes:
            raise StudyError(self.reference, "is cut off in its pixels", "export it from the archive again")
        if self.unused_bits:
            np.left_shift(stored, self.unused_bits, out=stored)
            np.right_shift(stored, self.unused_bits, out=stored)
        self.frames[0].scale.values(stored, out[0])


@dataclass(frozen=True, slots=True)
class ParsedInstance:
    """Any other instance: its frames are decoded in the reader process."""

    frames: tuple[Frame, ...]
    path: Path
    reference: str

    def read(self, out: Sequence[NDArray[np.float32]]) -> None:
        """Write the frames' values.

        Raises:
            StudyError: They cannot be decoded.
        """
        shared_reader().pixels(self.path, out, self.reference)


def series_volumes(headers: Sequence[Header], study_uid: str) -> tuple[Volume, ...]:
    """The volumes of one series: one for each stack of slices, one for each film.

    Raises:
        StudyError: An instance cannot be decoded, or slices are repeated, lacking or do not fit together.
    """
    reference = f"ImagingStudy/{study_uid}#{headers[0].series_uid}"
    claimed = sum(header.pixels for header in headers)
    if claimed > PIXEL_BUDGET:
        raise StudyError(
            reference, f"claims {claimed} pixels", f"give series of at most {PIXEL_BUDGET} pixels"
        )
    instances = [open_instance(header.path, place, reference) for place, header in enumerate(headers)]
    made = stacks([frame for instance in instances for frame in instance.frames], reference)
    voxels = [np.empty((len(stack.frames), *stack.frames[0].shape), dtype=np.float32) for stack in made]
    places: dict[int, dict[int, NDArray[np.float32]]] = defaultdict(dict)
    for stack, array in zip(made, voxels, strict=True):
        for frame, place in zip(stack.frames, array, strict=True):
            places[frame.instance][frame.number] = place
    for number, instance in enumerate(instances):
        instance.read([places[number][frame.number] for frame in instance.frames])
    return tuple(
        _volume(stack, array, headers[stack.frames[0].instance], reference)
        for stack, array in zip(made, voxels, strict=True)
    )


def open_instance(path: Path, place: int, reference: str) -> Instance:
    """An instance and its frames, pixels not yet read.

    Args:
        path: The file.
        place: Of the instance in its series.
        reference: What messages call it.

    Raises:
        StudyError: The file is damaged, or states something that cannot be.
    """
    plain = read_plain(path)
    if plain is not None:
        found = _plain_instance(plain, path, place, reference)
        if found is not None:
            return found
    fields, groups = shared_reader().frame_fields(path, reference)
    if not {"Rows", "Columns"} <= fields.keys():
        raise StudyError(reference, "has no rows and columns", "export the image with its pixels")
    frames = tuple(
        frame_of({**fields, **group}, place, number, len(groups), reference)
        for number, group in enumerate(groups, 1)
    )
    return ParsedInstance(frames, path, reference)


def _plain_instance(plain: Plain, path: Path, place: int, reference: str) -> PlainInstance | None:
    """None when its pixels are not plain: one frame of grey values, uncompressed, as long as it must be."""
    fields = plain.fields
    if plain.offset is None or plain.syntax not in {IMPLICIT, EXPLICIT} or ELSEWHERE & fields.keys():
        return None
    kind = _kind(fields, reference)
    if kind is None:
        return None
    frame = frame_of(fields, place, 1, 1, reference)
    size = frame.shape[0] * frame.shape[1] * kind.itemsize
    if not 0 < size <= PIXEL_BUDGET or plain.length != size + size % 2:
        return None
    unused = kind.itemsize * 8 - whole(fields, "BitsStored", 0, reference)
    return PlainInstance((frame,), path, plain.offset, kind, unused, reference)


def _kind(fields: Fields, reference: str) -> np.dtype[np.integer] | None:
    names = ("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel")
    allocated, stored, high, signed, samples = (whole(fields, name, -1, reference) for name in names)
    grey = fields.get("PhotometricInterpretation") in {"MONOCHROME1", "MONOCHROME2"}
    one = whole(fields, "NumberOfFrames", 1, reference) == 1 == samples
    if not (grey and one and allocated in {8, 16} and 0 < stored <= allocated and high == stored - 1):
        return None
    if signed not in {0, 1}:
        return None
    return np.dtype(f"<{'iu'[1 - signed]}{allocated // 8}")


def _volume(stack: Stack, voxels: NDArray[np.float32], header: Header, reference: str) -> Volume:
    return Volume(
        voxels=voxels,
        affine=stack.affine,
        source=reference,
        modality=header.modality,
        view=header.view,
        spacing_known=stack.frames[0].spacing is not None,
        window=stack.frames[0].window,
        stack=stack.name,
    )
