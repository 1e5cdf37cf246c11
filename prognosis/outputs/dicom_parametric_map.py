"""The evidence map of a film or a volume as a DICOM Parametric Map (PS3.3 A.75), one object a question.

A map states the film's own evidence on each pixel, before it is weighed against the other modalities, in 32
bits. A projection has no place in the patient and the object must have one: it is given a frame of reference
of its own, in which nothing else lies, so that a map can be laid over the film that it names as its source,
pixel by pixel, and over nothing else.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import StudyError
from prognosis.outputs.dicom_codes import own_scheme, own_term
from prognosis.outputs.dicom_grid import has_place, source_frames
from prognosis.outputs.dicom_seg import (
    CREATOR,
    UNREVIEWED,
    Algorithm,
    contribution,
    highdicom_missing,
    source_headers,
    stamp,
)
from prognosis.record import Segmentation
from prognosis.record.uid import derived_uid

if TYPE_CHECKING:
    from highdicom import VOILUTTransformation
    from pydicom.dataset import Dataset

SERIES_NUMBER = 9003
SIDES = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1)}
"""The first letter of a Patient Orientation (PS3.3 C.7.6.1.1.1) as a direction in the patient."""

AS_HUNG = ("L", "F")
"""Rows run to the patient's left and columns to the feet, as frontal films are hung and regions are named."""


@dataclass(frozen=True, slots=True)
class MapMeaning:
    """What a map is evidence for.

    Attributes:
        question: The cause, class or finding.
        scale: What a value is: "log_hazard", "log_odds", "value" or "log_value".
        number: Of the instance among the maps of one answer.
    """

    question: str
    scale: str
    number: int = 1

    @property
    def words(self) -> str:
        """For people."""
        return f"Evidence for {self.question.replace('_', ' ')} ({self.scale.replace('_', ' ')})"


def evidence_map_dataset(
    evidence: NDArray[np.float32],
    meaning: MapMeaning,
    regions: Segmentation,
    sources: Sequence[Dataset],
    *,
    algorithm: Algorithm,
    made_at: datetime,
) -> Dataset:
    """The Parametric Map of one question's evidence, in the study of its source images.

    Its UIDs follow from the images, the model and the question, which is all that a map depends on.

    Args:
        evidence: (z, y, x) on the grid of `regions`; a film has one slice.
        meaning: What it is evidence for.
        regions: Of the same volume; gives the affine and what messages call it.
        sources: The images that it was made from, with or without pixels.
        algorithm: The model.
        made_at: When it was made (aware), written as UTC.

    Raises:
        StudyError: The evidence is not finite, lies on another grid, or the images lack what a map needs.
        MissingDependencyError: highdicom is not installed.
    """
    try:
        from highdicom.pm import ParametricMap, RealWorldValueMapping
        from pydicom.sr.codedict import codes
    except ImportError as error:
        raise highdicom_missing() from error
    if not np.isfinite(evidence).all():
        raise StudyError(regions.source, "has evidence that is not finite", "report this as a fault")
    headers = source_headers(sources)
    frames = source_frames(evidence, regions, headers)
    uids = [str(each.SOPInstanceUID) for each in headers]
    entropy = ["evidence map", *uids, algorithm.name, algorithm.version, meaning.question]
    if not has_place(headers[0]):
        _place_alone(headers[0], regions)
    low, high = float(frames.min()), float(frames.max())
    mapping = RealWorldValueMapping(
        lut_label="EVIDENCE",
        lut_explanation=meaning.words[:64],
        unit=codes.UCUM.NoUnits,
        value_range=(low, high),
        slope=1.0,
        intercept=0.0,
        quantity_definition=own_term("map", meaning.words).coded(),
    )
    try:
        dataset = ParametricMap(
            source_images=headers,
            pixel_array=frames,
            series_instance_uid=derived_uid(*entropy[:-1], "series"),
            series_number=SERIES_NUMBER,
            sop_instance_uid=derived_uid(*entropy),
            instance_number=meaning.number,
            manufacturer="prognosis",
            manufacturer_model_name=algorithm.name,
            software_versions=algorithm.version,
            device_serial_number=algorithm.version,
            contains_recognizable_visual_features=False,
            real_world_value_mappings=[mapping],
            voi_lut_transformations=[_window(max(abs(low), abs(high)))],
            content_label="EVIDENCE",
            content_description=UNREVIEWED,
            content_creator_name=CREATOR,
            contributing_equipment=[contribution(algorithm)],
        )
    except (AttributeError, ValueError) as error:
        raise StudyError(
            regions.source, "has images that no map can refer to", "export its images again"
        ) from error
    dataset.SeriesDescription = f"AI-generated evidence maps: {algorithm.name}"[:64]
    dataset.ImageComments = meaning.words
    if "Laterality" not in dataset:
        dataset.Laterality = ""
    dataset.CodingSchemeIdentificationSequence = [own_scheme()]
    for item in (*dataset.DimensionOrganizationSequence, *dataset.DimensionIndexSequence):
        item.DimensionOrganizationUID = derived_uid(*entropy, "dimensions")
    stamp(dataset, made_at)
    return dataset


