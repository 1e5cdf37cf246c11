"""What a segmentation measures as a DICOM structured report (PS3.16 TID 1500), referring to its DICOM SEG."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from prognosis.errors import StudyError
from prognosis.evidence.segmentation.measurements import Measurements
from prognosis.outputs.dicom_codes import structure_terms
from prognosis.outputs.dicom_seg import Algorithm, contribution, highdicom_missing, source_headers, stamp
from prognosis.record import Segmentation
from prognosis.record.uid import derived_uid

if TYPE_CHECKING:
    from highdicom import sr
    from pydicom.dataset import Dataset
    from pydicom.sr.coding import Code

SERIES_NUMBER = 9002
WARNING = (
    "Made by an AI model without review by a person. Not for diagnosis until a physician has checked it."
)
PROCEDURES = {
    "CT": ("25045-6", "CT unspecified body region"),
    "MR": ("25056-3", "MRI unspecified body region"),
    "CR": ("43468-8", "XR unspecified body region"),
    "DX": ("43468-8", "XR unspecified body region"),
}


def measurement_report(
    segmentation: Segmentation,
    measured: Sequence[Measurements],
    segments: Dataset,
    sources: Sequence[Dataset],
    *,
    algorithm: Algorithm,
    made_at: datetime,
    series_number: int = SERIES_NUMBER,
) -> Dataset:
    """The measurement report of a segmentation: one group of measurements a connected part.

    A part of a volume has its volume (the sum of its voxels), long axis, short axis and largest diameter in
    space; a part of a film has its area and axes. Where the pixel spacing is not known, lengths and areas are
    in pixels and say so. The report is unverified.

    Args:
        segmentation: What was measured.
        measured: The size of each part, in the order of the segments.
        segments: The DICOM SEG of the same parts, as `segmentation_dataset` gives it.
        sources: The series that it was made from, with or without pixels.
        algorithm: What made the segmentation.
        made_at: When the report was made (aware), written as UTC.
        series_number: Of the new series.

    Raises:
        ScopeError: A structure has no code.
        StudyError: The segments are not those of the parts, or the images lack what a report needs.
        MissingDependencyError: highdicom is not installed.
    """
    try:
        from highdicom import sr
    except ImportError as error:
        raise highdicom_missing() from error
    if [item.SegmentLabel for item in segments.SegmentSequence] != [size.part.name for size in measured]:
        raise StudyError(
            segmentation.source,
            "has a SEG of other parts than were measured",
            "write both from the same parts",
        )
    headers = source_headers(sources)
    entropy = (str(segments.SOPInstanceUID), "measurement report")
    groups = [
        _group(size, number, segments, headers[0], algorithm, spacing_known=segmentation.spacing_known)
        for number, size in enumerate(measured, start=1)
    ]
    try:
        content = sr.MeasurementReport(
            observation_context=observation_context(algorithm),
            procedure_reported=procedure(headers[0]),
            imaging_measurements=groups,
        )
        content[0].ContentSequence.append(comment(WARNING))
        report = sr.ComprehensiveSR(
            evidence=[*headers, segments],
            content=content,
            series_instance_uid=derived_uid(*entropy, "series"),
            series_number=series_number,
            sop_instance_uid=derived_uid(*entropy),
            instance_number=1,
            manufacturer="prognosis",
            is_complete=True,
            is_final=False,
            is_verified=False,
            contributing_equipment=[contribution(algorithm)],
        )
    except (AttributeError, ValueError) as error:
        raise StudyError(
            segmentation.source, "has images that no report can refer to", "export its images again"
        ) from error
    report.SeriesDescription = f"AI-generated measurements: {algorithm.name}"[:64]
    report.ManufacturerModelName = algorithm.name
    report.SoftwareVersions = algorithm.version
    stamp(report, made_at)
    return report


def observation_context(algorithm: Algorithm) -> sr.ObservationContext:
    """The observer is a device: the model in its version."""
    from highdicom import sr
    from pydicom.sr.codedict import codes

    device = sr.DeviceObserverIdentifyingAttributes(
        uid=derived_uid("model", algorithm.name, algorithm.version),
        name=f"AI model {algorithm.name}, version {algorithm.version}",
        manufacturer_name="prognosis",
        model_name=algorithm.name,
    )
    return sr.ObservationContext(
        observer_device_context=sr.ObserverContext(
            observer_type=codes.DCM.Device, observer_identifying_attributes=device
        )
    )


def procedure(source: Dataset) -> Code:
    """What was done to make the images, by their modality."""
    from pydicom.sr.codedict import codes
    from pydicom.sr.coding import Code

    known = PROCEDURES.get(str(source.Modality))
    return codes.SCT.ImagingProcedure if known is None else Code(known[0], "LN", known[1])


def comment(text: str) -> sr.TextContentItem:
    """A sentence that belongs to the report as a whole."""
    from highdicom import sr
    from pydicom.sr.codedict import codes

    return sr.TextContentItem(
        name=codes.DCM.Comment, value=text, relationship_type=sr.RelationshipTypeValues.CONTAINS
    )


def _group(
    size: Measurements,
    number: int,
    segments: Dataset,
    source: Dataset,
    algorithm: Algorithm,
    *,
    spacing_known: bool,
) -> (
    sr.PlanarROIMeasurementsAndQualitativeEvaluations | sr.VolumetricROIMeasurementsAndQualitativeEvaluations
):
    """TID 1410 for a part of a film, TID 1411 for a part of a volume."""
    from highdicom import sr

    terms = structure_terms(size.part.structure)
    segment = segments.SegmentSequence[number - 1]
    sites = None
    if terms.site is not None:
        side = None if terms.side is None else terms.side.coded()
        sites = [sr.FindingSite(anatomic_location=terms.site.coded(), laterality=side)]
    tracking = sr.TrackingIdentifier(uid=str(segment.TrackingUID), identifier=str(segment.TrackingID))
    made_by = sr.AlgorithmIdentification(name=algorithm.name, version=algorithm.version)
    measurements = _measurements(size, spacing_known=spacing_known)
    if size.volume_ml is None:
        return sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking,
            referenced_segment=frame_of(number, segments, source),
            finding_category=terms.category.coded(),
            finding_type=terms.type.coded(),
            finding_sites=sites,
            algorithm_id=made_by,
            measurements=measurements,
        )
    return sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracking,
        referenced_segment=sr.ReferencedSegment(
            sop_class_uid=segments.SOPClassUID,
            sop_instance_uid=segments.SOPInstanceUID,
            segment_number=number,
            source_series=sr.SourceSeriesForSegmentation(source.SeriesInstanceUID),
        ),
        finding_category=terms.category.coded(),
        finding_type=terms.type.coded(),
        finding_sites=sites,
        algorithm_id=made_by,
        measurements=measurements,
    )


def frame_of(number: int, segments: Dataset, source: Dataset) -> sr.ReferencedSegmentationFrame:
    """The one frame of a part of a film; a frame and a segment may not both be named (PS3.3 C.18.4)."""
    from highdicom import sr

    reference = sr.ReferencedSegmentationFrame(
        sop_class_uid=segments.SOPClassUID,
        sop_instance_uid=segments.SOPInstanceUID,
        frame_number=number,
        segment_number=number,
        source_image=sr.SourceImageForSegmentation.from_source_image(source),
    )
    del reference[0].ReferencedSOPSequence[0].ReferencedSegmentNumber
    return reference


def _measurements(size: Measurements, *, spacing_known: bool) -> list[sr.Measurement]:
    from highdicom import sr
    from pydicom.sr.codedict import codes
    from pydicom.sr.coding import Code

    if spacing_known:
        length, area = codes.UCUM.Millimeter, codes.UCUM.SquareMillimeter
    else:
        length = area = Code("{pixels}", "UCUM", "pixels")

    axes = [
        sr.Measurement(name=name, value=chord.length, unit=length)
        for name, chord in ((codes.SCT.LongAxis, size.axes.long), (codes.SCT.ShortAxis, size.axes.short))
    ]
    if size.volume_ml is None or size.longest_3d is None:
        return [sr.Measurement(name=codes.SCT.Area, value=size.area_mm2, unit=area), *axes]
    volume = sr.Measurement(
        name=codes.SCT.Volume,
        value=size.volume_ml,
        unit=Code("mL", "UCUM", "milliliter"),
        method=codes.DCM.SumOfSegmentedVoxelMethodForVolume,
    )
    largest = sr.Measurement(
        name=Code("L0JK", "IBSI", "Maximum 3D Diameter of a Mesh"),
        value=size.longest_3d.length,
        unit=length,
    )
    return [volume, *axes, largest]
