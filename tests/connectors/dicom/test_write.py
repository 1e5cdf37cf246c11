"""Films written as DICOM and read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from connectors.dicom import DicomFolder, write_film
from connectors.dicom.stored import store_exactly
from prognosis.errors import StudyError
from prognosis.record import Quarantine
from tests.connectors.dicom.films import STUDY_TIME, film, reference, write


@pytest.mark.parametrize(
    ("values", "bits"),
    [
        (np.array([[0, 255], [7, 128]]), 8),
        (np.array([[0, 65535], [256, 1]]), 16),
        (np.array([[-1024, 3071], [0, 1]]), 16),
        (np.array([[0.25, 0.5], [-3.75, 100.0]]), 16),
    ],
)
def test_every_pixel_of_a_film_survives_the_round_trip_exactly(
    tmp_path: Path, values: NDArray[np.float64], bits: int
) -> None:
    values = values.astype(np.float32)
    path = write(tmp_path / "a.dcm", values=values)
    (volume,) = DicomFolder(tmp_path, "dicom-folder:x").volumes(reference())
    assert pydicom.dcmread(path).BitsAllocated == bits
    np.testing.assert_array_equal(volume.voxels[0], values)


def test_grey_values_that_sixteen_bits_cannot_hold_are_refused_rather_than_rounded(tmp_path: Path) -> None:
    values = np.array([[0.1, 0.2], [0.3, np.pi]], dtype=np.float32)
    with pytest.raises(StudyError, match="cannot hold exactly"):
        write(tmp_path / "a.dcm", values=values)
    with pytest.raises(StudyError, match="not finite"):
        write(tmp_path / "b.dcm", values=np.array([[np.nan, 1.0]], dtype=np.float32))


@given(st.lists(st.integers(-30_000, 30_000), min_size=1, max_size=20), st.integers(0, 4))
def test_what_is_stored_always_gives_the_same_numbers_back(levels: list[int], halvings: int) -> None:
    values = (np.array([levels]) * 0.5**halvings).astype(np.float32)
    try:
        stored = store_exactly(values, "film")
    except StudyError:
        assert np.ptp(levels) > 65_535
        return
    back = stored.pixels.astype(np.float64) * float(stored.slope) + float(stored.intercept)
    np.testing.assert_array_equal(back.astype(np.float32), values)


def test_identity_time_and_view_survive_and_no_name_is_written(tmp_path: Path) -> None:
    study = reference(3, "DX", "PA")
    write_film(
        film(modality="DX", spacing_mm=0.2),
        tmp_path / "deep" / "film.dcm",
        study=study,
        series=study.series[0],
        patient_id="p-7",
        birth_date=date(1950, 2, 3),
        sex="female",
    )
    dataset = pydicom.dcmread(tmp_path / "deep" / "film.dcm")
    assert dataset.SOPClassUID == "1.2.840.10008.5.1.4.1.1.1.1"
    assert str(dataset.PatientName) == ""
    (record,) = DicomFolder(tmp_path, "dicom-folder:x").records(Quarantine())
    assert (record.patient_id, record.birth_date, record.sex) == ("p-7", date(1950, 2, 3), "female")
    assert record.studies == (replace(study, source=f"ImagingStudy/{study.study_uid}"),)
    assert record.studies[0].time == STUDY_TIME
    (volume,) = record.studies[0].volumes()
    assert (volume.modality, volume.view, volume.spacing_known) == ("DX", "PA", True)
    np.testing.assert_allclose(np.diag(volume.affine), [0.2, 0.2, 1.0, 1.0])


def test_a_film_of_unknown_spacing_stays_one_and_is_written_as_computed_radiography(tmp_path: Path) -> None:
    study = reference(4, "DX", "AP")
    path = tmp_path / "film.dcm"
    write_film(film(modality="DX"), path, study=study, series=study.series[0], patient_id="p1")
    assert pydicom.dcmread(path).SOPClassUID == "1.2.840.10008.5.1.4.1.1.1"
    (volume,) = DicomFolder(tmp_path, "dicom-folder:x").volumes(study)
    assert not volume.spacing_known
    assert volume.modality == "DX"


@pytest.mark.parametrize("patient_id", ["", "x" * 65, "päd", "a\\b"])
def test_a_patient_id_that_dicom_cannot_hold_is_refused(tmp_path: Path, patient_id: str) -> None:
    with pytest.raises(StudyError, match="patient id"):
        write(tmp_path / "a.dcm", patient_id=patient_id)


def test_a_volume_of_several_slices_is_not_a_film(tmp_path: Path) -> None:
    study = reference()
    volume = replace(film(), voxels=np.zeros((2, 3, 4), dtype=np.float32))
    with pytest.raises(StudyError, match="not one film"):
        write_film(volume, Path(tmp_path / "a.dcm"), study=study, series=study.series[0], patient_id="p1")
