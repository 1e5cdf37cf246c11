"""A segmentation's DICOM objects as files, read back and compared with what they were made from."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, cast

import numpy as np

from prognosis.errors import StudyError
from prognosis.evidence.segmentation.measurements import Measurements, Part
from prognosis.outputs.dicom_grid import numbered, source_frames
from prognosis.outputs.dicom_seg import Algorithm, segmentation_dataset
from prognosis.outputs.dicom_sr import measurement_report
from prognosis.record import Segmentation

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

RELATIVE_TOLERANCE = 1e-9
"""A decimal string holds 16 characters, so a number may come back rounded in its last digits."""


def standard_files(
    segmentation: Segmentation,
    measured: Sequence[Measurements],
    sources: Sequence[Dataset],
    *,
    algorithm: Algorithm,
    made_at: datetime,
) -> dict[str, bytes]:
    """The DICOM SEG and the measurement report of a segmentation, by file name, each read back.

    Args:
        segmentation: What was segmented, on the grid of its source images.
        measured: The size of each of its parts.
        sources: The images that it was made from, with or without pixels.
        algorithm: What made it.
        made_at: When it was made (aware).

    Raises:
        ScopeError: A structure has no code.
        StudyError: There is nothing to write, the images lack what is needed, or a file reads back otherwise.
        MissingDependencyError: highdicom is not installed.
    """
    parts = [size.part for size in measured]
    seg = segmentation_dataset(segmentation, parts, sources, algorithm=algorithm, made_at=made_at)
    report = measurement_report(segmentation, measured, seg, sources, algorithm=algorithm, made_at=made_at)
    files = {"seg.dcm": encoded(seg), "sr.dcm": encoded(report)}
    check_segmentation(files["seg.dcm"], segmentation, parts, sources)
    check_report(files["sr.dcm"], measured)
    return files


def encoded(dataset: Dataset) -> bytes:
    """A DICOM object as the content of a file (PS3.10)."""
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def check_segmentation(
    content: bytes, segmentation: Segmentation, parts: Sequence[Part], sources: Sequence[Dataset]
) -> None:
    """Refuse a written SEG that does not give every voxel of every part back at its place.

    Args:
        content: The file.
        segmentation: What it was made from.
        parts: In the order of its segments.
        sources: The images that it refers to.

    Raises:
        StudyError: It reads back otherwise.
    """
    from highdicom.seg import segread

    written = segread(io.BytesIO(content))
    if "PerFrameFunctionalGroupsSequence" in sources[0]:
        count = int(sources[0].NumberOfFrames)
        found = written.get_pixels_by_source_frame(
            sources[0].SOPInstanceUID,
            range(1, count + 1),
            combine_segments=True,
            assert_missing_frames_are_empty=True,
        )
    else:
        found = written.get_pixels_by_source_instance(
            [source.SOPInstanceUID for source in sources],
            combine_segments=True,
            assert_missing_frames_are_empty=True,
        )
    expected = source_frames(numbered(segmentation, parts), segmentation, sources)
    if not np.array_equal(found, expected):
        raise StudyError(segmentation.source, "has a SEG that reads back otherwise", "report this as a fault")


def check_report(content: bytes, measured: Sequence[Measurements]) -> None:
    """Refuse a written report that does not give every volume or area and every axis back.

    Args:
        content: The file.
        measured: What it was made from.

    Raises:
        StudyError: It reads back otherwise.
    """
    from highdicom.sr import MeasurementReport, srread

    report = cast("MeasurementReport", srread(io.BytesIO(content)).content)
    groups = [
        *report.get_planar_roi_measurement_groups(),
        *report.get_volumetric_roi_measurement_groups(),
    ]
    found = [{item.name.meaning: float(item.value) for item in group.get_measurements()} for group in groups]
    expected = [_expected(size) for size in measured]
    alike = len(found) == len(expected) and all(
        there.keys() >= wanted.keys()
        and all(np.isclose(there[name], wanted[name], rtol=RELATIVE_TOLERANCE) for name in wanted)
        for there, wanted in zip(found, expected, strict=True)
    )
    if not alike:
        raise StudyError("the measurement report", "reads back otherwise", "report this as a fault")


def _expected(size: Measurements) -> dict[str, float]:
    stated = {"Long axis": size.axes.long.length, "Short axis": size.axes.short.length}
    if size.volume_ml is None:
        return stated | {"Area": size.area_mm2}
    return stated | {"Volume": size.volume_ml}
