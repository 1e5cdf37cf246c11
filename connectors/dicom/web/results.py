"""What was made from a study's images and lies beside them, and what of it was rejected."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.dicom.guard import faults_told
from connectors.dicom.web.matches import find_series
from connectors.dicom.web.retrieving import AS_STORED
from connectors.dicom.web.session import Answer, Session
from connectors.dicom.web.splitting import write_parts

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

RESULTS = frozenset({"SEG", "OT", "SR"})
NOTES = frozenset({"KO"})
REJECTIONS = frozenset({"113001", "113037", "113038", "113039"})
"""Titles of a note (PS3.16 CID 7010) that say that what it lists is not to be used."""


def results_of(session: Session, study_uid: str, made_by: str) -> tuple[Dataset, ...]:
    """The headers of the results that one manufacturer made from a study, by instance UID.

    Args:
        session: With the archive.
        study_uid: Which study.
        made_by: As the objects state their manufacturer.

    Raises:
        SourceError: The archive cannot be asked.
        StudyError: It gives an object that cannot be read.
    """
    found = [each for each in _objects(session, study_uid, RESULTS) if each.get("Manufacturer") == made_by]
    return tuple(sorted(found, key=lambda each: str(each.SOPInstanceUID)))


def rejected_in(session: Session, study_uid: str) -> frozenset[str]:
    """The UIDs of the instances that a rejection note in the study lists (IHE IOCM).

    Raises:
        SourceError: The archive cannot be asked.
        StudyError: It gives an object that cannot be read.
    """
    uids = set()
    for note in _objects(session, study_uid, NOTES):
        title = note.get("ConceptNameCodeSequence") or [{}]
        if str(title[0].get("CodeValue")) not in REJECTIONS:
            continue
        for study in note.get("CurrentRequestedProcedureEvidenceSequence", ()):
            for series in study.ReferencedSeriesSequence:
                uids |= {str(each.ReferencedSOPInstanceUID) for each in series.ReferencedSOPSequence}
    return frozenset(uids)


def _objects(session: Session, study_uid: str, modalities: Collection[str]) -> Iterator[Dataset]:
    """The headers of every object of some modalities in a study."""
    import pydicom

    reference = f"ImagingStudy {study_uid}"
    for series in find_series(session, study_uid):
        if series.modality not in modalities:
            continue

        def take(answer: Answer) -> list[Dataset]:
            with tempfile.TemporaryDirectory(prefix="prognosis-results-") as made, faults_told(reference):
                paths = write_parts(answer, Path(made), reference)
                return [pydicom.dcmread(path, stop_before_pixels=True) for path in paths]

        yield from session.get(f"studies/{study_uid}/series/{series.series_uid}", AS_STORED, take)
