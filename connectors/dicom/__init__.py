"""DICOM files: a folder of them as studies with pixels, and films written as CR and DX instances."""

from connectors.dicom.folder import DicomFolder
from connectors.dicom.write import write_film

__all__ = ["DicomFolder", "write_film"]
