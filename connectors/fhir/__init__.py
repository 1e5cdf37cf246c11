"""FHIR R4: patient records from a folder or a server, and back to a folder; answers to a server."""

from connectors.fhir.folder import FhirFolder
from connectors.fhir.server import FhirServer
from connectors.fhir.write import write_bulk
from connectors.fhir.writer import FhirWriter

__all__ = ["FhirFolder", "FhirServer", "FhirWriter", "write_bulk"]
