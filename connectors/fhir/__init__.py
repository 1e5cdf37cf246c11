"""FHIR R4: patient records from a folder of resources or from a server, and back to a folder."""

from connectors.fhir.folder import FhirFolder
from connectors.fhir.server import FhirServer
from connectors.fhir.write import write_bulk

__all__ = ["FhirFolder", "FhirServer", "write_bulk"]
