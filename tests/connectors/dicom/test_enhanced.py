"""Multi-frame objects: each frame lies, rescales and is told apart as its functional groups say."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, generate_uid

from connectors.dicom import DicomFolder
from connectors.dicom.header import read_header
from connectors.dicom.pixels import series_volumes
from prognosis.errors import StudyError
from prognosis.record import Quarantine, Volume

ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
ENHANCED_US = "1.2.840.10008.5.1.4.1.1.6.2"


def item(**elements: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def opened(path: Path) -> tuple[Volume, ...]:
    header = read_header(path, path.name)
    assert header is not None
    return series_volumes([header], header.study_uid)


def ct_slices(count: int) -> list[FileDataset]:
    """A CT series made of pydicom's one slice, 5 mm apart, each with other pixels."""
    slices = []
    for number in range(count):
        dataset = copy.deepcopy(pydicom.dcmread(str(get_testdata_file("CT_small.dcm"))))
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"2.25.5{number}"
        dataset.ImagePositionPatient = [-10.0, -20.0, 5.0 * number]
        dataset.InstanceNumber = number + 1
        dataset.PixelData = (dataset.pixel_array + 10 * number).astype("<i2").tobytes()
        slices.append(dataset)
    return slices


def enhanced(
    path: Path,
    sop_class: str,
    frames: list[Dataset],
    shared: Dataset,
    edit: Callable[[Dataset], None] = lambda _: None,
) -> Path:
    """A multi-frame object of 64 x 96 pixels whose frame number f holds the value f + 1."""
    dataset = FileDataset(str(path), {}, preamble=b"\0" * 128, file_meta=FileMetaDataset())
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = sop_class
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "2.25.2", "2.25.3"
    dataset.PatientID, dataset.Modality, dataset.StudyDate = "p1", "MR", "20200304"
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = 64, 96, len(frames)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    dataset.PerFrameFunctionalGroupsSequence = Sequence(frames)
    pixels = np.repeat(np.arange(1, len(frames) + 1, dtype="<u2"), 64 * 96)
    dataset.PixelData = pixels.tobytes()
    edit(dataset)
    dataset.save_as(path, enforce_file_format=True)
    return path


def mr_frame(depth: float, weighting: float, slope: float) -> Dataset:
    return item(
        PlanePositionSequence=Sequence([item(ImagePositionPatient=[1.0, 2.0, depth])]),
        MRDiffusionSequence=Sequence([item(DiffusionBValue=weighting)]),
        PixelValueTransformationSequence=Sequence([item(RescaleSlope=slope, RescaleIntercept=-1.0)]),
    )


def mr_shared() -> Dataset:
    return item(
        PlaneOrientationSequence=Sequence([item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]),
        PixelMeasuresSequence=Sequence([item(PixelSpacing=[0.5, 0.25], SliceThickness=3.0)]),
        FrameVOILUTSequence=Sequence([item(WindowCenter=40.0, WindowWidth=400.0)]),
    )


def test_an_enhanced_ct_gives_the_same_volume_as_the_slices_it_was_made_of(tmp_path: Path) -> None:
    slices = ct_slices(4)
    (tmp_path / "slices").mkdir()
    for number, dataset in enumerate(slices):
        dataset.save_as(tmp_path / "slices" / f"{number}.dcm", enforce_file_format=True)
    made = highdicom.legacy.LegacyConvertedEnhancedCTImage(
        slices, generate_uid(), series_number=2, sop_instance_uid=generate_uid(), instance_number=1
    )
    made.save_as(tmp_path / "enhanced.dcm")
    headers = [read_header(path, path.name) for path in sorted((tmp_path / "slices").iterdir())]
    (classic,) = series_volumes([header for header in headers if header], "2.25.1")
    (volume,) = opened(tmp_path / "enhanced.dcm")
    np.testing.assert_array_equal(volume.voxels, classic.voxels)
    np.testing.assert_allclose(volume.affine, classic.affine)
    assert volume.voxels.min() < -800  # Hounsfield units: air
    assert volume.spacing_known


def test_frames_rescale_each_by_its_own_slope_and_are_split_by_their_weighting(tmp_path: Path) -> None:
    frames = [mr_frame(0.0, 0.0, 1.0), mr_frame(3.0, 0.0, 2.0), mr_frame(0.0, 800.0, 4.0)]
    frames.append(mr_frame(3.0, 800.0, 8.0))
    first, second = opened(enhanced(tmp_path / "a.dcm", ENHANCED_MR, frames, mr_shared()))
    assert (first.stack, second.stack) == ("DiffusionBValue 0.0", "DiffusionBValue 800.0")
    np.testing.assert_array_equal(first.voxels[:, 0, 0], [1.0 * 1 - 1, 2.0 * 2 - 1])
    np.testing.assert_array_equal(second.voxels[:, 1, 2], [3.0 * 4 - 1, 4.0 * 8 - 1])
    np.testing.assert_allclose(second.affine @ [1, 1, 1, 1], [1.25, 2.5, 3.0, 1.0])
    assert first.window == (40.0, 400.0)


