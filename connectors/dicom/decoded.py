"""The pixels of any instance that pydicom and its decoders read: one frame at a time, as grey values.

Called in the reader process only (`worker`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from connectors.dicom.codestream import claimed_size
from connectors.dicom.fields import Fields, whole
from connectors.dicom.guard import DEFLATED, check_syntax
from connectors.dicom.parsed import dataset_fields, frame_fields
from connectors.dicom.scale import BLOCK_ROWS, scale_of
from prognosis.errors import StudyError

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset
    from pydicom.uid import UID

LUMINANCE = np.array([0.299, 0.587, 0.114])
"""Of red, green and blue (ITU-R BT.601), as PS3.3 C.7.6.3.1.2 turns them to YBR_FULL."""

MONOCHROME = frozenset({"MONOCHROME1", "MONOCHROME2"})
COLOUR = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})
RLE = "1.2.840.10008.1.2.5"

DECODERS = {
    "1.2.840.10008.1.2.4.50": ("pillow", "pillow"),
    "1.2.840.10008.1.2.4.51": ("pillow", "pillow"),
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

    syntax = check_syntax(path, reference)
    deflated = syntax == DEFLATED
    dataset = pydicom.dcmread(path, stop_before_pixels=not deflated)
    fields = dataset_fields(dataset)
    size = whole(fields, "Rows", 0, reference), whole(fields, "Columns", 0, reference)
    groups = frame_fields(dataset, reference)
    plugin = _decoder(dataset.file_meta.TransferSyntaxUID, reference)
    if not deflated:
        _check_frames(path, len(groups), None if plugin in {"", "pydicom"} else size, reference)
    frames = iter_pixels(dataset if deflated else path, decoding_plugin=plugin)
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


def _decoder(syntax: UID, reference: str) -> str:
    from pydicom.pixels.decoders.base import get_decoder

    if not syntax.is_encapsulated:
        return ""
    plugin, package = DECODERS[str(syntax)]
    if plugin not in get_decoder(syntax).available_plugins:
        raise StudyError(
            reference,
            f"is compressed as {syntax.name}, which no installed decoder reads",
            f"pip install {package}, or export it uncompressed",
        )
    return plugin


def _check_frames(path: Path, count: int, size: tuple[int, int] | None, reference: str) -> None:
    """There must be pixels, and compressed frames must claim their size before a decoder allocates for them.

    Args:
        path: The file, not deflated.
        count: Of its frames.
        size: (rows, columns) that every frame must claim; None for those that make no claim of their own.
        reference: What messages call it.
    """
    import pydicom
    from pydicom.encaps import generate_frames

    with path.open("rb") as file:
        pydicom.dcmread(file, stop_before_pixels=True, specific_tags=["Rows"])
        if len(file.read(12)) < 12:
            raise StudyError(reference, "has no pixel data", "export the image with its pixels")
        if size is None:
            return
        for frame in generate_frames(file, number_of_frames=count):
            if claimed_size(frame) != size:
                raise StudyError(
                    reference, "carries a frame of another size than it states", "export it uncompressed"
                )


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
