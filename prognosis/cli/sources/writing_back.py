"""The archive that results made from images are written to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prognosis.cli.sources.opening import open_sources
from prognosis.errors import SourceError

if TYPE_CHECKING:
    from connectors.dicom import DicomWeb


def images_archive(uri: str) -> DicomWeb:
    """The DICOMweb archive that a name stands for.

    Raises:
        SourceError: It is the name of something else, or its address cannot be used.
    """
    from connectors.dicom import DicomWeb

    if not uri.startswith("dicomweb:"):
        raise SourceError("the archive that results go to", "is no DICOMweb archive", "write dicomweb:URL")
    (source,) = open_sources([uri], None)
    if not isinstance(source, DicomWeb):
        raise SourceError("the archive that results go to", "is no DICOMweb archive", "write dicomweb:URL")
    return source
