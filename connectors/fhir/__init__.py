"""FHIR R4: patient records from a folder of resources, and back to one."""

from connectors.fhir.folder import FhirFolder
from connectors.fhir.write import write_bulk

__all__ = ["FhirFolder", "write_bulk"]
