"""The facts of one DICOM file that are needed before its pixels: whose, of which study, how large, where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.dicom.guard import PIXEL_BUDGET, check_syntax, faults_told
from prognosis.errors import StudyError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileDataset

UID = re.compile(r"[0-9]+(\.[0-9]+)*")
LONGEST_UID = 64
SEXES = {"M": "male", "F": "female", "O": "other"}
READ_TAGS = [
    "SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID PatientID PatientBirthDate PatientSex",
    "StudyDate StudyTime SeriesDate SeriesTime AcquisitionDate AcquisitionTime ContentDate ContentTime",
    "TimezoneOffsetFromUTC Modality ViewPosition BodyPartExamined Rows Columns NumberOfFrames",
    "SamplesPerPixel EncryptedAttributesSequence ImagePositionPatient ImageOrientationPatient",
]


@dataclass(frozen=True, slots=True)
class Header:
    """One image instance, without its pixels.

    Attributes:
        path: The file.
        study_uid: Study instance UID.
        series_uid: Series instance UID.
        instance_uid: SOP instance UID.
        patient_id: As the file states it, "" when it states none.
        time: When the study was made (aware), None when the file does not say.
        offset_stated: Whether the file gave its offset from UTC; UTC is assumed where it did not.
        modality: DICOM modality.
        view: View position.
        body_part: Body part examined.
        birth_date: Of the patient, None when not stated.
        sex: Of the patient, None when not stated.
        pixels: rows x columns x frames x samples.
    """

    path: Path
    study_uid: str
    series_uid: str
    instance_uid: str
    patient_id: str
    time: datetime | None
    offset_stated: bool
    modality: str
    view: str
    body_part: str
    birth_date: date | None
    sex: str | None
    pixels: int


def read_header(path: Path, reference: str) -> Header | None:
    """The header of a DICOM file, None when it holds no image (a report, a presentation state, a DICOMDIR).

    Args:
        path: The file.
        reference: What messages call it.

    Raises:
        StudyError: The file is damaged, encrypted, in an unknown syntax, too large, or has no usable UIDs.
    """
    import pydicom

    check_syntax(path, reference)
    tags = [tag for line in READ_TAGS for tag in line.split()]
    with faults_told(reference):
        dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags)
        if "EncryptedAttributesSequence" in dataset:
            raise StudyError(reference, "holds encrypted attributes", "export it decrypted")
        if "Rows" not in dataset or "Columns" not in dataset:
            if _claims_image(dataset):
                raise StudyError(reference, "is cut off or has no rows and columns", "export it again")
            return None
        header = _header(dataset, path, reference)
    if header.pixels > PIXEL_BUDGET:
        raise StudyError(
            reference, f"claims {header.pixels} pixels", f"give images of at most {PIXEL_BUDGET} pixels"
        )
    return header


def _claims_image(dataset: FileDataset) -> bool:
    """Whether the file says that it is an image, or does not say plainly that it is something else."""
    from pydicom import uid

    stated = _text(dataset, "SOPClassUID") or str(dataset.file_meta.get("MediaStorageSOPClassUID", ""))
    name = uid.UID(stated).name
    return "Storage" not in name or "Image Storage" in name


def _header(dataset: Dataset, path: Path, reference: str) -> Header:
    pixels = int(dataset.Rows) * int(dataset.Columns)
    pixels *= int(dataset.get("NumberOfFrames") or 1) * int(dataset.get("SamplesPerPixel") or 1)
    if pixels <= 0:
        raise StudyError(reference, "claims no pixels", "give images with rows and columns")
    time, offset_stated = _time(dataset)
    return Header(
        path=path,
        study_uid=_uid(dataset, "StudyInstanceUID", reference),
        series_uid=_uid(dataset, "SeriesInstanceUID", reference),
        instance_uid=_uid(dataset, "SOPInstanceUID", reference),
        patient_id=_text(dataset, "PatientID"),
        time=time,
        offset_stated=offset_stated,
        modality=_text(dataset, "Modality").upper(),
        view=_text(dataset, "ViewPosition").upper(),
        body_part=_text(dataset, "BodyPartExamined").upper(),
        birth_date=_date(_text(dataset, "PatientBirthDate")),
        sex=SEXES.get(_text(dataset, "PatientSex").upper()),
        pixels=pixels,
    )


def _text(dataset: Dataset, keyword: str) -> str:
    value = dataset.get(keyword)
    return "" if value is None else str(value).strip(" \0")


def _uid(dataset: Dataset, keyword: str, reference: str) -> str:
    text = _text(dataset, keyword)
    if not UID.fullmatch(text) or len(text) > LONGEST_UID:
        raise StudyError(reference, f"has no usable {keyword}", "give digits and dots, at most 64")
    return text


def _time(dataset: Dataset) -> tuple[datetime | None, bool]:
    """When the study was made: the first complete of the study, series, acquisition and content dates."""
    zone = _zone(_text(dataset, "TimezoneOffsetFromUTC"))
    for level in ("Study", "Series", "Acquisition", "Content"):
        day = _date(_text(dataset, f"{level}Date"))
        if day is None:
            continue
        clock = _clock(_text(dataset, f"{level}Time"))
        local = datetime(day.year, day.month, day.day, tzinfo=zone or UTC) + clock
        return local.astimezone(UTC), zone is not None
    return None, zone is not None


def _zone(text: str) -> timezone | None:
    found = re.fullmatch(r"([+-])([0-9]{2})([0-9]{2})", text)
    if found is None:
        return None
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    if offset > timedelta(hours=14):
        return None
    return timezone(-offset if found[1] == "-" else offset)


def _date(text: str) -> date | None:
    if not re.fullmatch(r"[0-9]{8}", text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def _clock(text: str) -> timedelta:
    """A time of day (PS3.5 TM), midnight when absent or damaged."""
    found = re.fullmatch(r"([01][0-9]|2[0-3])([0-5][0-9])?([0-5][0-9])?(\.[0-9]{1,6})?", text)
    if found is None:
        return timedelta()
    return timedelta(
        hours=int(found[1]),
        minutes=int(found[2] or 0),
        seconds=int(found[3] or 0),
        microseconds=int((found[4] or ".0")[1:].ljust(6, "0")),
    )