def test_an_ultrasound_volume_is_stacked_by_its_own_planes(tmp_path: Path) -> None:
    frames = [
        item(PlanePositionVolumeSequence=Sequence([item(ImagePositionVolume=[0.0, 0.0, depth])]))
        for depth in (2.0, 0.0, 1.0)
    ]
    shared = item(
        PlaneOrientationVolumeSequence=Sequence([item(ImageOrientationVolume=[1.0, 0, 0, 0, 1.0, 0])]),
        PixelMeasuresSequence=Sequence([item(PixelSpacing=[0.5, 0.5])]),
    )
    (volume,) = opened(enhanced(tmp_path / "a.dcm", ENHANCED_US, frames, shared))
    np.testing.assert_array_equal(volume.voxels[:, 0, 0], [2.0, 3.0, 1.0])


def test_a_loop_without_places_is_as_many_films_and_no_volume(tmp_path: Path) -> None:
    volumes = opened(enhanced(tmp_path / "a.dcm", ENHANCED_MR, [Dataset(), Dataset()], Dataset()))
    assert [volume.stack for volume in volumes] == ["frame 1", "frame 2"]
    assert [volume.voxels.shape for volume in volumes] == [(1, 64, 96), (1, 64, 96)]


def test_groups_for_other_than_the_frames_there_are_refused(tmp_path: Path) -> None:
    path = enhanced(
        tmp_path / "a.dcm",
        ENHANCED_MR,
        [mr_frame(0.0, 0.0, 1.0)],
        mr_shared(),
        edit=lambda dataset: setattr(dataset, "NumberOfFrames", 3),
    )
    with pytest.raises(StudyError, match="describes 1 frames and claims 3"):
        opened(path)


def test_an_enhanced_object_that_is_compressed_loads_the_same(tmp_path: Path) -> None:
    frames = [mr_frame(depth, 0.0, 2.0) for depth in (3.0, 0.0)]
    path = enhanced(tmp_path / "a.dcm", ENHANCED_MR, frames, mr_shared())
    (plain,) = opened(path)
    dataset = pydicom.dcmread(path)
    dataset.compress(JPEG2000Lossless)
    dataset.save_as(path, enforce_file_format=True)
    (compressed,) = opened(path)
    np.testing.assert_array_equal(compressed.voxels, plain.voxels)


def test_a_segmentation_is_no_image_and_a_secondary_capture_is_one(tmp_path: Path) -> None:
    slices = ct_slices(3)
    segment = highdicom.seg.SegmentDescription(
        1,
        "lung",
        codes.SCT.Organ,
        codes.SCT.Lung,
        highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
    )
    mask = np.zeros((3, 128, 128), dtype=np.uint8)
    mask[1, 10:20, 10:20] = 1
    highdicom.seg.Segmentation(
        slices,
        mask,
        highdicom.seg.SegmentationTypeValues.BINARY,
        [segment],
        series_instance_uid="2.25.7",
        series_number=2,
        sop_instance_uid="2.25.70",
        instance_number=1,
        manufacturer="m",
        manufacturer_model_name="m",
        software_versions="1",
        device_serial_number="1",
    ).save_as(tmp_path / "seg.dcm")
    capture = np.arange(12, dtype=np.uint8).reshape(3, 4)
    highdicom.sc.SCImage.from_ref_dataset(
        slices[0],
        capture,
        "MONOCHROME2",
        8,
        highdicom.CoordinateSystemNames.PATIENT,
        series_instance_uid="2.25.8",
        series_number=3,
        sop_instance_uid="2.25.80",
        instance_number=1,
        manufacturer="m",
        pixel_spacing=(0.5, 0.25),
        patient_orientation=("L", "P"),
    ).save_as(tmp_path / "sc.dcm")
    quarantine = Quarantine()
    (record,) = DicomFolder(tmp_path, "dicom-folder:x").records(quarantine)
    (volume,) = record.studies[0].volumes()
    np.testing.assert_array_equal(volume.voxels[0], capture)
    assert np.diag(volume.affine)[:2].tolist() == [0.25, 0.5]
    assert quarantine.notices["DICOM file that holds no image"] == 1
    assert len(quarantine) == 0
