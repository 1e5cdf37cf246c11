"""What is known about a patient, and when it was known."""

from prognosis.record.imaging import ImageStore, ImagingStudy, Segmentation, Series, Volume
from prognosis.record.patient import Code, Event, Note, PatientRecord
from prognosis.record.quarantine import Quarantine, Rejection
from prognosis.record.source import RecordSource

__all__ = [
    "Code",
    "Event",
    "ImageStore",
    "ImagingStudy",
    "Note",
    "PatientRecord",
    "Quarantine",
    "RecordSource",
    "Rejection",
    "Segmentation",
    "Series",
    "Volume",
]
