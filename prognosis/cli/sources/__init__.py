"""The composition root: the one place that knows which connector a source's name stands for."""

from prognosis.cli.sources.answers import Act, Told, answer_server, retract_answers, write_answer
from prognosis.cli.sources.export import export_fhir_dicom, export_meds
from prognosis.cli.sources.ingest import ingest
from prognosis.cli.sources.one_patient import read_patient
from prognosis.cli.sources.opening import SCHEMES, open_sources
from prognosis.cli.sources.originals import original_images
from prognosis.cli.sources.reading import read_records
from prognosis.cli.sources.receiving import Listening, open_receiver
from prognosis.cli.sources.single_file import file_study, is_dicom_file
from prognosis.cli.sources.writing_back import images_archive

__all__ = [
    "SCHEMES",
    "Act",
    "Listening",
    "Told",
    "answer_server",
    "export_fhir_dicom",
    "export_meds",
    "file_study",
    "images_archive",
    "ingest",
    "is_dicom_file",
    "open_receiver",
    "open_sources",
    "original_images",
    "read_patient",
    "read_records",
    "retract_answers",
    "write_answer",
]
