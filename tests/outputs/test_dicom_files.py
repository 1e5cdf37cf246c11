"""Written objects are compared with what they were made from, and a difference is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from prognosis.errors import StudyError
from prognosis.evidence.segmentation.measurements import connected_parts, measured_parts
from prognosis.outputs.dicom_files import check_report, check_segmentation, standard_files
from prognosis.outputs.dicom_seg import Algorithm
from tests.outputs.images import MADE_AT, film, series

pytest.importorskip("highdicom")
MODEL = Algorithm("lungs", "1")


@pytest.mark.parametrize("kind", ["film", "CT"])
def test_files_that_give_everything_back_are_returned(tmp_path: Path, kind: str):
    segmentation, sources = film(tmp_path) if kind == "film" else series(tmp_path, "CT")
    measured = measured_parts(segmentation)
    files = standard_files(segmentation, measured, sources, algorithm=MODEL, made_at=MADE_AT)
    assert list(files) == ["seg.dcm", "sr.dcm"]
    assert all(content[128:132] == b"DICM" for content in files.values())


def test_one_voxel_that_differs_is_found(tmp_path: Path):
    segmentation, sources = series(tmp_path, "MR")
    measured = measured_parts(segmentation)
    files = standard_files(segmentation, measured, sources, algorithm=MODEL, made_at=MADE_AT)
    labels = segmentation.labels.copy()
    labels[2, 5, 6] = 0
    other = replace(segmentation, labels=labels)
    with pytest.raises(StudyError, match="reads back otherwise"):
        check_segmentation(files["seg.dcm"], other, connected_parts(other), sources)


def test_one_number_that_differs_is_found(tmp_path: Path):
    segmentation, sources = series(tmp_path, "CT")
    measured = measured_parts(segmentation)
    files = standard_files(segmentation, measured, sources, algorithm=MODEL, made_at=MADE_AT)
    last = replace(measured[-1], volume_ml=measured[-1].volume_ml * 1.001)
    for other in ((*measured[:-1], last), measured[:-1]):
        with pytest.raises(StudyError, match="reads back otherwise"):
            check_report(files["sr.dcm"], other)
