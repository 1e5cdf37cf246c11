"""From the files of a raw CT series to Hounsfield units in order and their place in millimetres."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.data import get_testdata_file

from benchmarks.speed.timing import OURS, Comparison, in_turn
from connectors.dicom import plain
from connectors.dicom.header import read_header
from connectors.dicom.pixels import series_volumes

PACKAGES = ("pydicom",)
GAP_MM = 1.25

Series = tuple[NDArray[np.float32], NDArray[np.float64]]


def write_series_files(folder: Path, slices: int, side: int) -> list[Path]:
    """A CT series with the header of a real slice, uncompressed, its files in no order of their places."""
    rng = np.random.default_rng(0)
    dataset = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
    dataset.Rows = dataset.Columns = side
    paths = []
    for number in rng.permutation(slices):
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"2.25.{number + 1}"
        dataset.ImagePositionPatient = [-150.0, -160.0, f"{GAP_MM * number:g}"]
        dataset.PixelData = rng.integers(-1024, 3072, (side, side), dtype=np.int16).tobytes()
        paths.append(folder / f"{len(paths):04}.dcm")
        dataset.save_as(paths[-1], enforce_file_format=True)
    return paths


def _ours(paths: list[Path]) -> Series:
    plain._read.cache_clear()  # every run parses every header anew
    headers = [header for path in paths if (header := read_header(path, path.name)) is not None]
    (volume,) = series_volumes(headers, headers[0].study_uid)
    return volume.voxels, volume.affine


def _by_pydicom(paths: list[Path]) -> Series:
    """The shortest way with pydicom that is right for this series, and checks nothing."""
    slices = sorted((pydicom.dcmread(path) for path in paths), key=lambda each: each.ImagePositionPatient[2])
    voxels = np.empty((len(slices), slices[0].Rows, slices[0].Columns), dtype=np.float32)
    for number, each in enumerate(slices):
        voxels[number] = each.pixel_array
        if each.RescaleSlope != 1:
            voxels[number] *= np.float32(each.RescaleSlope)
        voxels[number] += np.float32(each.RescaleIntercept)
    rows, columns = slices[0].PixelSpacing
    first, last = (np.array(each.ImagePositionPatient, dtype=float) for each in (slices[0], slices[-1]))
    affine = np.eye(4)
    affine[:3, 0] = np.array(slices[0].ImageOrientationPatient[:3], dtype=float) * columns
    affine[:3, 1] = np.array(slices[0].ImageOrientationPatient[3:], dtype=float) * rows
    affine[:3, 2] = (last - first) / (len(slices) - 1)
    affine[:3, 3] = first
    return voxels, affine


def _compare(slices: int, side: int) -> Comparison:
    with tempfile.TemporaryDirectory() as folder:
        paths = write_series_files(Path(folder), slices, side)
        run = {OURS: lambda: _ours(paths), "pydicom": lambda: _by_pydicom(paths)}
        timings, values = in_turn(run, {OURS: 9, "pydicom": 5})
    for ours, theirs in zip(values[OURS], values["pydicom"], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    return Comparison(
        task=f"raw CT series, {slices} x {side} x {side} int16, from warm files to Hounsfield units in place",
        timings=timings,
        goals={"pydicom": 4.0},
        equality="every voxel and every number of the affine equals",
    )


def comparisons(*, quick: bool, threads: int) -> Iterator[Comparison]:
    """200 slices of 512 x 512."""
    yield _compare(*((20, 128) if quick else (200, 512)))
