"""A note that retracts results: what it lists, and that the same retraction is one note."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from prognosis.errors import InputError, StudyError
from prognosis.outputs.dicom_answer import answer_files
from prognosis.outputs.dicom_rejection import rejection_note
from tests.outputs.answers import MODEL, answer, evidence
from tests.outputs.images import MADE_AT, errors_of

pytest.importorskip("highdicom")


@pytest.fixture
def results(tmp_path: Path) -> list[Dataset]:
    files = answer_files(answer(), evidence(tmp_path, "DX"), algorithm=MODEL, made_at=MADE_AT)
    return [pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True) for content in files.values()]


@pytest.mark.parametrize(("reason", "code"), [("safety", "113037"), ("quality", "113001")])
def test_a_note_lists_every_result_under_its_reason_and_is_valid(
    results: list[Dataset], tmp_path: Path, reason: str, code: str
):
    note = rejection_note(results, reason, made_at=MADE_AT)
    assert errors_of(note, tmp_path / "note") == []
    assert note.ConceptNameCodeSequence[0].CodeValue == code
    assert note.StudyInstanceUID == results[0].StudyInstanceUID
    listed = {
        str(each.ReferencedSOPInstanceUID)
        for series in note.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
        for each in series.ReferencedSOPSequence
    }
    assert listed == {str(each.SOPInstanceUID) for each in results}


def test_the_same_retraction_is_one_note_and_another_is_another(results: list[Dataset]):
    first = rejection_note(results, "safety", made_at=MADE_AT)
    later = rejection_note(results[::-1], "safety", made_at=MADE_AT + timedelta(days=1))
    fewer = rejection_note(results[1:], "safety", made_at=MADE_AT)
    assert first.SOPInstanceUID == later.SOPInstanceUID != fewer.SOPInstanceUID
    assert rejection_note(results, "quality", made_at=MADE_AT).SOPInstanceUID != first.SOPInstanceUID


def test_what_no_note_can_say_is_refused(results: list[Dataset]):
    with pytest.raises(InputError, match="is none"):
        rejection_note(results, "mistake", made_at=MADE_AT)
    with pytest.raises(StudyError, match="0 studies"):
        rejection_note([], "safety", made_at=MADE_AT)
