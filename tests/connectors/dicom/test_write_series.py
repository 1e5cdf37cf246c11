"""A CT or MR volume written as a series reads back voxel for voxel at its place, or is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from connectors.dicom import DicomFolder
from connectors.dicom.write_series import write_series
from prognosis.errors import StudyError
from prognosis.record import ImagingStudy, Quarantine, Series, Volume
from tests.connectors.dicom.films import STUDY_TIME, write


def volume(modality: str) -> Volume:
    """Five oblique slices with anisotropic voxels."""
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    turn[:, 2] = np.cross(turn[:, 0], turn[:, 1])
    affine = np.eye(4)
    affine[:3, :3] = turn * np.array([0.625, 0.75, 3.0])
    affine[:3, 3] = [-120.5, 33.25, 801.125]
    voxels = np.arange(5 * 7 * 9, dtype=np.float32).reshape(5, 7, 9)
    return Volume(voxels - 1024 if modality == "CT" else voxels, affine, "x", modality)


def written(folder: Path, made: Volume) -> tuple[DicomFolder, ImagingStudy]:
    """A folder that holds the volume as a series, and its study as it reads back."""
    series = Series("2.25.81", made.modality, "", "HEAD")
    study = ImagingStudy(STUDY_TIME, "2.25.8", (series,))
    write_series(made, folder, study=study, series=series, patient_id="p-1")
    source = DicomFolder(folder, "dicom-folder:x")
    (record,) = source.records(Quarantine())
    return source, record.studies[0]


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_every_voxel_of_an_oblique_series_reads_back_at_its_place(tmp_path: Path, modality: str) -> None:
    made = volume(modality)
    _, study = written(tmp_path, made)
    (found,) = study.volumes()
    assert np.array_equal(found.voxels, made.voxels)
    assert np.allclose(found.affine, made.affine, atol=1e-6)
    assert (found.modality, study.series[0].body_part) == (modality, "HEAD")


def test_the_originals_of_a_volume_are_its_images_in_the_order_of_its_slices(tmp_path: Path) -> None:
    made = volume("CT")
    source, study = written(tmp_path, made)
    (images,) = source.originals(study)
    places = np.array([[float(value) for value in image.ImagePositionPatient] for image in images])
    assert np.allclose(places, made.affine[:3, 3] + np.arange(5)[:, None] * made.affine[:3, 2], atol=1e-6)
    assert all("PixelData" not in image for image in images)
    with pytest.raises(StudyError, match="not in the DICOM folder"):
        source.originals(replace(study, study_uid="2.25.404"))


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        (replace(volume("MR"), voxels=volume("MR").voxels - 1), "no whole numbers"),
        (replace(volume("CT"), modality="US"), "neither CT nor MR"),
        (replace(volume("CT"), affine=volume("CT").affine + np.eye(4, k=1) * 0.2), "right angles"),
        (replace(volume("CT"), affine=np.diag([1.0, 1.0, 0.0, 1.0])), "without volume"),
        (replace(volume("CT"), voxels=volume("CT").voxels * np.float32(np.pi)), "cannot hold exactly"),
    ],
)
def test_what_cannot_be_written_exactly_is_refused(tmp_path: Path, made: Volume, problem: str) -> None:
    with pytest.raises(StudyError, match=problem):
        written(tmp_path, made)


def test_an_image_written_twice_is_the_same_instance(tmp_path: Path) -> None:
    uids = set()
    for copy in ("one", "two"):
        written(tmp_path / copy / "series", volume("CT"))
        write(tmp_path / copy / "film.dcm")
        paths = sorted((tmp_path / copy).rglob("*.dcm"))
        uids.add(tuple(pydicom.dcmread(path).SOPInstanceUID for path in paths))
    (instances,) = uids
    assert len(set(instances)) == 6
