"""What stored pixels mean: sense, rescale, tables, colour, windows, spacing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from connectors.dicom import DicomFolder
from connectors.dicom.scale import Scale
from prognosis.errors import StudyError
from prognosis.record import Volume
from tests.connectors.dicom.films import reference, write

RAMP = np.arange(12, dtype=np.float32).reshape(3, 4)


def opened(folder: Path, edit: Callable[[Dataset], None]) -> Volume:
    write(folder / "a.dcm", edit=edit)
    (volume,) = DicomFolder(folder, "dicom-folder:x").volumes(reference())
    return volume


def test_the_stated_window_is_kept_in_the_units_of_the_voxels(tmp_path: Path) -> None:
    def window(dataset: Dataset) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = "1", "-1024"
        dataset.WindowCenter, dataset.WindowWidth = ["-600", "40"], ["1500", "400"]

    volume = opened(tmp_path, window)
    assert volume.window == (-600.0, 1500.0)
    np.testing.assert_array_equal(volume.voxels[0], RAMP - 1024)


def test_an_inverted_film_has_its_window_inverted_with_it(tmp_path: Path) -> None:
    def invert(dataset: Dataset) -> None:
        dataset.PhotometricInterpretation = "MONOCHROME1"
        dataset.WindowCenter, dataset.WindowWidth = "5", "4"

    volume = opened(tmp_path, invert)
    assert volume.window == (250.0, 4.0)
    assert volume.voxels[0, 1, 1] == 250.0


def test_a_window_without_width_is_none(tmp_path: Path) -> None:
    def window(dataset: Dataset) -> None:
        dataset.WindowCenter, dataset.WindowWidth = "40", "0"

    assert opened(tmp_path, window).window is None


@pytest.mark.parametrize("inverted", [False, True])
def test_a_modality_table_replaces_slope_and_intercept(tmp_path: Path, inverted: bool) -> None:
    def tabulate(dataset: Dataset) -> None:
        table = Dataset()
        table.LUTDescriptor = [12, 0, 16]
        table.LUTData = [value * value for value in range(12)]
        table["LUTData"].VR = "US"
        table.ModalityLUTType = "HU"
        dataset.ModalityLUTSequence = Sequence([table])
        dataset.PhotometricInterpretation = "MONOCHROME1" if inverted else "MONOCHROME2"

    volume = opened(tmp_path, tabulate)
    np.testing.assert_array_equal(volume.voxels[0], 65_535 - RAMP**2 if inverted else RAMP**2)


def test_bits_beyond_those_stored_are_not_part_of_the_value(tmp_path: Path) -> None:
    def overlay(dataset: Dataset) -> None:
        dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 4, 3, 1
        dataset.PixelData = bytes([0x70 | value for value in range(12)])

    signed = np.where(RAMP > 7, RAMP - 16, RAMP)
    np.testing.assert_array_equal(opened(tmp_path, overlay).voxels[0], signed)


def test_colour_is_read_as_its_luminance(tmp_path: Path) -> None:
    def paint(dataset: Dataset) -> None:
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
        dataset.PixelData = bytes([100, 200, 50] * 12)

    assert set(opened(tmp_path, paint).voxels.ravel()) == {np.rint(29.9 + 117.4 + 5.7)}


def test_the_spacing_of_an_ultrasound_image_comes_from_its_calibrated_region(tmp_path: Path) -> None:
    def calibrate(dataset: Dataset) -> None:
        region = Dataset()
        region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
        region.PhysicalDeltaX, region.PhysicalDeltaY = 0.02, -0.05
        dataset.SequenceOfUltrasoundRegions = Sequence([region])

    volume = opened(tmp_path, calibrate)
    assert volume.spacing_known
    np.testing.assert_allclose(np.diag(volume.affine)[:2], [0.2, 0.5])


@pytest.mark.parametrize(
    ("keyword", "text", "told"),
    [
        ("RescaleSlope", b"0   ", "has a rescale slope of 0"),
        ("RescaleSlope", b"1e99", "has no usable RescaleSlope"),
        ("RescaleIntercept", b"nan ", "has no usable RescaleIntercept"),
        ("WindowCenter", b"wide", "has no usable WindowCenter"),
    ],
)
def test_a_number_that_cannot_be_is_refused_by_name(
    tmp_path: Path, keyword: str, text: bytes, told: str
) -> None:
    path = write(tmp_path / "a.dcm", edit=lambda dataset: setattr(dataset, keyword, "7777"))
    path.write_bytes(path.read_bytes().replace(b"7777", text))
    with pytest.raises(StudyError) as caught:
        DicomFolder(tmp_path, "dicom-folder:x").volumes(reference())
    assert caught.value.problem == told


@given(
    st.lists(st.integers(-32_768, 32_767), min_size=1, max_size=8),
    st.sampled_from([1.0, 2.0, -3.0, 0.5, 0.684, 200.0]),
    st.sampled_from([0.0, -1024.0, 0.25, 1e7]),
    st.sampled_from([None, -1.0]),
)
def test_values_are_exact_to_the_last_bit_of_a_float_however_they_are_made(
    stored: list[int], slope: float, intercept: float, mirror: float | None
) -> None:
    pixels = np.array([stored], dtype=np.int16)
    out = np.empty(pixels.shape, dtype=np.float32)
    Scale(slope, intercept, mirror).values(pixels, out)
    plain = pixels.astype(np.float64) if mirror is None else mirror - pixels.astype(np.float64)
    np.testing.assert_array_equal(out, (plain * slope + intercept).astype(np.float32))
