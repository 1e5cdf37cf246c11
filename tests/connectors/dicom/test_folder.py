"""A folder of DICOM files: what is read, in which sense, and in what order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID, JPEG2000Lossless, JPEGLSLossless, RLELossless

from connectors.dicom import DicomFolder
from prognosis.record import Quarantine
from tests.connectors.dicom.films import STUDY_TIME, reference, slices, write

BASIC_TEXT_SR = "1.2.840.10008.5.1.4.1.1.88.11"


def test_files_are_found_in_subfolders_by_suffix_or_by_their_preamble(tmp_path: Path) -> None:
    write(tmp_path / "a" / "one.dcm", 1)
    write(tmp_path / "b" / "c" / "two.DCM", 2)
    write(tmp_path / "IM0003", 3)
    (tmp_path / "README").write_text("not DICOM", encoding="utf-8")
    quarantine = Quarantine()
    (record,) = DicomFolder(tmp_path, "dicom-folder:x").records(quarantine)
    assert [study.study_uid for study in record.studies] == ["2.25.1", "2.25.2", "2.25.3"]
    assert len(quarantine) == 0
    assert quarantine.accepted["DICOM instance"] == 3


def test_monochrome1_is_inverted_so_that_higher_is_brighter(tmp_path: Path) -> None:
    def invert(dataset: Dataset) -> None:
        dataset.PhotometricInterpretation = "MONOCHROME1"

    write(tmp_path / "a.dcm", edit=invert)
    (volume,) = DicomFolder(tmp_path, "dicom-folder:x").volumes(reference())
    np.testing.assert_array_equal(volume.voxels[0], 255 - np.arange(12).reshape(3, 4))


def test_rescale_slope_and_intercept_are_applied(tmp_path: Path) -> None:
    def rescale(dataset: Dataset) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = "2", "-1024"

    write(tmp_path / "a.dcm", edit=rescale)
    (volume,) = DicomFolder(tmp_path, "dicom-folder:x").volumes(reference())
    np.testing.assert_array_equal(volume.voxels[0], np.arange(12).reshape(3, 4) * 2 - 1024)


def test_slices_are_sorted_by_their_position_and_placed_in_millimetres(tmp_path: Path) -> None:
    slices(tmp_path, [7.5, 2.5, 5.0])
    study = reference(9)
    (volume,) = DicomFolder(tmp_path, "dicom-folder:x").volumes(study)
    np.testing.assert_array_equal(volume.voxels[:, 0, 0], [2.5, 5.0, 7.5])
    np.testing.assert_allclose(volume.affine @ [1, 2, 1, 1], [10.25, 21.0, 5.0, 1])


def test_two_films_in_one_series_are_two_volumes(tmp_path: Path) -> None:
    write(tmp_path / "a.dcm")

    def second(dataset: Dataset) -> None:
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "2.25.77"
        dataset.ViewPosition = "LL"

    write(tmp_path / "b.dcm", edit=second)
    volumes = DicomFolder(tmp_path, "dicom-folder:x").volumes(reference())
    assert [volume.view for volume in volumes] == ["AP", "LL"]


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_losslessly_compressed_films_decode_to_the_same_pixels(tmp_path: Path, syntax: UID) -> None:
    values = np.random.default_rng(1).integers(0, 256, (40, 50)).astype(np.float32)
    path = write(tmp_path / "a.dcm", values=values)
    dataset = pydicom.dcmread(path)
    try:
        dataset.compress(syntax)
    except (RuntimeError, NotImplementedError) as error:
        pytest.skip(f"no encoder for {syntax.name}: {error}")
    dataset.save_as(path, enforce_file_format=True)
    (volume,) = DicomFolder(tmp_path, "dicom-folder:x").volumes(reference())
    np.testing.assert_array_equal(volume.voxels[0], values)


def test_a_local_time_with_its_offset_is_read_as_utc_and_one_without_is_counted(tmp_path: Path) -> None:
    def local(dataset: Dataset) -> None:
        dataset.StudyTime, dataset.TimezoneOffsetFromUTC = "133015.250000", "+0100"

    write(tmp_path / "a.dcm", 1, edit=local)
    write(tmp_path / "b.dcm", 2, edit=lambda dataset: delattr(dataset, "TimezoneOffsetFromUTC"))
    quarantine = Quarantine()
    (record,) = DicomFolder(tmp_path, "dicom-folder:x").records(quarantine)
    assert [study.time for study in record.studies] == [STUDY_TIME, STUDY_TIME]
    assert quarantine.notices["DICOM study without TimezoneOffsetFromUTC; read as UTC"] == 1


def test_a_report_beside_the_films_is_no_fault(tmp_path: Path) -> None:
    write(tmp_path / "a.dcm", 1)

    def report(dataset: Dataset) -> None:
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = BASIC_TEXT_SR
        for name in ("Rows", "Columns", "PixelData"):
            delattr(dataset, name)

    write(tmp_path / "b.dcm", 2, edit=report)
    quarantine = Quarantine()
    assert len(list(DicomFolder(tmp_path, "dicom-folder:x").records(quarantine))) == 1
    assert len(quarantine) == 0
    assert quarantine.notices["DICOM file that holds no image"] == 1
