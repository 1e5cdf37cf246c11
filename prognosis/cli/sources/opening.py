"""From the names of sources, scheme:place, to the connectors that read them."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from prognosis.cli.sources.endpoints import EndpointArchives
from prognosis.cli.sources.fhir_login import CREDENTIALS, fhir_login
from prognosis.cohort.table import OutcomeMapping, TableMapping
from prognosis.cohort.task import Task
from prognosis.errors import SourceError, TaskError
from prognosis.record import RecordSource

if TYPE_CHECKING:
    from connectors.datasets.columns import TableColumns

DICOMWEB_TOKEN = "PROGNOSIS_DICOMWEB_TOKEN"  # noqa: S105 - the variable's name
"""The environment variable that holds a bearer token for a DICOMweb archive that asks for one."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """One kind of source.

    Attributes:
        form: How it is written, e.g. "fhir-folder:DIR".
        place: What must be there: a folder, a file, one of the two, or nothing (a name, an address).
        meaning: For people.
        open: Makes the source from what follows the colon, the whole name, and the task.
    """

    form: str
    place: Literal["folder", "file", "folder or file", "name", "address"]
    meaning: str
    open: Callable[[str, str, Task | None], RecordSource]


def _fhir_folder(place: str, uri: str, _task: Task | None) -> RecordSource:
    from connectors.fhir import FhirFolder

    return FhirFolder(Path(place), uri)


def _fhir_server(place: str, uri: str, _task: Task | None) -> RecordSource:
    from connectors.fhir import FhirServer

    return FhirServer(place, uri, login=fhir_login(place))


def _dicom_folder(place: str, uri: str, _task: Task | None) -> RecordSource:
    from connectors.dicom import DicomFolder

    return DicomFolder(Path(place), uri)


def _dicomweb(place: str, uri: str, _task: Task | None) -> RecordSource:
    from connectors.dicom import DicomWeb

    return DicomWeb(place, uri, _dicomweb_token if DICOMWEB_TOKEN in os.environ else None)


def _dicom_endpoint(place: str, uri: str, _task: Task | None) -> RecordSource:
    return EndpointArchives(place, uri, _dicomweb_token if DICOMWEB_TOKEN in os.environ else None)


def _dicomweb_token() -> str:
    """Read each time: what runs long may be given a new one."""
    return os.environ[DICOMWEB_TOKEN].strip()


def _nifti_folder(place: str, uri: str, _task: Task | None) -> RecordSource:
    from connectors.nifti import NiftiFolder

    return NiftiFolder(Path(place), uri)


def _meds(place: str, uri: str, _task: Task | None) -> RecordSource:
    from connectors.meds import MedsSource

    return MedsSource(Path(place), uri)


def _hannover(place: str, uri: str, _task: Task | None) -> RecordSource:
    from connectors.datasets.hannover import HannoverCxr

    return HannoverCxr(Path(place), uri)


def _covid(place: str, uri: str, _task: Task | None) -> RecordSource:
    from connectors.datasets.covid import CovidCxr

    return CovidCxr(Path(place), uri)


def _image_archive(place: str, uri: str, _task: Task | None) -> RecordSource:
    from connectors.datasets.pneumonia import ImageArchive

    return ImageArchive(Path(place), uri)


def _table(place: str, uri: str, task: Task | None) -> RecordSource:
    from connectors.datasets.table import TableFile

    return TableFile(Path(place), uri, _columns(uri, task))


def _package(place: str, uri: str, task: Task | None) -> RecordSource:
    from connectors.datasets.package import PackageTable

    return PackageTable(place, uri, _columns(uri, task))


def _columns(uri: str, task: Task | None) -> TableColumns:
    """The task's table mapping, as the table reader takes it.

    Raises:
        TaskError: There is no task, or it does not say what the table's columns mean, or contradicts itself.
    """
    from connectors.datasets.columns import OutcomeColumns, TableColumns

    if task is None or task.table is None:
        raise TaskError(
            "the task" if task is None else f"task {task.name}",
            f"does not say what the columns of {uri} mean",
            "give a task with a `table:` section (time, event, event_causes)",
        )
    mapping = task.table
    if mapping.end is not None:
        _check_outcome(mapping.end, task, "table")
    for place, outcome in enumerate(mapping.further_outcomes):
        _check_outcome(outcome, task, f"further_outcomes.{place}")
    _check_arms(mapping, task)
    return TableColumns(
        time=mapping.time,
        event=mapping.event,
        event_causes=mapping.event_causes,
        censored_values=mapping.censored_values,
        patient_id=mapping.patient_id,
        cluster=mapping.cluster,
        days_per_unit=mapping.days_per_unit,
        ignore=mapping.ignore,
        categorical=mapping.categorical,
        missing_values=mapping.missing_values,
        keep_rows_where=mapping.keep_rows_where,
        further_outcomes=tuple(
            OutcomeColumns(each.time, each.event, each.event_causes, each.censored_values)
            for each in mapping.further_outcomes
        ),
        visit_time=mapping.visit_time,
        event_at_visits=mapping.event_at_visits,
        constant=mapping.constant,
        index_time=mapping.index_time,
        known_at=mapping.known_at,
    )


def _check_arms(mapping: TableMapping, task: Task) -> None:
    """Refuse a column of an arm or a stratum that is not read: everybody would be of none.

    Raises:
        TaskError: Such a column is ignored, or chooses the rows.
    """
    if task.treatment is None:
        return
    unread = {*mapping.ignore, *mapping.keep_rows_where}
    for code in sorted({*task.treatment.codes, *task.treatment.strata}):
        system, _, column = code.rpartition("|")
        if system == "table" and column in unread:
            problem = f"table.ignore or table.keep_rows_where names {column}, which says an arm or a stratum"
            raise TaskError(f"task {task.name}", problem, "leave it out: no evidence reads an arm's column")


def _check_outcome(outcome: OutcomeMapping, task: Task, reference: str) -> None:
    """Refuse an event that the task would not see, and so count as a censoring.

    Raises:
        TaskError: A cause is no code of the task, a value means two things, or one column is named twice.
    """
    reference = f"task {task.name}, {reference}"
    if outcome.time == outcome.event:
        raise TaskError(reference, "names one column as time and as event", "name two columns")
    both = sorted(set(outcome.event_causes) & set(outcome.censored_values))
    if both:
        raise TaskError(reference, f"says that {both[0]!r} is an event and a censoring", "name it once")
    known = task.excluded_codes.union(
        *(exclusion.codes for exclusion in task.exclusions), *(arm.codes for arm in task.arms)
    )
    for cause in outcome.event_causes.values():
        if f"outcome|{cause}" not in known:
            raise TaskError(
                reference,
                f"event_causes names {cause!r}, and the task reads no code 'outcome|{cause}'",
                "add it to a cause of the outcome, or list its value under censored_values",
            )


SCHEMES: dict[str, Scheme] = {
    "fhir-folder": Scheme("fhir-folder:DIR", "folder", "FHIR R4 Bulk NDJSON or Bundles", _fhir_folder),
    "fhir-server": Scheme("fhir-server:URL", "name", "FHIR R4 server, pulled over REST", _fhir_server),
    "dicom-folder": Scheme(
        "dicom-folder:DIR", "folder or file", "DICOM files, joined by study UID", _dicom_folder
    ),
    "dicomweb": Scheme("dicomweb:URL", "address", "a PACS: QIDO-RS and WADO-RS, as DICOM files", _dicomweb),
    "dicom-endpoint": Scheme(
        "dicom-endpoint:ORIGIN", "address", "archives there that ImagingStudy.endpoint names", _dicom_endpoint
    ),
    "nifti-folder": Scheme("nifti-folder:DIR", "folder", "NIfTI, PATIENT/DATE/NAME.nii.gz", _nifti_folder),
    "meds": Scheme("meds:DIR", "folder", "MEDS Parquet", _meds),
    "hannover-cxr": Scheme("hannover-cxr:DIR", "folder", "COVID-19 Image Repository, Hannover", _hannover),
    "covid-cxr": Scheme("covid-cxr:DIR", "folder", "covid-chestxray-dataset", _covid),
    "pneumoniamnist": Scheme("pneumoniamnist:FILE", "file", "any MedMNIST-like .npz", _image_archive),
    "table": Scheme("table:FILE", "file", "CSV or Parquet, mapped in the task", _table),
    "package": Scheme("package:NAME", "name", "a table inside an installed Python package", _package),
}


def open_sources(uris: Sequence[str], task: Task | None) -> list[RecordSource]:
    """The sources that the names stand for, in order.

    Args:
        uris: Names such as "fhir-folder:export"; paths are relative to the current folder.
        task: Says what a table's columns mean; other sources do not need it.

    Raises:
        SourceError: No name is given, one is given twice, a scheme is unknown, a place is not there, or
            one token would go to two servers.
        TaskError: A table is named and the task does not say what its columns mean.
    """
    if not uris:
        raise SourceError("sources", "none is given", f"name one, such as --source {_forms()}")
    repeated = sorted({uri for uri in uris if list(uris).count(uri) > 1})
    if repeated:
        raise SourceError(repeated[0], "is named twice", "name each source once")
    servers = [uri for uri in uris if uri.startswith("fhir-server:")]
    given = next((name for name in CREDENTIALS if name in os.environ), None)
    if len(servers) > 1 and given is not None:
        problem = f"is one of {len(servers)} servers, and {given} gives the token of one"
        raise SourceError(servers[1], problem, "name one server at a time")
    _check_one_archive(uris)
    return [_open(uri, task) for uri in uris]


def _check_one_archive(uris: Sequence[str]) -> None:
    """Refuse one token for archives of two origins.

    Raises:
        SourceError: There are two, and a token.
    """
    if DICOMWEB_TOKEN not in os.environ:
        return
    from connectors.dicom.web.address import address_of

    named = [uri.partition(":") for uri in uris]
    origins = {address_of(place).origin for name, _, place in named if name in {"dicomweb", "dicom-endpoint"}}
    if len(origins) > 1:
        problem = f"are at {len(origins)} origins, and {DICOMWEB_TOKEN} is the token of one"
        raise SourceError("the archives", problem, "name one archive at a time")


def _open(uri: str, task: Task | None) -> RecordSource:
    name, colon, place = uri.partition(":")
    scheme = SCHEMES.get(name)
    if scheme is None or not colon:
        near = difflib.get_close_matches(name, SCHEMES, n=1, cutoff=0.5)
        hint = f"did you mean {SCHEMES[near[0]].form}? " if near else ""
        raise SourceError(uri, "is not a kind of source", f"{hint}name one of {_forms()}")
    if not place:
        raise SourceError(uri, "names no place", f"write {scheme.form}")
    if scheme.place == "folder" and not Path(place).is_dir():
        raise SourceError(uri, "is not a folder", f"give an existing folder: {scheme.form}")
    if scheme.place == "file" and not Path(place).is_file():
        raise SourceError(uri, "is not a file", f"give an existing file: {scheme.form}")
    if scheme.place == "folder or file" and not Path(place).exists():
        raise SourceError(uri, "is not there", f"give an existing folder or file: {scheme.form}")
    return scheme.open(place, uri, task)


def _forms() -> str:
    return ", ".join(scheme.form for scheme in SCHEMES.values())
