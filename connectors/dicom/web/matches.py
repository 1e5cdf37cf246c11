"""What an archive says that it holds: studies, their series and instances (QIDO-RS, PS3.18 section 10.6)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from connectors.dicom.fields import USED, Fields, whole
from connectors.dicom.header import SEXES, date_of, study_time, text_of, uid_of
from connectors.dicom.web.session import Answer, AnswerCutOffError, Query, Session
from prognosis.errors import SourceError, StudyError
from prognosis.record import Quarantine, Series

PAGE = 200
MOST_MATCHES = 1_000_000
MOST_PAGE_BYTES = 64 * 2**20
JSON = "application/dicom+json"
COUNT = "NumberOfStudyRelatedInstances"
ACCESSION = "AccessionNumber"
KEYWORDS = {f"{tag:08X}": keyword for tag, (keyword, _) in USED.items()} | {
    "00201208": COUNT,
    "00080050": ACCESSION,
}


@dataclass(frozen=True, slots=True)
class StudyMatch:
    """One study as the archive states it.

    Attributes:
        study_uid: Study instance UID.
        patient_id: "" where none is stated.
        time: When it was made (aware), None where no date is stated.
        offset_stated: Whether the offset from UTC was; UTC is assumed where it was not.
        birth_date: Of the patient, None where not stated.
        sex: Of the patient, None where not stated.
        instances: How many it has, of whatever kind; None where the archive does not say.
        accession: Its accession number, "" where none is stated.
    """

    study_uid: str
    patient_id: str
    time: datetime | None
    offset_stated: bool
    birth_date: date | None
    sex: str | None
    instances: int | None
    accession: str = ""


def find_studies(session: Session, quarantine: Quarantine) -> tuple[StudyMatch, ...]:
    """The studies that the address asks for; what states no usable UID is set aside.

    Raises:
        SourceError: The archive cannot be asked, or its pages do not go on.
    """
    query = (*session.address.matching, ("includefield", "TimezoneOffsetFromUTC"), ("includefield", COUNT))
    found: dict[str, StudyMatch] = {}
    for place, fields in enumerate(_rows(session, "studies", query, "StudyInstanceUID")):
        try:
            match = _study(fields, f"study {place + 1} of the archive's answer")
        except StudyError as error:
            quarantine.reject(error)
            continue
        found[match.study_uid] = match
    return tuple(found[uid] for uid in sorted(found))


def find_instance_count(session: Session, study_uid: str) -> int:
    """How many instances a study has now.

    Raises:
        SourceError: The archive cannot be asked.
        StudyError: It does not hold the study, or does not say how many: nobody could tell whether all came.
    """
    reference = f"ImagingStudy {study_uid}"
    match = find_study(session, study_uid)
    if match is None:
        raise StudyError(reference, "is not in the archive", "ask for the studies again")
    if match.instances is None:
        raise StudyError(
            reference, f"has no {COUNT} in the archive", "let the archive state it, or export files"
        )
    return match.instances


def find_study(session: Session, study_uid: str) -> StudyMatch | None:
    """One study by its UID, None where the archive does not hold it.

    Raises:
        SourceError: The archive cannot be asked.
        StudyError: What it states of the study cannot be read.
    """
    query = (
        ("StudyInstanceUID", study_uid),
        ("includefield", COUNT),
        ("includefield", "TimezoneOffsetFromUTC"),
    )
    for fields in _rows(session, "studies", query, "StudyInstanceUID"):
        if text_of(fields, "StudyInstanceUID") == study_uid:
            return _study(fields, f"ImagingStudy {study_uid}")
    return None


def find_series(session: Session, study_uid: str) -> tuple[Series, ...]:
    """A study's series by UID, with their views where the archive states them at this level.

    Raises:
        SourceError: The archive cannot be asked, or its pages do not go on.
        StudyError: A series states no usable UID.
    """
    query = (("includefield", "ViewPosition"), ("includefield", "BodyPartExamined"))
    rows = _rows(session, f"studies/{study_uid}/series", query, "SeriesInstanceUID")
    found = {}
    for fields in rows:
        uid = uid_of(fields, "SeriesInstanceUID", f"ImagingStudy {study_uid}")
        stated = (text_of(fields, name).upper() for name in ("Modality", "ViewPosition", "BodyPartExamined"))
        found[uid] = Series(uid, *stated)
    return tuple(found[uid] for uid in sorted(found))


def find_instances(session: Session, study_uid: str) -> frozenset[str]:
    """The UIDs of a study's instances; none where the archive does not hold it.

    Raises:
        SourceError: The archive cannot be asked, or its pages do not go on.
    """
    rows = _rows(session, f"studies/{study_uid}/instances", (), "SOPInstanceUID")
    return frozenset(text_of(fields, "SOPInstanceUID") for fields in rows)


def _study(fields: Fields, reference: str) -> StudyMatch:
    uid = uid_of(fields, "StudyInstanceUID", reference)
    time, offset_stated = study_time(fields)
    count = whole(fields, COUNT, -1, f"ImagingStudy {uid}")
    return StudyMatch(
        study_uid=uid,
        patient_id=text_of(fields, "PatientID"),
        time=time,
        offset_stated=offset_stated,
        birth_date=date_of(text_of(fields, "PatientBirthDate")),
        sex=SEXES.get(text_of(fields, "PatientSex").upper()),
        instances=count if count >= 0 else None,
        accession=text_of(fields, ACCESSION),
    )


def _rows(session: Session, path: str, query: Query, key: str) -> Iterator[Fields]:
    """Every match, page by page until one is empty: an archive may give shorter pages than it was asked for.

    Raises:
        SourceError: A page brings nothing but what came before, or there are more than `MOST_MATCHES`.
    """
    seen: set[str] = set()
    offset = 0
    while True:
        paged = (*query, ("limit", str(PAGE)), ("offset", str(offset)))
        page = session.get(path, JSON, partial(_page, session.uri, path), query=paged, statuses=ANSWERED)
        if not page:
            return
        uids = {text_of(fields, key) for fields in page}
        if uids <= seen:
            raise SourceError(
                session.uri, "answers the same page again", "use an archive that heeds `offset`"
            )
        if offset + len(page) > MOST_MATCHES:
            raise SourceError(session.uri, f"gives more than {MOST_MATCHES} matches", "name a StudyDate")
        yield from (fields for fields in page if text_of(fields, key) not in seen)
        seen |= uids
        offset += len(page)


ANSWERED = frozenset({200, 204, 404})
"""204: no match. 404: what is asked below a study that is not there."""

_ROOT = "check that the address is a DICOMweb root: what it has before /studies"


def _page(uri: str, path: str, answer: Answer) -> list[Fields]:
    if answer.status == 404 and path == "studies":  # of a search without a match it would be 204, or 200
        raise SourceError(uri, "knows no search for studies (status 404)", _ROOT)
    if answer.status != 200:
        return []
    body = bytearray()
    for piece in answer.pieces:
        body += piece
        if len(body) > MOST_PAGE_BYTES:
            raise SourceError(
                uri, f"gives a page of more than {MOST_PAGE_BYTES} bytes", "use another archive"
            )
    try:
        stated = json.loads(body)
    except (ValueError, RecursionError) as error:
        text = body.strip()
        if not text or (text.startswith(b"[") and not text.endswith(b"]")):
            raise AnswerCutOffError from error
        raise SourceError(uri, "answers a search without JSON", _ROOT) from error
    if not isinstance(stated, list) or not all(isinstance(row, dict) for row in stated):
        raise SourceError(uri, "answers a search without a list of matches", _ROOT)
    return [_fields(row) for row in stated]


def _fields(row: dict[str, object]) -> dict[str, str]:
    """A match in DICOM's JSON model (PS3.18 annex F) as text; what is nested is of no use here."""
    found: dict[str, str] = {}
    for tag, element in row.items():
        keyword = KEYWORDS.get(tag.upper())
        values = element.get("Value") if isinstance(element, dict) else None
        if keyword is not None and isinstance(values, list):
            found[keyword] = "\\".join(str(value) for value in values if isinstance(value, (str, int, float)))
    return found
