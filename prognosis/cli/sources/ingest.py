"""A large FHIR export ingested into a store that `meds:DIR` reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from prognosis.errors import SourceError

INGESTED = "fhir-folder"


@dataclass(frozen=True, slots=True)
class IngestAccount:
    """What came of an export, by resource type; received = accepted + rejected.

    Attributes:
        received: Resources, and lines and files that are none.
        accepted: Those that the store holds, or that were understood and state nothing.
        rejected: Those in `metadata/quarantine.parquet` of the store.
        notices: What a reader of the cohort should know, with how often.
        written: How many "subjects" and "rows" the store has.
        bytes_read: Of the export's files.
    """

    received: Mapping[str, int]
    accepted: Mapping[str, int]
    rejected: Mapping[str, int]
    notices: Mapping[str, int]
    written: Mapping[str, int]
    bytes_read: int


def ingest(uri: str, store: Path, *, validate: bool) -> IngestAccount:
    """Read `fhir-folder:DIR` into a store.

    Args:
        uri: The source.
        store: New or empty, or one whose ingest of the same files was stopped.
        validate: Look at the structure of every line too.

    Raises:
        SourceError: The source is of another kind or cannot be read, or the store cannot be written.
    """
    from connectors.fhir.ingest.export import Settings, ingest_folder
    from connectors.meds.store import write_store

    scheme, _, place = uri.partition(":")
    if scheme != INGESTED or not place:
        raise SourceError(
            uri, "cannot be ingested", f"name {INGESTED}:DIR; other sources are read as they are"
        )
    made = ingest_folder(Path(place), store, write_store, Settings(validate=validate))
    return IngestAccount(
        made.received, made.accepted, made.rejected, made.notices, made.written, made.bytes_read
    )
