"""DocumentReference, DiagnosticReport and ImagingStudy: notes and references to images."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence

from connectors.fhir.mapping_codes import label_of
from connectors.fhir.mapping_endpoints import endpoint_references
from connectors.fhir.mapping_facts import Facts
from connectors.fhir.mapping_fields import (
    FHIR_ID,
    Json,
    checked_status,
    element,
    elements,
    extension_string,
    string,
)
from connectors.fhir.mapping_references import patient_of
from connectors.fhir.mapping_times import moment, no_time, over
from prognosis.errors import MappingError
from prognosis.record import ImagingStudy, Note, Series

DICOM_UID = "urn:dicom:uid"
OWN_STUDY_UID = "urn:prognosis:study-uid"
VIEW_POSITION = "urn:prognosis:view-position"
"""Extension of ImagingStudy.series for DICOM (0018,5101) View Position: R4 has no element for it."""

ACCESSION, V2_IDENTIFIERS = "ACSN", "http://terminology.hl7.org/CodeSystem/v2-0203"

_VIEWS = frozenset({"AP", "PA", "LL", "RL", "RLD", "LLD", "RLO", "LLO"})
_TYPE = re.compile(
    r"text/(?:plain|markdown)(?:\s*;\s*charset=\"?(?P<charset>[\w\-]+)\"?)?\s*\Z", re.IGNORECASE
)
_SPACE = re.compile(r"\s+")


def document_to_facts(resource: Json, source: str) -> Facts:
    """Read a DocumentReference's inline text as a note dated when it was filed (`date`).

    Raises:
        MappingError: There is no time or patient, or the inline text cannot be decoded.
    """
    patient = patient_of(resource, source)
    stated, silent = frozenset({"current", "superseded"}), frozenset({"entered-in-error"})
    in_force = checked_status(resource, source, stated=stated, silent=silent)
    if not in_force or resource.get("docStatus") == "entered-in-error":
        return Facts(patient, notices=("DocumentReference entered in error: no fact",))
    contents = elements(resource, "content", source)
    attachments = [element(content, "attachment", source) or {} for content in contents]
    text = _inline_text(attachments, source)
    if text is None:
        return Facts(patient, notices=("DocumentReference without inline plain text: not read",))
    filed = moment(resource, "date", source)
    created = next((moment(item, "creation", source) for item in attachments if "creation" in item), None)
    known = filed or created
    if known is None:
        raise no_time(source, "date")
    notices = () if filed else ("DocumentReference attachment.creation used for date",)
    note = Note(known.last, text, label_of(element(resource, "type", source), source), source)
    return Facts(patient, notes=(note,), notices=notices)


def report_to_facts(resource: Json, source: str) -> Facts:
    """Read a DiagnosticReport's inline text and conclusion as a note dated when it was issued.

    Raises:
        MappingError: There is no time or patient, or the inline text cannot be decoded.
    """
    patient = patient_of(resource, source)
    stated = frozenset({"partial", "preliminary", "final", "amended", "corrected", "appended", "unknown"})
    silent = frozenset({"registered", "cancelled", "entered-in-error"})
    if not checked_status(resource, source, stated=stated, silent=silent):
        return Facts(patient, notices=("DiagnosticReport not issued, or entered in error: no fact",))
    text = _inline_text(elements(resource, "presentedForm", source), source)
    conclusion = string(resource, "conclusion", source)
    if conclusion is not None and conclusion not in (text or ""):
        text = conclusion if text is None else f"{text}\n\n{conclusion}"
    if text is None:
        return Facts(patient, notices=("DiagnosticReport without inline plain text or conclusion: not read",))
    issued = moment(resource, "issued", source)
    known = issued or over(resource, "effective", source)
    if known is None:
        raise no_time(source, "issued")
    notices = () if issued else ("DiagnosticReport.effective used for issued",)
    note = Note(known.last, text, label_of(element(resource, "code", source), source), source)
    return Facts(patient, notes=(note,), notices=notices)


def imaging_study_to_facts(resource: Json, source: str) -> Facts:
    """Read an ImagingStudy as a reference to images, dated by when they were acquired (`started`).

    Raises:
        MappingError: There is no study UID, time or patient, or a series has no UID.
    """
    patient = patient_of(resource, source)
    stated = frozenset({"available", "unknown"})
    silent = frozenset({"registered", "cancelled", "entered-in-error"})
    if not checked_status(resource, source, stated=stated, silent=silent):
        return Facts(patient, notices=("ImagingStudy not available, or entered in error: no fact",))
    started = moment(resource, "started", source)
    if started is None:
        raise no_time(source, "started")
    series = tuple(_series(item, source) for item in elements(resource, "series", source))
    study = ImagingStudy(
        started.last,
        _study_uid(resource, source),
        series,
        source,
        archives=endpoint_references(resource, source),
        accession=_accession(resource, source),
    )
    return Facts(patient, studies=(study,), happened=started.first)


def _accession(resource: Json, source: str) -> str:
    """The identifier that is typed as an accession number, "" where there is none."""
    for identifier in elements(resource, "identifier", source):
        kinds = elements(element(identifier, "type", source) or {}, "coding", source)
        if any(kind.get("code") == ACCESSION and kind.get("system") == V2_IDENTIFIERS for kind in kinds):
            return string(identifier, "value", source) or ""
    return ""


def _study_uid(resource: Json, source: str) -> str:
    for identifier in elements(resource, "identifier", source):
        system, value = identifier.get("system"), string(identifier, "value", source)
        if value is not None and system == OWN_STUDY_UID:
            return value
        if value is not None and system == DICOM_UID:
            uid = value.removeprefix("urn:oid:")
            if len(uid) > 64 or not re.fullmatch(r"[0-9]+(\.[0-9]+)*", uid):
                raise MappingError(
                    source, "its study UID is not a DICOM UID", "send digits and dots, at most 64"
                )
            return uid
    raise MappingError(
        source, "has no study UID", f"send identifier with system {DICOM_UID} and urn:oid:<UID>"
    )


def _series(node: Json, source: str) -> Series:
    uid = string(node, "uid", source)
    if uid is None or not FHIR_ID.match(uid):
        raise MappingError(source, "a series has no uid that is a FHIR id", "send the DICOM series UID")
    view = extension_string(node, VIEW_POSITION, source)
    if view is None:
        described = string(node, "description", source) or ""
        view = described if described in _VIEWS else ""
    body = element(node, "bodySite", source) or {}
    return Series(
        series_uid=uid,
        modality=string(element(node, "modality", source) or {}, "code", source) or "",
        view=view,
        body_part=string(body, "display", source) or string(body, "code", source) or "",
    )


def _inline_text(attachments: Sequence[Json], source: str) -> str | None:
    """The first plain text among the forms of a document; None when none is inline."""
    for attachment in attachments:
        kind = _TYPE.match(string(attachment, "contentType", source) or "text/plain")
        encoded = string(attachment, "data", source)
        if kind is None or encoded is None:
            continue
        text = _decoded(encoded, kind["charset"] or "utf-8", source)
        if text.strip():
            return text
        raise MappingError(source, "its text is empty", "send the document's text")
    return None


def _decoded(encoded: str, charset: str, source: str) -> str:
    try:
        content = base64.b64decode(_SPACE.sub("", encoded), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MappingError(source, "its data is not base64", "encode the text as base64") from error
    try:
        return content.decode(charset)
    except (LookupError, UnicodeError) as error:
        raise MappingError(source, "its text is not in the stated charset", "send UTF-8 text") from error
