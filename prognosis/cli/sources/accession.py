"""Studies that a record and an archive know under different UIDs, found by their accession number."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from prognosis.record import ImagingStudy, PatientRecord, Quarantine
from prognosis.record.source import StudySource


def with_uids_of_archives(
    records: Sequence[PatientRecord],
    stores: Sequence[StudySource],
    held: Mapping[str, str],
    quarantine: Quarantine,
) -> tuple[PatientRecord, ...]:
    """The records, where a study's UID is not held but its accession number is, with the UID that is.

    Only where the number leads to one study alone, in the records and in the archives, and to one of the same
    patient: one order may be many studies.

    Args:
        records: From sources of records.
        stores: Sources of pixels; archives state accession numbers.
        held: The patient id of each study that they hold, by study UID.
        quarantine: Where it is noticed.
    """
    from connectors.dicom import DicomWeb

    named: dict[str, list[str]] = defaultdict(list)
    for store in stores:
        if isinstance(store, DicomWeb):
            for uid, accession in store.accession_numbers(quarantine).items():
                named[accession].append(uid)
    known = {study.study_uid for record in records for study in record.studies}
    asked = Counter(study.accession for record in records for study in record.studies)

    def found(study: ImagingStudy, record: PatientRecord) -> ImagingStudy:
        uids = named.get(study.accession) or []
        alone = len(uids) == 1 == asked[study.accession] and uids[0] not in known
        if study.store is not None or study.study_uid in held or not study.accession or not alone:
            return study
        if held.get(uids[0]) != record.patient_id:
            return study
        quarantine.notice("study found by its accession number: the archive has another UID")
        return replace(study, study_uid=uids[0])

    return tuple(
        replace(record, studies=tuple(found(study, record) for study in record.studies)) for record in records
    )