def check_map(
    content: bytes, evidence: NDArray[np.float32], regions: Segmentation, sources: Sequence[Dataset]
) -> None:
    """Refuse a written map that does not give every value back on the pixel of the image that it is of.

    Args:
        content: The file.
        evidence: What it was made from.
        regions: As for `evidence_map_dataset`.
        sources: The images that it refers to.

    Raises:
        StudyError: It reads back otherwise.
    """
    import pydicom

    written = pydicom.dcmread(io.BytesIO(content))
    expected = source_frames(evidence, regions, sources)
    values = np.frombuffer(written.FloatPixelData, dtype="<f4").reshape(
        -1, int(written.Rows), int(written.Columns)
    )
    places = {str(each.SOPInstanceUID): place for place, each in enumerate(sources)}
    found = np.full_like(expected, np.nan)
    for frame, own in zip(values, written.PerFrameFunctionalGroupsSequence, strict=True):
        source = own.DerivationImageSequence[0].SourceImageSequence[0]
        within = source.get("ReferencedFrameNumber")
        found[places[str(source.ReferencedSOPInstanceUID)] if within is None else int(within) - 1] = frame
    if not np.array_equal(found, expected):
        raise StudyError(
            regions.source, "has an evidence map that reads back otherwise", "report this as a fault"
        )


def _place_alone(header: Dataset, regions: Segmentation) -> None:
    """Give a projection a frame of reference of its own, from its first pixel on."""
    stated = [str(each)[:1] for each in header.get("PatientOrientation") or ()]
    usable = len(stated) == 2 and all(each in SIDES for each in stated) and _across(*stated)
    rows, columns = stated if usable else AS_HUNG
    spacing = np.linalg.norm(regions.affine[:3, :2], axis=0)
    header.FrameOfReferenceUID = derived_uid("frame of reference", str(header.SOPInstanceUID))
    header.ImagePositionPatient = [0.0, 0.0, 0.0]
    header.ImageOrientationPatient = [*SIDES[rows], *SIDES[columns]]
    header.PixelSpacing = [float(spacing[1]), float(spacing[0])]
    if "SliceThickness" not in header:
        header.SliceThickness = 1.0


def _across(rows: str, columns: str) -> bool:
    """Whether two directions are at a right angle."""
    return not any(one and other for one, other in zip(SIDES[rows], SIDES[columns], strict=True))


def _window(largest: float) -> VOILUTTransformation:
    """Zero in the middle: evidence for and against look alike in size; a linear window is never below 1."""
    from highdicom import VOILUTFunctionValues, VOILUTTransformation

    return VOILUTTransformation(
        window_center=0.0,
        window_width=2.0 * largest or 1.0,
        voi_lut_function=VOILUTFunctionValues.LINEAR_EXACT,
    )
