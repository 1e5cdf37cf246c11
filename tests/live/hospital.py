"""A hospital's two servers on loopback, which hold one simulated cohort: records here, films there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from prognosis.cli.sources import export_fhir_dicom, read_records
from prognosis.cohort import Case, Task, build_cohort
from prognosis.record import PatientRecord, Quarantine
from prognosis.simulate import Dials, simulate_cohort
from tests.live import orthanc, sekmet
from tests.simulated import TASK_PATH
from tests.simulated import hospital as sources_of

PATIENTS = 200
KINDS = ("Device", "RiskAssessment", "Observation", "DiagnosticReport", "Provenance", "AuditEvent")
SEED = 1
"""Not that of the small cohort: no model of the tests was trained on these patients."""


@dataclass(frozen=True, slots=True)
class Hospital:
    """Two servers and the files that they were filled from.

    Attributes:
        files: FHIR and DICOM.
        address: Of the FHIR server.
        archive: Of films.
        cases: Of the files, everybody's.
    """

    files: Path
    address: str
    archive: orthanc.Orthanc
    cases: tuple[Case, ...]

    @property
    def records_uri(self) -> str:
        """The FHIR server as a source."""
        return f"fhir-server:{self.address}"

    @property
    def films_uri(self) -> str:
        """The archive as a source."""
        return f"dicomweb:{self.archive.root}"

    @property
    def uris(self) -> tuple[str, str]:
        """Both, as the options of a command."""
        return self.records_uri, self.films_uri

    @property
    def complete(self) -> list[Case]:
        """The cases that have every modality."""
        return [case for case in self.cases if case.record.notes and case.record.studies]


def cases_of(records: tuple[PatientRecord, ...]) -> tuple[Case, ...]:
    """Everybody that the task asks about, with an outcome or without."""
    return build_cohort(Task.load(TASK_PATH), records, require_labels=False).cases


def counts(hospital: Hospital) -> dict[str, int]:
    """How many resources of each type the FHIR server holds, and objects the archive."""
    held = {kind: sekmet.asked(hospital.address, f"{kind}?_summary=count")["total"] for kind in KINDS}
    archived = httpx.get(f"{hospital.archive.rest}/statistics", trust_env=False).json()
    return {**held, "objects": archived["CountInstances"]}


@contextmanager
def running(folder: Path) -> Iterator[Hospital]:
    """Both servers with the cohort in them, stopped afterwards; skipped where one is absent."""
    files = folder / "files"
    (folder / "fhir").mkdir()
    with sekmet.running(folder / "fhir") as address, orthanc.running(folder / "orthanc") as archive:
        export_fhir_dicom(simulate_cohort(Dials(patients=PATIENTS), SEED).records, files, Quarantine())
        sekmet.load(address, files / "fhir")
        orthanc.load(archive, files / "dicom")
        read = read_records(sources_of(files), Task.load(TASK_PATH), Quarantine())
        yield Hospital(files, address, archive, cases_of(read))
