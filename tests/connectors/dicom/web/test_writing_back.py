"""Results written to an archive: only what it lacks, only beside their images, and read back as they were."""

from __future__ import annotations

import io
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from connectors.dicom import DicomWeb
from prognosis.errors import StudyError
from tests.connectors.dicom.films import write
from tests.connectors.dicom.web.double import BOUNDARY, Archive, Reply, multipart

SENT = "2.25.4711"


@pytest.fixture
def web(pacs: Archive, tmp_path: Path) -> DicomWeb:
    pacs.inbox = tmp_path / "inbox"
    pacs.inbox.mkdir()
    return DicomWeb(pacs.address, "dicomweb:x")


def result(folder: Path, number: int = 1) -> bytes:
    """An object of the first study that is not among its images."""

    def edit(dataset: Dataset) -> None:
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = SENT
        dataset.SeriesInstanceUID = "2.25.471"
        dataset.SeriesDescription = "AI-generated"

    return write(folder / "result.dcm", number, "p1", edit=edit).read_bytes()


def posts(pacs: Archive) -> int:
    return sum(method == "POST" for method, *_ in pacs.asked)


def test_what_the_archive_holds_is_not_sent_again(web: DicomWeb, pacs: Archive, tmp_path: Path) -> None:
    content = result(tmp_path)
    first = web.write_back("2.25.1", {"report.dcm": content})
    assert (first.stored, first.held) == ((SENT,), ())
    assert pacs.files["2.25.1"][-1].read_bytes() == content
    again = web.write_back("2.25.1", {"report.dcm": content})
    assert (again.stored, again.held) == ((), (SENT,))
    assert posts(pacs) == 1


def test_results_are_not_written_where_their_images_are_not(
    web: DicomWeb, pacs: Archive, tmp_path: Path
) -> None:
    with pytest.raises(StudyError, match="is not in the archive"):
        web.write_back("2.25.6", {"report.dcm": result(tmp_path, 6)})
    with pytest.raises(StudyError, match="object of another study"):
        web.write_back("2.25.2", {"report.dcm": result(tmp_path, 1)})
    assert posts(pacs) == 0


def test_an_archive_that_answers_for_what_it_dropped_is_found_out(
    web: DicomWeb, pacs: Archive, tmp_path: Path
) -> None:
    pacs.inbox = None
    with pytest.raises(StudyError, match="sent with 1 instances, and the archive holds 0"):
        web.write_back("2.25.1", {"report.dcm": result(tmp_path)})


@pytest.mark.parametrize(("keyword", "value"), [("SeriesDescription", "other"), ("PixelData", b"\0\0" * 12)])
def test_an_archive_that_changes_what_was_sent_is_found_out(
    web: DicomWeb, pacs: Archive, tmp_path: Path, keyword: str, value: object
) -> None:
    changing(pacs, keyword, value)
    with pytest.raises(StudyError, match=f"comes back from the archive with another {keyword}"):
        web.write_back("2.25.1", {"report.dcm": result(tmp_path)})


def test_an_archive_may_correct_whose_the_study_is_and_add_elements_of_its_own(
    web: DicomWeb, pacs: Archive, tmp_path: Path
) -> None:
    changing(pacs, "PatientName", "Corrected")
    assert web.write_back("2.25.1", {"report.dcm": result(tmp_path)}).stored == (SENT,)


def changing(pacs: Archive, keyword: str, value: object) -> None:
    """The archive gives every retrieved object back with another element."""

    def fault(path: str, reply: Reply) -> Reply:
        if "/instances/" not in path:
            return reply
        content = reply.body.split(f"--{BOUNDARY}".encode())[1].partition(b"\r\n\r\n")[2][:-2]
        dataset = pydicom.dcmread(io.BytesIO(content))
        setattr(dataset, keyword, value)
        dataset.InstitutionName = "Added"
        stream = io.BytesIO()
        dataset.save_as(stream, enforce_file_format=True)
        return Reply(200, multipart([stream.getvalue()]), reply.headers)

    pacs.faults.extend([fault] * 20)
