"""NIfTI volumes: whose, of when, where they lie, and what is refused."""

from __future__ import annotations

import gzip
import struct
from datetime import UTC, datetime
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.nifti import NiftiFolder
from connectors.nifti.image import read_image
from prognosis.errors import SourceError, StudyError
from prognosis.record import Quarantine

GRID = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
AFFINE = np.array([[2.0, 0, 0, 10], [0, 3.0, 0, 20], [0, 0, 4.0, 30], [0, 0, 0, 1]])


def write(path: Path, array: np.ndarray = GRID, affine: np.ndarray = AFFINE, code: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(array, affine)
    image.set_sform(affine, code)
    image.set_qform(None, 0)
    nibabel.save(image, path)
    return path


def problem(path: Path) -> str:
    with pytest.raises(StudyError) as caught:
        read_image(path, "x")
    return caught.value.problem


def test_a_file_is_a_series_of_the_patient_and_date_of_its_folders(tmp_path: Path) -> None:
    write(tmp_path / "p2" / "2020-03-04" / "head_T1w.nii.gz")
    write(tmp_path / "p2" / "2020-03-04" / "head_FLAIR.nii")
    write(tmp_path / "p2" / "2020-03-04" / "head_T1w_seg.nii.gz")
    write(tmp_path / "p1" / "ses-20190102_1.2.3" / "chest_CT.nii.gz")
    quarantine = Quarantine()
    first, second = NiftiFolder(tmp_path, "nifti-folder:x").records(quarantine)
    assert (first.patient_id, second.patient_id) == ("p1", "p2")
    assert first.studies[0].study_uid == "1.2.3"
    assert first.studies[0].time == datetime(2019, 1, 2, tzinfo=UTC)
    assert [series.modality for series in second.studies[0].series] == ["MR", "MR"]
    assert [volume.voxels.shape for volume in second.studies[0].volumes()] == [(4, 3, 2), (4, 3, 2)]
    assert quarantine.notices["NIfTI file of marks, no image"] == 1
    assert len(quarantine) == 0


@pytest.mark.parametrize(
    "place", ["a.nii", "p1/a.nii", "p1/baseline/a.nii", "p1/2020-13-01/a.nii", "p/2020-01-01/x/a.nii"]
)
def test_a_file_without_patient_or_date_is_set_aside(tmp_path: Path, place: str) -> None:
    write(tmp_path / "p9" / "2020-01-01" / "a.nii")
    write(tmp_path / place)
    quarantine = Quarantine()
    (record,) = NiftiFolder(tmp_path, "nifti-folder:x").records(quarantine)
    assert record.patient_id == "p9"
    assert len(quarantine) == 1


def test_a_folder_without_any_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no NIfTI file"):
        list(NiftiFolder(tmp_path, "nifti-folder:x").records(Quarantine()))


def test_a_study_in_two_folders_is_nobodys(tmp_path: Path) -> None:
    write(tmp_path / "p1" / "2020-01-01_1.2.3" / "a.nii")
    write(tmp_path / "p2" / "2020-01-01_1.2.3" / "a.nii")
    quarantine = Quarantine()
    assert NiftiFolder(tmp_path, "nifti-folder:x").study_patients(quarantine) == {}
    assert [each.problem for each in quarantine] == ["lies in two folders"]


turned = st.permutations([0, 1, 2]).flatmap(
    lambda order: st.tuples(st.just(order), st.lists(st.sampled_from([-1.0, 1.0]), min_size=3, max_size=3))
)


@settings(max_examples=30)
@given(turned)
def test_every_voxel_keeps_its_place_whatever_way_the_grid_runs(
    tmp_path_factory: pytest.TempPathFactory, turn: tuple[list[int], list[float]]
) -> None:
    order, signs = turn
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[order] * signs * [2.0, 3.0, 4.0] + 0.01
    affine[:3, 3] = [5.0, -6.0, 7.0]
    image = read_image(write(tmp_path_factory.mktemp("nifti") / "a.nii", affine=affine), "x")
    for index in np.ndindex(GRID.shape):
        right, front, head = (affine @ [*index, 1])[:3]
        place = np.linalg.solve(image.affine, [-right, -front, head, 1.0])[:3]
        x, y, z = np.rint(place).astype(int)
        np.testing.assert_allclose(place, [x, y, z], atol=1e-5)
        assert image.voxels[z, y, x] == GRID[index]
    assert (np.diag(image.affine) > 0).all()


def test_slope_and_intercept_are_applied_as_nibabel_applies_them(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(np.linspace(-1.0, 1.0, 24).reshape(2, 3, 4), AFFINE)
    image.set_data_dtype(np.int16)
    nibabel.save(image, tmp_path / "a.nii.gz")
    expected = np.asarray(nibabel.load(tmp_path / "a.nii.gz").dataobj, dtype=np.float64)
    read = read_image(tmp_path / "a.nii.gz", "x").voxels[:, ::-1, ::-1].T
    np.testing.assert_allclose(read, expected, atol=1e-7)


def test_the_scanners_qform_is_taken_before_an_aligned_sform(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(GRID, AFFINE)
    image.set_sform(np.diag([9.0, 9.0, 9.0, 1.0]), 2)
    image.set_qform(AFFINE, 1)
    nibabel.save(image, tmp_path / "a.nii")
    assert np.diag(read_image(tmp_path / "a.nii", "x").affine)[:3].tolist() == [2.0, 3.0, 4.0]


@pytest.mark.parametrize("code", [0, 3, 4])
def test_a_volume_that_lies_nowhere_or_in_an_atlas_is_refused(tmp_path: Path, code: int) -> None:
    assert "does not say where it lies" in problem(write(tmp_path / "a.nii", code=code))


def test_volumes_in_time_are_refused(tmp_path: Path) -> None:
    assert (
        problem(write(tmp_path / "a.nii", np.zeros((2, 3, 4, 5), np.int16))) == "holds 5 volumes in one file"
    )


def test_colours_and_endless_values_are_refused(tmp_path: Path) -> None:
    colours = np.zeros((2, 3, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    assert problem(write(tmp_path / "a.nii", colours)) == "holds no grid of plain numbers"
    endless = np.full((2, 3, 4), np.nan, dtype=np.float32)
    assert problem(write(tmp_path / "b.nii", endless)) == "holds values that are not finite"


def claiming(content: bytes, sizes: tuple[int, int, int]) -> bytes:
    return content[:42] + struct.pack("<3h", *sizes) + content[48:]


def test_a_bomb_is_inflated_no_further_than_the_voxels_it_claims(tmp_path: Path) -> None:
    content = write(tmp_path / "a.nii").read_bytes()
    (tmp_path / "bomb.nii.gz").write_bytes(gzip.compress(content + b"\0" * 2**24))
    assert read_image(tmp_path / "bomb.nii.gz", "x").voxels.shape == (4, 3, 2)
    (tmp_path / "huge.nii.gz").write_bytes(gzip.compress(claiming(content, (30_000, 30_000, 30_000))))
    assert problem(tmp_path / "huge.nii.gz") == "claims too many voxels"
    (tmp_path / "short.nii.gz").write_bytes(gzip.compress(claiming(content, (500, 500, 1000))))
    assert problem(tmp_path / "short.nii.gz") == "is cut off in its voxels"


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 351), st.integers(0, 255)), min_size=1, max_size=6), st.integers(0, 400)
)
def test_a_damaged_file_loads_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], length: int
) -> None:
    path = write(tmp_path_factory.mktemp("nifti") / "a.nii")
    content = bytearray(path.read_bytes())
    for place, value in changes:
        content[place] = value
    path.write_bytes(bytes(content[:length] if length < 352 else content))
    try:
        image = read_image(path, "x")
    except StudyError:
        return
    assert np.isfinite(image.voxels).all()
    assert np.isfinite(image.affine).all()
