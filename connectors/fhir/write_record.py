"""One patient's record as FHIR R4 resources."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from connectors.fhir.mapping_documents import DICOM_UID, OWN_STUDY_UID, VIEW_POSITION
from connectors.fhir.mapping_fields import FHIR_ID
from connectors.fhir.mapping_person import DEATH, PATIENT_ID
from connectors.fhir.write_elements import Resource, absent, instant, labelled
from connectors.fhir.write_events import event_resources
from connectors.fhir.write_ids import IdRegister
from connectors.fhir.write_subject import Subject
from prognosis.errors import MappingError
from prognosis.record import Event, ImagingStudy, Note, PatientRecord

_UID = re.compile(r"[0-9]+(\.[0-9]+)*\Z")


def record_resources(record: PatientRecord, organization: str | None, ids: IdRegister) -> Iterator[Resource]:
    """The resources that state one record: the Patient first, then everything about it.

    Args:
        record: One patient.
        organization: "Organization/x" of the patient's site; None when the record has no site.
        ids: The ids already used in this export.

    Raises:
        MappingError: Something in the record cannot be said in FHIR (a number that is not finite, a
            code without a value, a series without a FHIR id).
    """
    identity = ids.keep("Patient", record.patient_id) or ids.derive("Patient", record.site, record.patient_id)
    death = next((event for event in record.events if _is_death(event)), None)
    subject = Subject(f"Patient/{identity}", death.time if death else None, ids)
    yield _patient(record, identity, organization, death)
    yield from event_resources([event for event in record.events if event is not death], subject)
    for note in record.notes:
        if note.text.strip():
            yield (
                _report(note, subject)
                if note.source.startswith("DiagnosticReport/")
                else _document(note, subject)
            )
    for study in record.studies:
        yield _imaging_study(study, subject)


def _is_death(event: Event) -> bool:
    return event.code == DEATH and event.number is None and event.text is None


def _patient(record: PatientRecord, identity: str, organization: str | None, death: Event | None) -> Resource:
    written: Resource = {"resourceType": "Patient", "id": identity}
    if identity != record.patient_id:
        written["identifier"] = [{"system": PATIENT_ID, "value": record.patient_id}]
    if record.sex is not None:
        written["gender"] = record.sex
    if record.birth_date is not None:
        written["birthDate"] = record.birth_date.isoformat()
    if death is not None:
        written["deceasedDateTime"] = instant(death.time)
    if organization is not None:
        written["managingOrganization"] = {"reference": organization, "display": record.site}
    return written


def _attachment(text: str, source: str) -> Resource:
    try:
        encoded = text.encode()
    except UnicodeEncodeError as error:
        raise MappingError(source, "its text is not Unicode", "mend the text's encoding") from error
    return {"contentType": "text/plain; charset=utf-8", "data": base64.b64encode(encoded).decode("ascii")}


def _document(note: Note, subject: Subject) -> Resource:
    written = subject.resource("DocumentReference", note.source) | {
        "status": "current",
        "date": instant(note.time),
    }
    if note.kind.strip():
        written["type"] = labelled(note.kind)
    return written | {"content": [{"attachment": _attachment(note.text, note.source)}]}


def _report(note: Note, subject: Subject) -> Resource:
    return subject.resource("DiagnosticReport", note.source) | {
        "status": "final",
        "code": labelled(note.kind),
        "issued": instant(note.time),
        "presentedForm": [_attachment(note.text, note.source)],
    }


def _imaging_study(study: ImagingStudy, subject: Subject) -> Resource:
    reference = f"ImagingStudy {study.study_uid}"
    source = study.source
    if not source.startswith("ImagingStudy/"):
        source = f"ImagingStudy/{study.study_uid}"
    uid = {"system": OWN_STUDY_UID, "value": study.study_uid}
    if len(study.study_uid) <= 64 and _UID.match(study.study_uid):
        uid = {"system": DICOM_UID, "value": f"urn:oid:{study.study_uid}"}
    written = subject.resource("ImagingStudy", source)
    written |= {"identifier": [uid], "status": "available", "started": instant(study.time)}
    if not study.series:
        return written
    series: list[Resource] = []
    for one in study.series:
        if not FHIR_ID.match(one.series_uid):
            raise MappingError(reference, "a series UID is not a FHIR id", "give the series DICOM UIDs")
        modality = {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": one.modality}
        item: Resource = {"uid": one.series_uid, "modality": modality if one.modality else absent()}
        if one.body_part:
            item["bodySite"] = {"display": one.body_part}
        if one.view:
            item["extension"] = [{"url": VIEW_POSITION, "valueString": one.view}]
        series.append(item)
    return written | {"series": series}
