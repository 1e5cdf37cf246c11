"""Records from several sources as one cohort, with the pixels of their studies joined by study UID."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from prognosis.cli.sources.accession import with_uids_of_archives
from prognosis.cli.sources.endpoints import EndpointArchives, another_patient, open_stated
from prognosis.cli.sources.opening import open_sources
from prognosis.cohort.task import Task
from prognosis.errors import SourceError, StudyError
from prognosis.record import ImagingStudy, PatientRecord, Quarantine, RecordSource
from prognosis.record.source import StudySource

PROGRESS_EVERY = 200

Progress = Callable[[str, int], None]


def read_records(
    uris: Sequence[str],
    task: Task | None,
    quarantine: Quarantine,
    on_progress: Progress | None = None,
) -> tuple[PatientRecord, ...]:
    """Every patient of the sources, each once.

    A DICOM folder or archive beside sources of records lends its pixels to their studies, by study UID; a
    study whose DICOM patient id differs from the record's is set aside, never joined, and so is a study that
    no record knows. A DICOM folder or archive named alone gives records that hold studies only.

    Args:
        uris: Names of sources, see `open_sources`.
        task: Says what a table's columns mean.
        quarantine: Where input that cannot be used goes.
        on_progress: Called with a source's name and the patients read from it so far.

    Raises:
        SourceError: A source cannot be read, two sources hold the same patient, or there is no patient.
        TaskError: A table is named and the task does not say what its columns mean.
    """
    opened = Opened.of(open_sources(uris, task))
    opened.look_for_pixels(quarantine)
    records: list[PatientRecord] = []
    for source in opened.givers:
        records += _counted(source, quarantine, on_progress)
    return opened.joined(records, quarantine)


@dataclass(frozen=True, slots=True)
class Opened:
    """Sources, by what each is for.

    Attributes:
        givers: Those whose records are read.
        stores: Those that lend pixels to them.
        endpoints: Archives that records may name.
    """

    givers: tuple[RecordSource, ...]
    stores: tuple[StudySource, ...]
    endpoints: tuple[EndpointArchives, ...]

    @classmethod
    def of(cls, opened: Sequence[RecordSource]) -> Opened:
        """DICOM folders and archives give records only where nothing else does."""
        endpoints = tuple(source for source in opened if isinstance(source, EndpointArchives))
        sources = [source for source in opened if not isinstance(source, EndpointArchives)] or opened
        stores = tuple(source for source in sources if isinstance(source, StudySource))
        givers = tuple(source for source in sources if not isinstance(source, StudySource))
        return cls(givers, stores, endpoints) if givers else cls(tuple(sources), (), endpoints)

    def look_for_pixels(self, quarantine: Quarantine) -> None:
        """Ask the stores which studies they hold, which they then know: before the records are read.

        A hospital's records take minutes; an archive whose address is wrong, or that is down, should not be
        found out only after them.

        Raises:
            SourceError: A store cannot be read.
        """
        for store in self.stores:
            store.study_patients(quarantine)

    def joined(
        self, records: Iterable[PatientRecord], quarantine: Quarantine, *, whole: bool = True
    ) -> tuple[PatientRecord, ...]:
        """The records in order, with the pixels of their studies.

        Args:
            records: Of the givers.
            quarantine: Where studies go that cannot be joined.
            whole: Whether these are all records; else a study that none of them knows is another patient's.

        Raises:
            SourceError: Two sources hold the same patient, or there is none.
        """
        by_key: dict[str, PatientRecord] = {}
        for record in records:
            if record.key in by_key:
                raise SourceError(
                    self._named(),
                    f"one holds a patient of the site {record.site!r} that another source holds too",
                    "name each export once; a patient may be in one source only",
                )
            by_key[record.key] = record
        if not by_key:
            problem = f"gave no patient ({_set_aside(quarantine)})"
            raise SourceError(self._named(), problem, "check the sources")
        ordered = tuple(by_key[key] for key in sorted(by_key))
        if not self.endpoints and all(isinstance(source, StudySource) for source in self.givers):
            return ordered
        opened = open_stated(ordered, self.endpoints, quarantine)
        return join_pixels(opened, self.stores, quarantine, whole=whole)

    def _named(self) -> str:
        return ", ".join(source.uri for source in self.givers)


def _set_aside(quarantine: Quarantine) -> str:
    first = next(iter(quarantine.rejections), None)
    why = "" if first is None else f", the first: {first.reference}: {first.problem}; {first.remedy}"
    return f"{len(quarantine)} inputs set aside{why}"


def _counted(
    source: RecordSource, quarantine: Quarantine, on_progress: Progress | None
) -> Iterator[PatientRecord]:
    count = 0
    for record in source.records(quarantine):
        count += 1
        if on_progress is not None and count % PROGRESS_EVERY == 0:
            on_progress(source.uri, count)
        yield record
    if on_progress is not None:
        on_progress(source.uri, count)


def join_pixels(
    records: Sequence[PatientRecord],
    stores: Sequence[StudySource],
    quarantine: Quarantine,
    *,
    whole: bool = True,
) -> tuple[PatientRecord, ...]:
    """The records with each study's pixels attached, where a store holds them for the same patient.

    Args:
        records: From sources of records.
        stores: DICOM folders and archives.
        quarantine: Where studies of a wrong patient and studies that no record knows go.
        whole: Whether the records are all; else a study that none of them knows may be another patient's.
    """
    holders: dict[str, tuple[StudySource, str]] = {}
    for store in stores:
        for study_uid, patient_id in store.study_patients(quarantine).items():
            if study_uid in holders:
                quarantine.notice("study held by two sources of pixels; the first is used")
                continue
            holders[study_uid] = (store, patient_id)
    patients = {uid: patient_id for uid, (_, patient_id) in holders.items()}
    records = with_uids_of_archives(records, stores, patients, quarantine)
    joined = tuple(_joined(record, holders, quarantine) for record in records)
    known = {study.study_uid for record in records for study in record.studies}
    for study_uid in sorted(holders.keys() - known) if whole else ():
        quarantine.reject(
            StudyError(
                f"ImagingStudy {study_uid}",
                "has pixels but is in no record",
                "add its ImagingStudy to the records, or leave it out",
            )
        )
    return joined


def _joined(
    record: PatientRecord, holders: Mapping[str, tuple[StudySource, str]], quarantine: Quarantine
) -> PatientRecord:
    studies: list[ImagingStudy] = []
    for study in record.studies:
        if study.store is not None:
            studies.append(study)
            continue
        holder = holders.get(study.study_uid)
        if holder is None:
            quarantine.notice("study without pixels: no source given holds them")
            studies.append(study)
            continue
        store, patient_id = holder
        if patient_id not in {"", record.patient_id}:
            quarantine.reject(another_patient(study))
            continue
        if not patient_id:
            quarantine.notice("DICOM files without a patient id joined by study UID alone")
        studies.append(replace(study, store=store))
    return replace(record, studies=tuple(studies))
