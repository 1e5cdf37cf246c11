"""One patient of some sources, without reading the others where a source can be asked for one."""

from __future__ import annotations

from collections.abc import Sequence

from prognosis.cli.sources.opening import open_sources
from prognosis.cli.sources.reading import Opened
from prognosis.cohort.task import Task
from prognosis.record import PatientRecord, Quarantine
from prognosis.record.source import PatientSource


def read_patient(
    uris: Sequence[str], task: Task | None, patient: str, quarantine: Quarantine
) -> tuple[PatientRecord, ...] | None:
    """The records of one patient, as `read_records` would give them among the others.

    Args:
        uris: Names of sources.
        task: Says what a table's columns mean.
        patient: An id, or site/id.
        quarantine: Where input about the patient goes that cannot be used.

    Returns:
        One at each site that has the id, none where there is no such patient; None where all are to be read:
        a source can only be read as a whole, or a folder does not hold the patient, but may hold an id
        like it.

    Raises:
        SourceError: A source cannot be read, or two hold the same patient.
    """
    from connectors.fhir import FhirFolder

    opened = Opened.of(open_sources(uris, task))
    sources = [source for source in opened.givers if isinstance(source, PatientSource)]
    if len(sources) < len(opened.givers):
        return None
    opened.look_for_pixels(quarantine)
    ids = {patient, *(patient[place + 1 :] for place, each in enumerate(patient) if each == "/")}
    found = [
        record
        for source in sources
        for identity in sorted(ids - {""})
        for record in source.patient(identity, quarantine)
        if patient in (record.patient_id, record.key)
    ]
    if not found:
        return None if any(isinstance(source, FhirFolder) for source in sources) else ()
    return opened.joined(found, quarantine, whole=False)
