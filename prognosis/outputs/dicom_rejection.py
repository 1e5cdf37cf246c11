"""Results that are not to be used any more, listed in a rejection note (PS3.16 TID 2010, IHE IOCM)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from prognosis.errors import InputError, StudyError
from prognosis.outputs.dicom_codes import Term
from prognosis.outputs.dicom_seg import highdicom_missing, source_headers, stamp
from prognosis.record.uid import derived_uid

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SERIES_NUMBER = 9005
REASONS = {
    "safety": Term("113037", "Rejected for Patient Safety Reasons", "DCM"),
    "quality": Term("113001", "Rejected for Quality Reasons", "DCM"),
}
"""Of CID 7010. What is rejected for safety is to be hidden from every reader: it was entered in error."""

SAID = "AI-generated results that are retracted: do not use them."


def rejection_note(results: Sequence[Dataset], reason: str, *, made_at: datetime) -> Dataset:
    """The note that retracts results; its UIDs follow from what it lists and why.

    An archive that knows such notes hides what they list; one that does not keeps the note beside it.

    Args:
        results: Headers of the objects, all of one study.
        reason: One of `REASONS`.
        made_at: When the note was made (aware), written as UTC.

    Raises:
        InputError: The reason is none of them.
        StudyError: There is nothing to list, or the objects are of several studies.
        MissingDependencyError: highdicom is not installed.
    """
    try:
        from highdicom.ko import KeyObjectSelection, KeyObjectSelectionDocument
    except ImportError as error:
        raise highdicom_missing() from error
    if reason not in REASONS:
        raise InputError(f"reason {reason!r}", "is none", f"give one of {', '.join(REASONS)}")
    studies = {str(each.StudyInstanceUID) for each in results}
    if len(studies) != 1:
        raise StudyError(
            f"{len(studies)} studies", "cannot be in one rejection note", "list those of one study"
        )
    headers = source_headers(results)
    entropy = ("rejection", reason, *sorted(str(each.SOPInstanceUID) for each in headers))
    note = KeyObjectSelectionDocument(
        evidence=headers,
        content=KeyObjectSelection(
            document_title=REASONS[reason].coded(), referenced_objects=headers, description=SAID
        ),
        series_instance_uid=derived_uid(*entropy, "series"),
        series_number=SERIES_NUMBER,
        sop_instance_uid=derived_uid(*entropy),
        instance_number=1,
        manufacturer="prognosis",
    )
    note.SeriesDescription = "AI-generated results retracted"
    stamp(note, made_at)
    return note
