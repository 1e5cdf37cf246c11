"""A few films of the simulated hospital, which a test may change, and its model as a new process loads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from prognosis.cli.sources import read_records
from prognosis.evidence.imaging import ImagingEvidence
from prognosis.evidence.imaging.cache import StudyCache
from prognosis.fusion import FusionModel, load_model
from prognosis.record import ImagingStudy, Quarantine
from tests.simulated import Simulated

FILMS = 3


@dataclass(frozen=True, slots=True)
class Archive:
    """A few films of their own, which a test may change."""

    folder: Path
    studies: tuple[ImagingStudy, ...]

    def files(self, study: ImagingStudy) -> Path:
        (path,) = study.contents()
        assert isinstance(path, Path)
        return path


def read(folder: Path) -> Archive:
    records = read_records([f"dicom-folder:{folder}"], None, Quarantine())
    return Archive(folder, tuple(study for record in records for study in record.studies))


def imaging(model: FusionModel) -> ImagingEvidence:
    found = model.evidence["imaging"]
    assert isinstance(found, ImagingEvidence)
    return found


def cached(small: Simulated, folder: Path) -> tuple[ImagingEvidence, StudyCache]:
    """The model's imaging evidence as a new process would load it."""
    evidence = imaging(load_model(small.model_folder, folder))
    assert evidence.cache is not None
    return evidence, evidence.cache
