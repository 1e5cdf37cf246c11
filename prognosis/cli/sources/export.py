"""A cohort written as FHIR R4 Bulk NDJSON and DICOM files, as a hospital's data comes, or as MEDS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from prognosis.errors import SourceError, StudyError
from prognosis.record import ImagingStudy, PatientRecord, Quarantine, Series


def export_fhir_dicom(
    records: Sequence[PatientRecord],
    folder: Path,
    quarantine: Quarantine,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, int]:
    """Write records to folder/fhir/*.ndjson and their films to folder/dicom/**.dcm.

    The FHIR export is read back before the films are written: a film's PatientID is the id under which
    its ImagingStudy was found there, so that the two halves can only agree.

    Args:
        records: What to write.
        folder: Empty or new.
        quarantine: Where films that cannot be written exactly go.
        on_progress: Told (what, patients done, patients) while films are written, most of the time.

    Returns:
        How many of each resource type, and "DICOM instance", were written.

    Raises:
        SourceError: The folder is not empty or cannot be written, a record is a part of a patient, or FHIR
            lost a patient or a study.
    """
    from connectors.fhir import write_bulk

    folder = Path(folder)
    _refuse_parts(records)
    _claim(folder)
    written = dict(write_bulk(records, folder / "fhir"))
    owners = _study_owners(folder, records)
    instances = 0
    for done, record in enumerate(records, start=1):
        for study in record.studies:
            try:
                instances += _write_study(record, study, owners[study.study_uid], folder / "dicom")
            except StudyError as error:
                quarantine.reject(error)
        if on_progress is not None:
            on_progress("films of patients", done, len(records))
    written["DICOM instance"] = instances
    return written


def export_meds(records: Sequence[PatientRecord], folder: Path) -> dict[str, int]:
    """Write records as a MEDS folder, imaging studies as references without pixels.

    Returns:
        How many "subjects" and "rows" were written.

    Raises:
        SourceError: The folder is not empty or cannot be written, a record is a part of a patient, or a
            patient comes twice.
    """
    from connectors.meds import write_meds

    _refuse_parts(records)
    return write_meds(records, Path(folder))


def _refuse_parts(records: Sequence[PatientRecord]) -> None:
    """Neither form can say that two records are one patient's: read back, a split would part them."""
    parts = sum(bool(record.cluster) for record in records)
    if parts:
        raise SourceError(
            "the records to be written",
            f"hold {parts} that are parts of a patient (`table.cluster` of the task)",
            "export whole patients; train and benchmark from the table itself",
        )


def _claim(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        occupied = any(folder.iterdir())
        (folder / "fhir").mkdir(exist_ok=True)
        (folder / "dicom").mkdir(exist_ok=True)
    except OSError as error:
        raise SourceError(str(folder), "cannot be written", "give a new or empty folder") from error
    if occupied:
        raise SourceError(
            str(folder),
            "is not empty, and patients of two exports must not mix",
            "give a new or empty folder",
        )


def _study_owners(folder: Path, records: Sequence[PatientRecord]) -> dict[str, str]:
    """The patient id of each study as the export's own reader finds it."""
    from connectors.fhir import FhirFolder

    check = Quarantine()
    back = list(FhirFolder(folder / "fhir", f"fhir-folder:{folder}").records(check))
    owners = {study.study_uid: record.patient_id for record in back for study in record.studies}
    lost = {study.study_uid for record in records for study in record.studies} - owners.keys()
    if lost or len(back) != len(records):
        raise SourceError(
            str(folder),
            f"reads back as {len(back)} of {len(records)} patients and lacks {len(lost)} studies",
            "export records whose patient ids and study UIDs are unique",
        )
    return owners


def _write_study(record: PatientRecord, study: ImagingStudy, patient_id: str, folder: Path) -> int:
    from connectors.dicom import write_film

    volumes = study.volumes()
    series = {each.series_uid: each for each in study.series}
    for number, volume in enumerate(volumes, start=1):
        series_uid = volume.source.rpartition("#")[2]
        write_film(
            volume,
            folder / study.study_uid / f"{number}.dcm",
            study=study,
            series=series.get(series_uid) or Series(series_uid, volume.modality, volume.view),
            patient_id=patient_id,
            birth_date=record.birth_date,
            sex=record.sex,
            number=number,
        )
    return len(volumes)
