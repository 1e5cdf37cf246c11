"""A folder of FHIR R4 files as a source of patient records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from connectors.fhir.bulk_export.state import noted_export
from connectors.fhir.files import folder_resources
from connectors.fhir.gather import Gathered
from connectors.fhir.join import joined_records
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
        if not gathered.persons:
            problem = f"holds no Patient that can be read ({len(quarantine)} rejections)"
            raise SourceError(self.uri, problem, "export Patient resources too, and mend those set aside")
        yield from joined_records(gathered, self.latest)
