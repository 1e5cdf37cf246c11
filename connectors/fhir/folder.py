"""A folder of FHIR R4 files as a source of patient records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from connectors.fhir.bulk_export.state import noted_export
from connectors.fhir.files import folder_resources
from connectors.fhir.gather import Gathered
from connectors.fhir.join import joined_records, records_of
from connectors.fhir.lines_about import gathered_about
from prognosis.errors import SourceError
from prognosis.record import PatientRecord, Quarantine


class FhirFolder:
    """Patient records from Bulk NDJSON (.ndjson, .ndjson.gz) and from Bundles or single resources (.json).

    Facts are joined to patients across all files, so every mapped fact is held in memory at once (about
    half a kilobyte each); the JSON itself is not. Every resource is counted once, as accepted under its
    type or as one rejection.

    Args:
        path: The folder; read recursively, links out of it are refused.
        uri: How the user named it, e.g. "fhir-folder:/data/export".
        latest: When the export was made, if known: facts dated later are set aside.
    """

    def __init__(self, path: Path, uri: str, *, latest: datetime | None = None) -> None:
        self.path = path
        self.uri = uri
        self.latest = latest

    def records(self, quarantine: Quarantine) -> Iterator[PatientRecord]:
        """Each patient once, sorted by patient id; what cannot be read goes to `quarantine`.

        Raises:
            SourceError: The folder is absent, holds no FHIR file, an export that was stopped, or no Patient
                that can be read.
        """
        noted_export(self.path, quarantine)
        gathered = Gathered(quarantine)
        for where, resource in folder_resources(self.path, quarantine):
            gathered.add(where, resource)
        gathered.finish()
        self._check(gathered)
        yield from joined_records(gathered, self.latest)

    def patient(self, patient_id: str, quarantine: Quarantine) -> tuple[PatientRecord, ...]:
        """The record of one patient, as `records` would give it, without parsing lines about others.

        Args:
            patient_id: As records have it: Patient.id, or the identifier that an export gave it.
            quarantine: Where what cannot be read of this patient goes.

        Returns:
            One at each site that has the id; none where there is no such patient, or another has replaced it.

        Raises:
            SourceError: As of `records`.
        """
        noted_export(self.path, quarantine)
        gathered, persons, chosen = gathered_about(self.path, patient_id, quarantine)
        self._check(gathered)
        return tuple(records_of(gathered, persons, chosen, self.latest))

    def _check(self, gathered: Gathered) -> None:
        if not gathered.persons:
            problem = f"holds no Patient that can be read ({len(gathered.quarantine)} rejections)"
            raise SourceError(self.uri, problem, "export Patient resources too, and mend those set aside")
