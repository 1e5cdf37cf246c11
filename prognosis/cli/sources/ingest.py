"""A large FHIR export ingested into a store that `meds:DIR` reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from prognosis.errors import SourceError

if TYPE_CHECKING:
    from connectors.fhir.ingest.export import Ingested

INGESTED = "fhir-folder"


def ingest(uri: str, store: Path) -> Ingested:
    """Read `fhir-folder:DIR` into a store, and tell what came of every resource.

    Args:
        uri: The source.
        store: New or empty, or one whose ingest of the same files was stopped.

    Raises:
        SourceError: The source is of another kind or cannot be read, or the store cannot be written.
    """
    from connectors.fhir.ingest.export import ingest_folder
    from connectors.meds.store import write_store

    scheme, _, place = uri.partition(":")
    if scheme != INGESTED or not place:
        raise SourceError(
            uri, "cannot be ingested", f"name {INGESTED}:DIR; other sources are read as they are"
        )
    return ingest_folder(Path(place), store, write_store)
