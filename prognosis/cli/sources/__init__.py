"""The composition root: the one place that knows which connector a source's name stands for."""

from prognosis.cli.sources.export import export_fhir_dicom, export_meds
from prognosis.cli.sources.ingest import ingest
from prognosis.cli.sources.opening import SCHEMES, open_sources
from prognosis.cli.sources.originals import original_images
from prognosis.cli.sources.reading import read_records
from prognosis.cli.sources.single_file import file_study, is_dicom_file

__all__ = [
    "SCHEMES",
    "export_fhir_dicom",
    "export_meds",
    "file_study",
    "ingest",
    "is_dicom_file",
    "open_sources",
    "original_images",
    "read_records",
]
