"""Whom the live demonstration is about: simulated patients, or those of files that the user names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prognosis.cli.loading import report_quarantine
from prognosis.cli.sources import SCHEMES, export_fhir_dicom, read_records
from prognosis.cohort import Task
from prognosis.errors import CohortError, InputError
from prognosis.record import PatientRecord, Quarantine
from prognosis.simulate import Dials, simulate_cohort

SIMULATED = "simulation: a test that the parts work together, not clinical evidence"
REAL = "records of the sources named: a test that the parts work together, not clinical evidence"
_ON_THIS_MACHINE = frozenset({"folder", "file", "folder or file"})


def check_sources(sources: Sequence[str]) -> None:
    """Refuse what is not on this machine: the demonstration runs in a network that has nothing else in it.

    Raises:
        InputError: A source is a server.
    """
    for uri in sources:
        scheme = SCHEMES.get(uri.partition(":")[0])
        if scheme is not None and scheme.place not in _ON_THIS_MACHINE:
            raise InputError(uri, "is no folder and no file", "name files; a server is pulled by other verbs")


def write_simulated(patients: int, seed: int, folder: Path) -> int:
    """Write simulated patients as FHIR and DICOM; how many films could not be written."""
    quarantine = Quarantine()
    export_fhir_dicom(simulate_cohort(Dials(patients=patients), seed).records, folder, quarantine)
    return len(quarantine)


def write_real(sources: Sequence[str], task: Task, patients: int, folder: Path) -> int:
    """Write the first patients of some sources that have a study, as FHIR and DICOM.

    A film is written only where what is read back is what was read; another is told of and left out, and is
    then on neither side of what is compared.

    Returns:
        How many studies were left out, of these patients.

    Raises:
        CohortError: Nobody has a study.
        SourceError: A source cannot be read, or the folder cannot be written.
    """
    found, left_out = Quarantine(), Quarantine()
    records = read_records(sources, task, found)
    report_quarantine(found)
    chosen: list[PatientRecord] = [each for each in records if each.studies][:patients]
    if not chosen:
        raise CohortError(", ".join(sources), "have nobody with an imaging study", "name sources with films")
    export_fhir_dicom(chosen, folder, left_out)
    if len(left_out):
        report_quarantine(left_out)
    return len(left_out)
