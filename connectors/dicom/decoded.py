"""The pixels of any instance that pydicom and its decoders read: one frame at a time, as grey values.

Called in the reader process only (`worker`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from connectors.dicom.codestream import claimed_size
from connectors.dicom.fields import Fields, whole
from connectors.dicom.guard import (
    DEFLATED,
    FRAME_SECONDS,
    check_syntax,
    parse_seconds,
    processor_time_limited,
)
from connectors.dicom.parsed import dataset_fields, frame_fields
from connectors.dicom.scale import BLOCK_ROWS, scale_of
from prognosis.errors import StudyError

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

LUMINANCE = np.array([0.299, 0.587, 0.114])
"""Of red, green and blue (ITU-R BT.601), as PS3.3 C.7.6.3.1.2 turns them to YBR_FULL."""

PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
MONOCHROME = frozenset({"MONOCHROME1", "MONOCHROME2"})
COLOUR = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})
RLE = "1.2.840.10008.1.2.5"
JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
"""Of 12 bits, as a rule; no decoder under a free licence reads more than 8."""

LARGEST_IN_MEMORY = 128 * 2**20
"""Larger files are decoded from disk, frame by frame."""

DECODERS = {
    "1.2.840.10008.1.2.4.50": ("pillow", "pillow"),
    JPEG_EXTENDED: ("pillow", "pillow"),
    "1.2.840.10008.1.2.4.57": ("gdcm", "python-gdcm"),
    "1.2.840.10008.1.2.4.70": ("gdcm", "python-gdcm"),
    "1.2.840.10008.1.2.4.80": ("pyjpegls", "pyjpegls"),
    "1.2.840.10008.1.2.4.81": ("pyjpegls", "pyjpegls"),
    "1.2.840.10008.1.2.4.90": ("pylibjpeg", "pylibjpeg-openjpeg"),
    "1.2.840.10008.1.2.4.91": ("pylibjpeg", "pylibjpeg-openjpeg"),
    "1.2.840.10008.1.2.4.201": ("pylibjpeg", "pylibjpeg-openjpeg"),
    "1.2.840.10008.1.2.4.202": ("pylibjpeg", "pylibjpeg-openjpeg"),
    "1.2.840.10008.1.2.4.203": ("pylibjpeg", "pylibjpeg-openjpeg"),
    RLE: ("pydicom", "pydicom"),
}
"""Transfer syntax to the one decoder used for it (pydicom's name) and the package that brings it.

One decoder a syntax, so that what is installed beside it never changes a pixel.
"""


def read_frame_fields(path: Path, reference: str) -> tuple[Fields, list[Fields]]:
    """The fields of an instance, and for each of its frames what its functional groups add to them."""
    import pydicom

    with processor_time_limited(parse_seconds(path), reference):
        check_syntax(path, reference)
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        return dataset_fields(dataset), frame_fields(dataset, reference)


def decoded_frames(path: Path, reference: str) -> Iterator[NDArray[np.float32]]:
    """Each frame's values, (rows, columns), rescaled, in the sense "higher is brighter"; colour as luminance.

    Raises:
        StudyError: There are no pixels, no decoder is installed for them, or they are not what is stated.
    """
    import pydicom
    from pydicom.pixels.utils import iter_pixels

    with processor_time_limited(parse_seconds(path), reference):
        syntax = check_syntax(path, reference)
        in_memory = syntax == DEFLATED or path.stat().st_size <= LARGEST_IN_MEMORY
        dataset = pydicom.dcmread(path, stop_before_pixels=not in_memory)
    if in_memory and not any(keyword in dataset for keyword in PIXELS):
        raise StudyError(reference, "has no pixel data", "export the image with its pixels")
    fields = dataset_fields(dataset)
    size = whole(fields, "Rows", 0, reference), whole(fields, "Columns", 0, reference)
    groups = frame_fields(dataset, reference)
    plugin = _decoder(dataset, reference)
    source = dataset if in_memory else path
    if plugin not in {"", "pydicom"}:
        _check_frames(source, len(groups), size, reference)
    frames = _timed(iter_pixels(source, decoding_plugin=plugin), reference)
    for stored, group in zip(frames, groups, strict=True):
        grey = _grey(stored, dataset, str(fields.get("PhotometricInterpretation", "")), reference)
        if grey.shape != size:
            raise StudyError(reference, "decodes to another size than it states", "export it again")
        values = np.empty(size, dtype=np.float32)
        if "ModalityLUTSequence" in dataset:
            _looked_up(grey, dataset, values)
        else:
            scale_of({**fields, **group}, reference).values(grey, values)
        if not np.isfinite(values).all():
            raise StudyError(reference, "holds values that are not finite", "correct its pixels or rescale")
        yield values


def _timed(frames: Iterator[NDArray[np.generic]], reference: str) -> Iterator[NDArray[np.generic]]:
    while True:
        with processor_time_limited(FRAME_SECONDS, reference):
            frame = next(frames, None)
        if frame is None:
            return
        yield frame


def _decoder(dataset: FileDataset, reference: str) -> str:
    """The decoder by its name in pydicom, "" where none is needed."""
    from pydicom.pixels.decoders.base import get_decoder

    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        return ""
    plugin, package = DECODERS[str(syntax)]
    readable = str(syntax) != JPEG_EXTENDED or int(dataset.get("BitsStored") or 8) <= 8
    if readable and plugin in get_decoder(syntax).available_plugins:
        return plugin
    raise StudyError(
        reference,
        f"is compressed as {syntax.name}, which no installed decoder reads",
        f"pip install {package}, or export it uncompressed" if readable else "export it uncompressed",
    )


def _check_frames(source: FileDataset | Path, count: int, size: tuple[int, int], reference: str) -> None:
    """Compressed frames must claim the size that the file states, before a decoder allocates for them."""
    if any(claimed_size(frame) != size for frame in _compressed_frames(source, count)):
        raise StudyError(
            reference, "carries a frame of another size than it states", "export it uncompressed"
        )


def _compressed_frames(source: FileDataset | Path, count: int) -> Iterator[bytes]:
    """The frames as they lie in a data set or in a file, one by one."""
    import pydicom
    from pydicom.encaps import generate_frames

    if not isinstance(source, Path):
        yield from generate_frames(source.PixelData, number_of_frames=count)
        return
    with source.open("rb") as file:
        pydicom.dcmread(file, stop_before_pixels=True, specific_tags=["Rows"])
        file.seek(12, os.SEEK_CUR)  # the tag, the value representation and the length of PixelData
        yield from generate_frames(file, number_of_frames=count)


def _grey(
    stored: NDArray[np.generic], dataset: FileDataset, interpretation: str, reference: str
) -> NDArray[np.generic]:
    """(rows, columns): stored grey values as they are, colour as luminance."""
    if interpretation in MONOCHROME:
        return stored
    if interpretation == "PALETTE COLOR" and "RedPaletteColorLookupTableDescriptor" in dataset:
        from pydicom.pixels.processing import apply_color_lut

        stored = apply_color_lut(stored, dataset)
    elif interpretation not in COLOUR:
        raise StudyError(
            reference, f"has the photometric interpretation {interpretation!r}", "export it as MONOCHROME2"
        )
    if stored.ndim != 3 or stored.shape[-1] != 3:
        raise StudyError(reference, "has colours without three samples a pixel", "export it as MONOCHROME2")
    grey = np.empty(stored.shape[:2], dtype=np.float64)
    for start in range(0, len(stored), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        grey[rows] = np.rint(stored[rows].astype(np.float64) @ LUMINANCE)
    return grey


def _looked_up(stored: NDArray[np.generic], dataset: FileDataset, out: NDArray[np.float32]) -> None:
    """Values by the modality LUT (PS3.3 C.11.1.1.1); MONOCHROME1 is mirrored within the table's bits."""
    from pydicom.pixels.processing import apply_modality_lut

    out[...] = apply_modality_lut(stored, dataset)
    if str(dataset.PhotometricInterpretation) == "MONOCHROME1":
        bits = int(dataset.ModalityLUTSequence[0].LUTDescriptor[2])
        np.subtract(np.float32(2**bits - 1), out, out=out)
