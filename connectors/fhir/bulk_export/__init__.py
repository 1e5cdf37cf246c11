"""FHIR Bulk Data Access: a server's export, asked for, waited for, downloaded and verified."""

from connectors.fhir.bulk_export.export import BulkExport, ExportSummary
from connectors.fhir.bulk_export.request import ExportRequest
from connectors.fhir.bulk_export.waiting import Patience

__all__ = ["BulkExport", "ExportRequest", "ExportSummary", "Patience"]
