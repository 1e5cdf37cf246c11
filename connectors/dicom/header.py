"""The facts of one DICOM file that are needed before its pixels: whose, of which study, how large, where."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

from connectors.dicom.fields import Fields, whole
from connectors.dicom.guard import PIXEL_BUDGET, faults_told, file_meta
from connectors.dicom.plain import read_plain
from connectors.dicom.reader import shared_reader
from prognosis.errors import StudyError

UID = re.compile(r"[0-9]+(\.[0-9]+)*")
LONGEST_UID = 64
FIRST_YEAR, LAST_YEAR = 1850, 2999
SEXES = {"M": "male", "F": "female", "O": "other"}
NO_IMAGE = {
    "1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation
    "1.2.840.10008.5.1.4.1.1.66.7",  # Label map segmentation
    "1.2.840.10008.5.1.4.1.1.30",  # Parametric map, such as the evidence maps that are written back
    "1.2.840.10008.5.1.4.1.1.481.2",  # RT Dose
}
"""SOP classes that have rows and columns and are made from images: evidence of nothing seen."""


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
    """The header of a DICOM file, None when it holds no image of a patient.

    Reports, presentation states, a DICOMDIR, segmentations, parametric maps and dose distributions are none.

    Args:
        path: The file.
        reference: What messages call it.

    Raises:
        StudyError: The file is damaged, encrypted, in an unknown syntax, too large, or has no usable UIDs.
    """
    plain = read_plain(path)
    if plain is not None and {"Rows", "Columns"} <= plain.fields.keys():
        fields: Fields | None = plain.fields
    else:
        fields = shared_reader().fields(path, reference)
    if fields is None or text_of(fields, "SOPClassUID") in NO_IMAGE:
        return None
    return _header(fields, path, reference)


def instance_uid(path: Path) -> str:
    """The SOP instance UID that a file's meta group states, image or not; "" where it cannot be read."""
    try:
        meta = file_meta(path, path.name)
        with faults_told(path.name):
            return uid_of({"uid": str(meta.get("MediaStorageSOPInstanceUID", ""))}, "uid", path.name)
    except StudyError:
        return ""


def _header(fields: Fields, path: Path, reference: str) -> Header:
    if "EncryptedAttributesSequence" in fields:
        raise StudyError(reference, "holds encrypted attributes", "export it decrypted")
    if not {"Rows", "Columns"} <= fields.keys():
        raise StudyError(reference, "is cut off or has no rows and columns", "export it again")
    sizes = [whole(fields, name, 0, reference) for name in ("Rows", "Columns")]
    sizes += [whole(fields, name, 1, reference) for name in ("NumberOfFrames", "SamplesPerPixel")]
    pixels = math.prod(sizes)
    if min(sizes) <= 0:
        raise StudyError(reference, "claims no pixels", "give images with rows and columns")
    if pixels > PIXEL_BUDGET:
        raise StudyError(
            reference, f"claims {pixels} pixels", f"give images of at most {PIXEL_BUDGET} pixels"
        )
    time, offset_stated = study_time(fields)
    return Header(
        path=path,
        study_uid=uid_of(fields, "StudyInstanceUID", reference),
        series_uid=uid_of(fields, "SeriesInstanceUID", reference),
        instance_uid=uid_of(fields, "SOPInstanceUID", reference),
        patient_id=text_of(fields, "PatientID"),
        time=time,
        offset_stated=offset_stated,
        modality=text_of(fields, "Modality").upper(),
        view=text_of(fields, "ViewPosition").upper(),
        body_part=text_of(fields, "BodyPartExamined").upper(),
        birth_date=date_of(text_of(fields, "PatientBirthDate")),
        sex=SEXES.get(text_of(fields, "PatientSex").upper()),
        pixels=pixels,
    )


def text_of(fields: Fields, keyword: str) -> str:
    """An element's text without padding, "" when it is absent."""
    return fields.get(keyword, "").strip(" \0")


def uid_of(fields: Fields, keyword: str, reference: str) -> str:
    """An element's UID (PS3.5 section 9).

    Raises:
        StudyError: It is absent, or no UID.
    """
    text = text_of(fields, keyword)
    if not UID.fullmatch(text) or len(text) > LONGEST_UID:
        raise StudyError(reference, f"has no usable {keyword}", "give digits and dots, at most 64")
    return text


def study_time(fields: Fields) -> tuple[datetime | None, bool]:
    """When the study was made: the first complete of the study, series, acquisition and content dates.

    Returns:
        The time, UTC, None where there is no date; and whether the offset from UTC was stated.
    """
    zone = _zone(text_of(fields, "TimezoneOffsetFromUTC"))
    for level in ("Study", "Series", "Acquisition", "Content"):
        day = date_of(text_of(fields, f"{level}Date"))
        if day is None:
            continue
        clock = _clock(text_of(fields, f"{level}Time"))
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


def date_of(text: str) -> date | None:
    """A date (PS3.5 DA), None when absent, damaged or of no living person."""
    if not re.fullmatch(r"[0-9]{8}", text):
        return None
    try:
        day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


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
