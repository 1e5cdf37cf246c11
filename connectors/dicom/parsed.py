"""What pydicom reads of a file, as `Fields`: of the whole instance, and of each frame of an enhanced one.

Called in the reader process only (`worker`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from connectors.dicom.fields import PRESENT, USED, Fields
from connectors.dicom.guard import check_syntax, parse_seconds, processor_time_limited
from prognosis.errors import StudyError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileDataset

MOST_FRAMES = 65_536
CENTIMETRES = 3

GROUPS: dict[str, dict[str, str]] = {
    "PlanePositionSequence": {"ImagePositionPatient": "ImagePositionPatient"},
    "PlaneOrientationSequence": {"ImageOrientationPatient": "ImageOrientationPatient"},
    "PlanePositionVolumeSequence": {"ImagePositionVolume": "ImagePositionPatient"},
    "PlaneOrientationVolumeSequence": {"ImageOrientationVolume": "ImageOrientationPatient"},
    "PixelMeasuresSequence": {
        "PixelSpacing": "PixelSpacing",
        "SpacingBetweenSlices": "SpacingBetweenSlices",
        "SliceThickness": "SliceThickness",
    },
    "PixelValueTransformationSequence": {
        "RescaleSlope": "RescaleSlope",
        "RescaleIntercept": "RescaleIntercept",
    },
    "FrameVOILUTSequence": {"WindowCenter": "WindowCenter", "WindowWidth": "WindowWidth"},
    "CTImageFrameTypeSequence": {"FrameType": "ImageType"},
    "MRImageFrameTypeSequence": {"FrameType": "ImageType"},
    "CTReconstructionSequence": {"ConvolutionKernel": "ConvolutionKernel"},
    "MREchoSequence": {"EffectiveEchoTime": "EchoTime"},
    "MRTimingAndRelatedParametersSequence": {"FlipAngle": "FlipAngle"},
    "MRModifierSequence": {"InversionTimes": "InversionTime"},
    "MRDiffusionSequence": {"DiffusionBValue": "DiffusionBValue"},
    "CardiacSynchronizationSequence": {"NominalCardiacTriggerDelayTime": "TriggerTime"},
    "TemporalPositionSequence": {"TemporalPositionTimeOffset": "TemporalPositionIdentifier"},
    "FrameContentSequence": {"TemporalPositionIndex": "TemporalPositionIdentifier", "StackID": "StackID"},
}
"""Functional group (PS3.3 C.7.6.16.2, C.8.13.5, C.8.15.3) to its elements and the name each goes by here.

An ultrasound volume states its planes in its own frame of reference: distances are right, and its directions
are those of the volume rather than the patient's.
"""


def read_fields(path: Path, reference: str) -> Fields | None:
    """The fields of a file, None when it has no rows and columns and says that it is no image.

    Raises:
        StudyError: The file is not DICOM, is encrypted, in an unknown syntax, cut off or too large inflated.
    """
    import pydicom

    tags: list[int] = list(USED)
    with processor_time_limited(parse_seconds(path), reference):
        check_syntax(path, reference)
        dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags)
    if "EncryptedAttributesSequence" in dataset:
        raise StudyError(reference, "holds encrypted attributes", "export it decrypted")
    if ("Rows" not in dataset or "Columns" not in dataset) and not _claims_image(dataset):
        return None
    return dataset_fields(dataset)


def dataset_fields(dataset: Dataset) -> dict[str, str]:
    """The used elements of a data set as text."""
    fields: dict[str, str] = {}
    for tag, (keyword, kind) in USED.items():
        if tag in dataset:
            fields[keyword] = PRESENT if kind == "SQ" else _text(dataset, keyword)
    calibrated = _ultrasound_spacing(dataset)
    if calibrated and not fields.get("PixelSpacing"):
        fields["PixelSpacing"] = calibrated
    return fields


def frame_fields(dataset: Dataset, reference: str) -> list[Fields]:
    """For each frame, what its functional groups state; {} for each frame of an instance without them.

    Raises:
        StudyError: There are too many frames, or not as many groups as frames.
    """
    count = int(dataset.get("NumberOfFrames") or 1)
    if not 0 < count <= MOST_FRAMES:
        raise StudyError(reference, f"claims {count} frames", f"give images of 1 to {MOST_FRAMES} frames")
    shared = dataset.get("SharedFunctionalGroupsSequence") or []
    each = dataset.get("PerFrameFunctionalGroupsSequence") or []
    if each and len(each) != count:
        raise StudyError(
            reference, f"describes {len(each)} frames and claims {count}", "export it from the archive again"
        )
    common: dict[str, str] = {}
    for item in shared:
        common |= _grouped(item)
    return [common | _grouped(item) for item in each] if each else [common] * count


def _grouped(item: Dataset) -> dict[str, str]:
    found: dict[str, str] = {}
    for sequence, names in GROUPS.items():
        groups = item.get(sequence) or []
        for keyword, name in names.items():
            if len(groups) and keyword in groups[0]:
                found[name] = _text(groups[0], keyword)
        if sequence == "MRDiffusionSequence" and len(groups):
            gradients = groups[0].get("DiffusionGradientDirectionSequence") or []
            if len(gradients):
                found["DiffusionGradientOrientation"] = _text(gradients[0], "DiffusionGradientOrientation")
    return found


def _text(dataset: Dataset, keyword: str) -> str:
    value = dataset.get(keyword)
    if value is None:
        return ""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        return str(value).strip(" \0")
    return "\\".join(str(each) for each in value)


def _ultrasound_spacing(dataset: Dataset) -> str:
    """Spacing in mm, as PixelSpacing writes it, where all calibrated regions agree (PS3.3 C.8.5.5)."""
    stated = {
        (abs(float(region.PhysicalDeltaY)) * 10.0, abs(float(region.PhysicalDeltaX)) * 10.0)
        for region in dataset.get("SequenceOfUltrasoundRegions") or []
        if region.get("PhysicalUnitsXDirection") == region.get("PhysicalUnitsYDirection") == CENTIMETRES
    }
    if len(stated) != 1:
        return ""
    rows, columns = stated.pop()
    return f"{rows}\\{columns}"


def _claims_image(dataset: FileDataset) -> bool:
    """Whether the file says that it is an image, or does not say plainly that it is something else."""
    from pydicom import uid

    stated = str(dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID", ""))
    name = uid.UID(stated).name
    return "Storage" not in name or "Image Storage" in name
