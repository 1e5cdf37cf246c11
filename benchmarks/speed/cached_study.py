"""The imaging evidence of a DICOM study, read from its files and from the cache of encoded studies."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.speed.dicom_series import write_series_files
from benchmarks.speed.timing import OURS, Comparison, in_turn
from connectors.dicom import DicomFolder, write_film
from prognosis.cohort import Case, Target
from prognosis.evidence.imaging import ImagingConfig, ImagingEvidence, fit_imaging
from prognosis.evidence.imaging.cache import StudyCache, encoder_digest
from prognosis.record import ImagingStudy, PatientRecord, Quarantine, Series, Volume

PACKAGES = ("torch", "monai", "pydicom")
NOW = datetime(2024, 1, 1, tzinfo=UTC)
_CASES = 24


@dataclass(frozen=True, slots=True)
class _Noise:
    """An image store of noise: enough to train a model on that is as large as one of a real cohort."""

    shape: tuple[int, ...]

    def volumes(self, study: ImagingStudy) -> tuple[Volume, ...]:
        rng = np.random.default_rng(int(study.study_uid))
        voxels = rng.normal(0.0, 300.0, self.shape).astype(np.float32)
        return (Volume(voxels, np.eye(4), f"ImagingStudy/{study.study_uid}#1", "CT"),)


def _model(config: ImagingConfig, shape: tuple[int, ...]) -> ImagingEvidence:
    """Five fold models of descriptors and a network, as any training makes them."""
    series, store = (Series("1", "CT"),), _Noise(shape)
    studies = [ImagingStudy(NOW, str(n), series, store=store) for n in range(_CASES)]
    cases = [Case(PatientRecord(str(n), studies=(study,)), NOW) for n, study in enumerate(studies)]
    target = Target(
        ("ill",), np.arange(_CASES) % 2, np.full(_CASES, 0.5), np.array([0.0, 1.0]), survival=False
    )
    fitted = cast("ImagingEvidence", fit_imaging(cases, target, np.arange(_CASES) % 5, config, seed=0).model)
    fitted.gate = None  # the study timed is no more like these than any other
    return fitted


def _film(folder: Path, rows: int, columns: int) -> None:
    pixels: NDArray[np.float32] = (
        np.random.default_rng(1).integers(0, 4096, (1, rows, columns)).astype(np.float32)
    )
    series = Series("2.25.1", "DX", "PA", "CHEST")
    study = ImagingStudy(NOW, "2.25.2", (series,))
    film = Volume(pixels, np.diag([0.15, 0.15, 1.0, 1.0]), "", "DX", "PA")
    write_film(film, folder / "1.dcm", study=study, series=series, patient_id="1")


def _compare(task: str, folder: Path, evidence: ImagingEvidence, repeats: int) -> Comparison:
    (record,) = DicomFolder(folder, str(folder)).records(Quarantine())
    case = [Case(record, NOW)]
    cache = StudyCache(folder / "cache", encoder_digest("benchmark"))

    def asked(own: StudyCache | None) -> NDArray[np.float64]:
        evidence.cache = own
        return evidence.summarise(case).vector

    first = asked(cache)
    uncached = "without the cache"
    timings, values = in_turn(
        {OURS: lambda: asked(cache), uncached: lambda: asked(None)}, {OURS: 25, uncached: repeats}
    )
    np.testing.assert_array_equal(values[OURS], values[uncached])
    np.testing.assert_array_equal(values[OURS], first)
    if not first.any():
        message = "the study was not read"
        raise AssertionError(message)
    return Comparison(task, timings, {}, "the same evidence, bit for bit")


def comparisons(*, quick: bool, threads: int) -> Iterator[Comparison]:
    """A film, and a CT series of 200 slices; headers were read, files lie in the page cache."""
    rows, columns = (250, 200) if quick else (2500, 2048)
    slices, side = (20, 64) if quick else (200, 512)
    with tempfile.TemporaryDirectory() as place:
        film, series = Path(place, "film"), Path(place, "series")
        series.mkdir()
        _film(film, rows, columns)
        write_series_files(series, slices, side)
        two = _model(ImagingConfig(epochs=1, threads=threads), (1, 128, 128))
        yield _compare(f"a DICOM film of {rows} x {columns} to its imaging evidence", film, two, 5)
        config = ImagingConfig(dimensions=3, epochs=1, threads=threads)
        three = _model(config, (32, 64, 64))
        yield _compare(f"a raw CT of {slices} x {side} x {side} to its imaging evidence", series, three, 3)
