"""`prognosis segment --write-images`: outlines beside their images in an archive, once, and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from tests.cli.program import Program, Ran
from tests.cli.test_segment import LUNGS, a_model
from tests.connectors.dicom.web.double import Archive, archive
from tests.outputs.images import film, headers

pytest.importorskip("highdicom")
LESION = ("lesion",)
"""Of its shape nothing is known, so that an untrained model's outline carries no caution."""


@pytest.fixture
def images(tmp_path: Path) -> Path:
    film(tmp_path / "images")
    return tmp_path / "images"


@pytest.fixture
def pacs(images: Path, tmp_path: Path) -> Iterator[Archive]:
    paths = sorted(images.iterdir())
    with archive({str(pydicom.dcmread(paths[0]).StudyInstanceUID): paths}) as found:
        found.inbox = tmp_path / "inbox"
        found.inbox.mkdir()
        yield found


def outlined(
    prognosis: Program,
    study: Path | str,
    pacs: Archive,
    folder: Path,
    *more: object,
    structures: tuple[str, ...] = LESION,
) -> Ran:
    model = folder / "model"
    if not model.exists():
        a_model(model, 2, seed=2 if structures == LUNGS else 3, structures=structures)
    asked = ("segment", study, "--model", model, "--out", folder / "out", "--json")
    return prognosis(*asked, "--write-images", f"dicomweb:{pacs.address}", *more)


def posts(pacs: Archive) -> int:
    return sum(method == "POST" for method, *_ in pacs.asked)


def test_an_outline_is_stored_once_whoever_reads_the_study_from_where(
    prognosis: Program, images: Path, pacs: Archive, tmp_path: Path
) -> None:
    first = outlined(prognosis, images, pacs, tmp_path)
    assert first.status == 0, first.err
    assert first.stated["archive"] == {"stored": 2, "held": 0}
    uid = str(headers(images)[0].StudyInstanceUID)
    written = [pydicom.dcmread(each) for each in pacs.files[uid][1:]]
    assert sorted(each.Modality for each in written) == ["SEG", "SR"]
    assert {each.StudyInstanceUID for each in written} == {uid}
    again = outlined(prognosis, uid, pacs, tmp_path, "--source", f"dicomweb:{pacs.address}")
    assert again.status == 0, again.err
    assert again.stated["archive"] == {"stored": 0, "held": 2}
    assert posts(pacs) == 1


def test_an_outline_that_was_taken_back_is_not_written_again(
    prognosis: Program, images: Path, pacs: Archive, tmp_path: Path
) -> None:
    first = outlined(prognosis, images, pacs, tmp_path)
    uid = str(headers(images)[0].StudyInstanceUID)
    asked = ("retract-images", uid, "--archive", f"dicomweb:{pacs.address}", "--json")
    retracted = prognosis(*asked, "--model-id", first.stated["model_id"])
    assert retracted.status == 0, retracted.err
    assert len(retracted.stated["retracted"]) == 2
    after = outlined(prognosis, images, pacs, tmp_path)
    assert after.stated["archive"] == {"stored": 0, "held": 2}
    assert "2 of them were retracted" in after.err


def test_an_outline_that_is_not_to_be_used_stays_here(
    prognosis: Program, images: Path, pacs: Archive, tmp_path: Path
) -> None:
    ran = outlined(prognosis, images, pacs, tmp_path, structures=LUNGS)
    assert ran.status == 0, ran.err
    caution = ran.stated["volumes"][0]["caution"]
    assert caution
    assert ran.stated["archive"] == {"stored": 0, "held": 0}
    assert f"nothing of it is written to the archive: {caution}" in ran.prose
    assert posts(pacs) == 0


def test_images_that_are_no_dicom_files_have_no_place_in_an_archive(
    prognosis: Program, pacs: Archive, tmp_path: Path
) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 24), dtype=np.uint8)).save(
        tmp_path / "film.png"
    )
    ran = outlined(prognosis, tmp_path / "film.png", pacs, tmp_path)
    assert ran.status == 2
    assert "did not come from DICOM files" in ran.prose
    assert posts(pacs) == 0


def test_a_place_that_is_no_archive_is_refused_before_the_model_is_read(
    prognosis: Program, images: Path, tmp_path: Path
) -> None:
    asked = ("segment", images, "--model", tmp_path / "none", "--out", tmp_path / "out")
    ran = prognosis(*asked, "--write-images", f"dicom-folder:{images}")
    assert ran.status == 2
    assert "is no DICOMweb archive" in ran.prose
