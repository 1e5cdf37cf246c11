"""A segmentation as a DICOM Segmentation (PS3.3 A.51): binary, one segment a connected part."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import MissingDependencyError, StudyError
from prognosis.evidence.segmentation.measurements import Part
from prognosis.outputs.dicom_codes import StructureTerms, structure_terms
from prognosis.outputs.dicom_grid import has_place, numbered, source_frames
from prognosis.record import Segmentation
from prognosis.record.uid import derived_uid

if TYPE_CHECKING:
    from highdicom import ContributingEquipment
    from highdicom.seg import SegmentDescription
    from pydicom.dataset import Dataset

# What highdicom copies from the source and older or de-identified files may lack; all may be empty (type 2).
MAY_BE_EMPTY = (
    "PatientID PatientName PatientBirthDate PatientSex AccessionNumber StudyID StudyDate StudyTime"
    " ReferringPhysicianName"
)
SERIES_NUMBER = 9001
MOST_SEGMENTS = 65535
UNREVIEWED = "AI-generated, not reviewed by a person"
CREATOR = "AI model^prognosis"
"""Of what is written no person is the creator, and the element may hold a device's name (PS3.3 10.9)."""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """What made a segmentation: the model's name and version, as its bundle states them."""

    name: str
    version: str


def segmentation_dataset(
    segmentation: Segmentation,
    parts: Sequence[Part],
    sources: Sequence[Dataset],
    *,
    algorithm: Algorithm,
    made_at: datetime,
    series_number: int = SERIES_NUMBER,
    terms_of: Callable[[str], StructureTerms] = structure_terms,
    title: str = "segmentation",
) -> Dataset:
    """The DICOM SEG of a segmentation, in the study and the frame of reference of its source images.

    Every connected part is a segment of its own, so that a measurement can refer to it. The same input gives
    the same UIDs.

    Args:
        segmentation: What was segmented, on the grid of its source images.
        parts: Its connected parts, in the order of their segment numbers.
        sources: The series that it was made from, with or without pixels.
        algorithm: What made it.
        made_at: When it was made (aware), written as UTC.
        series_number: Of the new series.
        terms_of: The coded terms of a part's structure.
        title: What it is called in the series' description.

    Raises:
        ScopeError: A structure has no code.
        StudyError: Nothing is marked, the grid is not that of the images, or these lack what a SEG needs.
        MissingDependencyError: highdicom is not installed.
    """
    try:
        import highdicom
    except ImportError as error:
        raise highdicom_missing() from error
    if not 0 < len(parts) <= MOST_SEGMENTS:
        raise StudyError(
            segmentation.source, f"has {len(parts)} parts to write", f"give from 1 to {MOST_SEGMENTS}"
        )
    complete = source_headers(sources)
    frames = source_frames(numbered(segmentation, parts), segmentation, complete)
    entropy = [segmentation.source, algorithm.name, algorithm.version, _digest(frames)]
    described = [
        _description(part, number, entropy, algorithm, terms_of(part.structure))
        for number, part in enumerate(parts, start=1)
    ]
    try:
        dataset = highdicom.seg.Segmentation(
            source_images=complete,
            pixel_array=frames,
            segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
            segment_descriptions=described,
            series_instance_uid=derived_uid(*entropy, "SEG series"),
            series_number=series_number,
            sop_instance_uid=derived_uid(*entropy, "SEG"),
            instance_number=1,
            manufacturer="prognosis",
            manufacturer_model_name=algorithm.name,
            software_versions=algorithm.version,
            device_serial_number=algorithm.version,
            content_label="SEGMENTATION",
            content_description=UNREVIEWED,
            content_creator_name=CREATOR,
            contributing_equipment=[contribution(algorithm)],
        )
    except (AttributeError, ValueError) as error:
        raise StudyError(
            segmentation.source, "has images that no SEG can refer to", "export its images again"
        ) from error
    if not has_place(complete[0]):
        dataset.PatientOrientation = complete[0].get("PatientOrientation", "")
    dataset.SeriesDescription = f"AI-generated {title}: {algorithm.name}"[:64]
    for item in (*dataset.DimensionOrganizationSequence, *dataset.DimensionIndexSequence):
        item.DimensionOrganizationUID = derived_uid(*entropy, "dimensions")
    stamp(dataset, made_at)
    return dataset


def contribution(algorithm: Algorithm) -> ContributingEquipment:
    """The model as equipment that processed the images, so that every object names it in one place."""
    from highdicom import ContributingEquipment
    from pydicom.sr.codedict import codes

    return ContributingEquipment(
        manufacturer="prognosis",
        purpose_of_reference=codes.DCM.ProcessingEquipment,
        manufacturer_model_name=algorithm.name,
        software_versions=algorithm.version,
        contribution_description="AI model; its output was not reviewed by a person",
    )


def stamp(dataset: Dataset, made_at: datetime) -> None:
    """State when an object was made, in UTC, wherever highdicom has read the clock."""
    time = made_at.astimezone(UTC)
    for level in ("InstanceCreation", "Series", "Content"):
        setattr(dataset, f"{level}Date", time.strftime("%Y%m%d"))
        setattr(dataset, f"{level}Time", time.strftime("%H%M%S"))
    for equipment in dataset.get("ContributingEquipmentSequence", []):
        equipment.ContributionDateTime = time.strftime("%Y%m%d%H%M%S+0000")
    dataset.TimezoneOffsetFromUTC = "+0000"


def source_headers(sources: Sequence[Dataset]) -> list[Dataset]:
    """Copies of the images' headers as highdicom needs them.

    What they leave out of patient and study is stated as empty, and a projection that names a frame of
    reference but no place in it names none.
    """
    from pydicom.dataset import Dataset

    headers = []
    for source in sources:
        header = Dataset()
        header.update(source)
        for keyword in MAY_BE_EMPTY.split():
            if keyword not in header:
                setattr(header, keyword, "")
        if not has_place(header) and "FrameOfReferenceUID" in header:
            del header.FrameOfReferenceUID
        headers.append(header)
    return headers


def highdicom_missing() -> MissingDependencyError:
    """What to tell an operator who has no highdicom."""
    return MissingDependencyError(
        "highdicom", "is not installed", "run make install, or pip install '.[imaging]' in the clone"
    )


def _digest(frames: NDArray[np.uint16]) -> str:
    return hashlib.sha256(frames.tobytes()).hexdigest()


def _description(
    part: Part, number: int, entropy: Sequence[str], algorithm: Algorithm, terms: StructureTerms
) -> SegmentDescription:
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.seg import SegmentAlgorithmTypeValues, SegmentDescription
    from highdicom.sr import CodedConcept
    from pydicom.sr.codedict import codes

    description = SegmentDescription(
        segment_number=number,
        segment_label=part.name,
        segmented_property_category=terms.category.coded(),
        segmented_property_type=terms.type.coded(),
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=AlgorithmIdentificationSequence(
            name=algorithm.name, family=codes.DCM.ArtificialIntelligence, version=algorithm.version
        ),
        tracking_uid=derived_uid(*entropy, part.name),
        tracking_id=part.name,
        anatomic_regions=None if terms.site in {None, terms.type} else [terms.site.coded()],
    )
    if terms.side is not None:
        side = CodedConcept.from_code(terms.side.coded())
        description.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [side]
    return description
