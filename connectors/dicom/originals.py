"""The headers of the images that a volume was read from, for objects that refer to them (SEG, SR)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from connectors.dicom.guard import check_syntax, faults_told
from connectors.dicom.header import Header
from connectors.dicom.pixels import open_instance
from connectors.dicom.stacks import stacks

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def series_originals(headers: Sequence[Header], study_uid: str) -> tuple[tuple[Dataset, ...], ...]:
    """For each volume of a series, in the order of `series_volumes`, its images' headers without pixels.

    Raises:
        StudyError: As `series_volumes` does.
    """
    import pydicom

    reference = f"ImagingStudy/{study_uid}#{headers[0].series_uid}"
    instances = [open_instance(header.path, place, reference) for place, header in enumerate(headers)]
    made = stacks([frame for instance in instances for frame in instance.frames], reference)
    with faults_told(reference):
        for header in headers:
            check_syntax(header.path, reference)
        read = [pydicom.dcmread(header.path, stop_before_pixels=True) for header in headers]
    return tuple(
        tuple(read[place] for place in dict.fromkeys(frame.instance for frame in stack.frames))
        for stack in made
    )
