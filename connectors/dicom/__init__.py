"""DICOM: a folder of files or a DICOMweb archive as studies with pixels, and films written as instances."""

from connectors.dicom.dicomweb import DicomWeb
from connectors.dicom.folder import DicomFolder
from connectors.dicom.write import write_film

__all__ = ["DicomFolder", "DicomWeb", "write_film"]
