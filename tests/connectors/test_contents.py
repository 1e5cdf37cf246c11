"""Every store says which stored bytes a study's pixels come from: all of them, and no other study's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from connectors.datasets import ImageArchive
from connectors.datasets.films import FilmFolder
from connectors.dicom import DicomFolder
from connectors.nifti import NiftiFolder
from prognosis.cli.sources import file_study
from prognosis.errors import StudyError
from prognosis.record import ImagingStudy, Quarantine
from prognosis.simulate.films import SimulatedFilms
from tests.connectors.datasets.cohorts import png
from tests.connectors.dicom.films import STUDY_TIME, reference, slices, write
from tests.connectors.nifti.test_folder import write as write_nifti


def test_of_dicom_every_file_of_the_study_in_one_order(tmp_path: Path) -> None:
    slices(tmp_path / "ct", [0.0, 5.0, 2.5], number=9)
    write(tmp_path / "film.dcm", number=1)
    folder = DicomFolder(tmp_path, "dicom-folder:x")
    (record,) = folder.records(Quarantine())
    film, series = sorted(record.studies, key=lambda study: len(study.contents()))
    assert film.contents() == (tmp_path.resolve() / "film.dcm",)
    assert series.contents() == tuple(sorted((tmp_path.resolve() / "ct").glob("*")))


def test_of_one_dicom_file_that_file(tmp_path: Path) -> None:
    path = write(tmp_path / "IM1.2024", number=3)
    write(tmp_path / "other.dcm", number=4)
    (record,) = DicomFolder(path, "dicom-folder:x").records(Quarantine())
    assert [study.contents() for study in record.studies] == [(path.resolve(),)]
    assert record.studies[0].volumes()[0].voxels.shape == (1, 3, 4)
    assert record.site == tmp_path.resolve().name


def test_of_nifti_the_images_without_the_marks(tmp_path: Path) -> None:
    day = tmp_path / "p" / "2020-03-04"
    for name in ("b.nii", "a_T1w.nii.gz", "a_T1w_seg.nii.gz"):
        write_nifti(day / name)
    (record,) = NiftiFolder(tmp_path, "nifti-folder:x").records(Quarantine())
    (study,) = record.studies
    assert study.contents() == (day.resolve() / "a_T1w.nii.gz", day.resolve() / "b.nii")


def test_of_a_picture_its_file_and_of_an_archive_its_own_image(tmp_path: Path) -> None:
    path = png(tmp_path / "film.png")
    study = ImagingStudy(STUDY_TIME, "2.25.1", reference(1).series, store=FilmFolder({"2.25.1": path}))
    assert study.contents() == (path,)
    assert file_study(path).contents() == (path,)
    images = np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28)
    np.savez(tmp_path / "a.npz", val_images=images, val_labels=np.array([0, 1]))
    records = ImageArchive(tmp_path / "a.npz", "pneumoniamnist:x").records(Quarantine())
    for record, image in zip(records, images, strict=True):
        (own,) = record.studies[0].contents()
        assert np.array_equal(own, image)


def test_a_study_that_a_store_does_not_hold_has_none_and_a_store_that_draws_cannot_say(
    tmp_path: Path,
) -> None:
    write(tmp_path / "film.dcm", number=1)
    with pytest.raises(StudyError, match="not in the DICOM folder"):
        DicomFolder(tmp_path, "dicom-folder:x").contents(reference(2))
    with pytest.raises(StudyError, match="not in this folder"):
        FilmFolder({}).contents(reference(2))
    assert ImagingStudy(STUDY_TIME, "2.25.1", store=SimulatedFilms()).contents() == ()
    assert ImagingStudy(STUDY_TIME, "2.25.1").contents() == ()
