"""A server's bulk export into a folder, from which `fhir-folder:` then reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prognosis.cli.sources.fhir_login import fhir_login
from prognosis.record import Quarantine

if TYPE_CHECKING:
    from connectors.fhir.bulk_export.export import ExportSummary

SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class BulkAsked:
    """What of a server is exported; see `connectors.fhir.bulk_export.request.ExportRequest`."""

    group: str | None = None
    patients: bool = False
    since: str = ""
    types: tuple[str, ...] = ()
    type_filters: tuple[str, ...] = ()


def export_bulk(
    base: str,
    folder: Path,
    asked: BulkAsked,
    quarantine: Quarantine,
    on_progress: Callable[[str, int, int | None], None],
    *,
    also: Iterable[str] = (),
    wait_hours: float = 24.0,
) -> ExportSummary:
    """Export a server's resources into a folder; run again, it goes on where it was stopped.

    Args:
        base: The address of the FHIR service.
        folder: New, empty, or of the same export.
        asked: What is exported.
        quarantine: Where goes what the server could not export.
        on_progress: Told (what, done, of how many).
        also: Addresses whose origins may hold the files.
        wait_hours: How long the server may take until the export is ready.

    Raises:
        SourceError: See `connectors.fhir.bulk_export.export.BulkExport.run`.
    """
    from connectors.fhir.bulk_export.export import BulkExport
    from connectors.fhir.bulk_export.request import ExportRequest
    from connectors.fhir.bulk_export.waiting import Patience

    request = ExportRequest(asked.group, asked.patients, asked.since, asked.types, asked.type_filters)
    export = BulkExport(
        base,
        folder,
        request,
        login=fhir_login(base),
        also=also,
        patience=Patience(total_s=wait_hours * SECONDS_PER_HOUR),
    )
    return export.run(quarantine, on_progress)
