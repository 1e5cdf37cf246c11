"""The elements of a DICOM file that are used, as text, whoever parsed them.

Two parsers fill a `Fields`: our own for plain files (`plain`) and pydicom in another process for the rest
(`parsed`). What the text means is decided here and above, once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from prognosis.errors import StudyError

Fields = Mapping[str, str]
"""Keyword to value; several values are joined by a backslash, a sequence is `PRESENT`."""

PRESENT = "present"
LARGEST_NUMBER = 1e12

USED: dict[int, tuple[str, str]] = {
    0x00080008: ("ImageType", "CS"),
    0x00080016: ("SOPClassUID", "UI"),
    0x00080018: ("SOPInstanceUID", "UI"),
    0x00080020: ("StudyDate", "DA"),
    0x00080021: ("SeriesDate", "DA"),
    0x00080022: ("AcquisitionDate", "DA"),
    0x00080023: ("ContentDate", "DA"),
    0x00080030: ("StudyTime", "TM"),
    0x00080031: ("SeriesTime", "TM"),
    0x00080032: ("AcquisitionTime", "TM"),
    0x00080033: ("ContentTime", "TM"),
    0x00080060: ("Modality", "CS"),
    0x00080201: ("TimezoneOffsetFromUTC", "SH"),
    0x00100020: ("PatientID", "LO"),
    0x00100030: ("PatientBirthDate", "DA"),
    0x00100040: ("PatientSex", "CS"),
    0x00180015: ("BodyPartExamined", "CS"),
    0x00180050: ("SliceThickness", "DS"),
    0x00180081: ("EchoTime", "DS"),
    0x00180082: ("InversionTime", "DS"),
    0x00180086: ("EchoNumbers", "IS"),
    0x00180088: ("SpacingBetweenSlices", "DS"),
    0x00181060: ("TriggerTime", "DS"),
    0x00181164: ("ImagerPixelSpacing", "DS"),
    0x00181210: ("ConvolutionKernel", "SH"),
    0x00181314: ("FlipAngle", "DS"),
    0x00182010: ("NominalScannedPixelSpacing", "DS"),
    0x00185101: ("ViewPosition", "CS"),
    0x00186011: ("SequenceOfUltrasoundRegions", "SQ"),
    0x00189087: ("DiffusionBValue", "FD"),
    0x00189089: ("DiffusionGradientOrientation", "FD"),
    0x0020000D: ("StudyInstanceUID", "UI"),
    0x0020000E: ("SeriesInstanceUID", "UI"),
    0x00200012: ("AcquisitionNumber", "IS"),
    0x00200020: ("PatientOrientation", "CS"),
    0x00200032: ("ImagePositionPatient", "DS"),
    0x00200037: ("ImageOrientationPatient", "DS"),
    0x00200100: ("TemporalPositionIdentifier", "IS"),
    0x00280002: ("SamplesPerPixel", "US"),
    0x00280004: ("PhotometricInterpretation", "CS"),
    0x00280008: ("NumberOfFrames", "IS"),
    0x00280010: ("Rows", "US"),
    0x00280011: ("Columns", "US"),
    0x00280030: ("PixelSpacing", "DS"),
    0x00280100: ("BitsAllocated", "US"),
    0x00280101: ("BitsStored", "US"),
    0x00280102: ("HighBit", "US"),
    0x00280103: ("PixelRepresentation", "US"),
    0x00281050: ("WindowCenter", "DS"),
    0x00281051: ("WindowWidth", "DS"),
    0x00281052: ("RescaleIntercept", "DS"),
    0x00281053: ("RescaleSlope", "DS"),
    0x00283000: ("ModalityLUTSequence", "SQ"),
    0x04000500: ("EncryptedAttributesSequence", "SQ"),
    0x52009229: ("SharedFunctionalGroupsSequence", "SQ"),
    0x52009230: ("PerFrameFunctionalGroupsSequence", "SQ"),
}
"""Tag to keyword and value representation (PS3.6)."""


def numbers(fields: Fields, keyword: str, count: int, reference: str) -> tuple[float, ...] | None:
    """The first `count` numbers of an element, None when it is absent, empty or has fewer.

    Raises:
        StudyError: A value is no finite number.
    """
    parts = [part.strip() for part in fields.get(keyword, "").split("\\")]
    if len(parts) < count or not all(parts[:count]):
        return None
    try:
        values = tuple(float(part) for part in parts[:count])
    except ValueError:
        values = (math.nan,)
    if not all(abs(value) <= LARGEST_NUMBER for value in values):
        raise StudyError(reference, f"has no usable {keyword}", "give finite numbers")
    return values


def number(fields: Fields, keyword: str, reference: str) -> float | None:
    """The first number of an element, None when it is absent or empty.

    Raises:
        StudyError: It is no finite number.
    """
    found = numbers(fields, keyword, 1, reference)
    return None if found is None else found[0]


def whole(fields: Fields, keyword: str, otherwise: int, reference: str) -> int:
    """An element's whole number, `otherwise` when it is absent or empty.

    Raises:
        StudyError: It is no whole number.
    """
    found = number(fields, keyword, reference)
    if found is None:
        return otherwise
    if not found.is_integer():
        raise StudyError(reference, f"has no usable {keyword}", "give a whole number")
    return int(found)
