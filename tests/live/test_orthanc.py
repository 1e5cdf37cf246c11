"""A real archive, Debian's Orthanc: what goes in by STOW-RS comes out by QIDO-RS and WADO-RS as it was.

Skipped where Orthanc is absent: apt-get install orthanc orthanc-dicomweb orthanc-gdcm.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from pydicom.dataset import Dataset

from connectors.dicom import DicomWeb
from connectors.dicom.web.address import address_of
from connectors.dicom.web.session import Session
from connectors.dicom.web.storing import store_study
from prognosis.cli.sources import export_fhir_dicom, read_records
from prognosis.errors import SourceError, StudyError
from prognosis.record import PatientRecord, Quarantine
from prognosis.simulate import Dials, simulate_cohort
from tests.connectors.dicom.films import reference, slices, write
from tests.live.orthanc import Orthanc, load, running


@pytest.fixture
def orthanc(tmp_path: Path) -> Iterator[Orthanc]:
    """An empty archive on a free port that answers this machine only."""
    with running(tmp_path / "orthanc") as archive:
        yield archive


def same_pixels(ours: PatientRecord, theirs: PatientRecord) -> int:
    """How many volumes two records of one patient have, all of them equal."""
    count = 0
    for study, other in zip(ours.studies, theirs.studies, strict=True):
        for volume, expected in zip(study.volumes(), other.volumes(), strict=True):
            np.testing.assert_array_equal(volume.voxels, expected.voxels)
            np.testing.assert_array_equal(volume.affine, expected.affine)
            assert (volume.source, volume.modality, volume.view, volume.window, volume.spacing_known) == (
                *(expected.source, expected.modality, expected.view, expected.window),
                expected.spacing_known,
            )
            count += 1
    return count


def test_a_cohort_comes_out_of_a_real_archive_as_it_went_in(orthanc: Orthanc, tmp_path: Path) -> None:
    out = tmp_path / "export"
    written = export_fhir_dicom(simulate_cohort(Dials(patients=10), seed=3).records, out, Quarantine())
    assert load(orthanc, out / "dicom") == written["DICOM instance"] > 5
    assert load(orthanc, out / "dicom") == written["DICOM instance"]  # again, which changes nothing

    quarantine = Quarantine()
    web = read_records([f"dicomweb:{orthanc.root}"], None, quarantine)
    files = read_records([f"dicom-folder:{out / 'dicom'}"], None, Quarantine())
    assert len(web) == len(files) > 1
    for ours, theirs in zip(web, files, strict=True):
        assert (ours.patient_id, ours.birth_date, ours.sex) == (
            *(theirs.patient_id, theirs.birth_date, theirs.sex),
        )
        assert ours.studies == theirs.studies
    assert sum(map(same_pixels, web, files)) == written["DICOM instance"]
    assert quarantine.accepted["DICOM instance"] == written["DICOM instance"]
    assert len(quarantine) == 0

    joined = read_records([f"fhir-folder:{out / 'fhir'}", f"dicomweb:{orthanc.root}"], None, Quarantine())
    assert sum(study.store is not None for record in joined for study in record.studies) == sum(
        len(record.studies) for record in files
    )


def test_every_byte_of_an_instance_comes_back(orthanc: Orthanc, tmp_path: Path) -> None:
    paths = sorted(slices(tmp_path / "ct", [0.0, 5.0, 2.5]).iterdir())
    assert load(orthanc, tmp_path / "ct") == 3
    source = DicomWeb(orthanc.root, "dicomweb:x")
    back = source.contents(reference(9))
    assert sorted(path.read_bytes() for path in back) == sorted(path.read_bytes() for path in paths)


def test_an_archive_that_refuses_an_instance_is_found_out(orthanc: Orthanc, tmp_path: Path) -> None:
    session = Session(address_of(orthanc.root), "dicomweb:x")
    sent = sorted(slices(tmp_path / "ct", [0.0, 5.0]).iterdir())
    with pytest.raises(StudyError, match="sent with 2 instances, and the archive holds 0"):
        store_study(session, "2.25.77", sent)  # the instances are of another study


def test_an_archive_killed_within_a_study_gives_none_of_it(
    orthanc: Orthanc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    films(tmp_path / "films")
    assert load(orthanc, tmp_path / "films") == 4
    (record,) = read_records([f"dicomweb:{orthanc.root}"], None, quarantine := Quarantine())
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("httpx.Response.iter_raw", dying_with_its_first_piece(orthanc.process))
    (study,) = record.studies
    for ask in (study.volumes, study.contents):
        with pytest.raises(SourceError, match=r"could not be reached|broke off"):
            ask()
    assert orthanc.process.poll() is not None
    assert [list(folder.iterdir()) for folder in tmp_path.glob("prognosis-dicomweb-*")] == [[]]
    assert quarantine.accepted == {"DICOM study": 1}


def films(folder: Path) -> None:
    """A study of four films, 32 MB: more than waits between two programs when one of them dies."""
    values = np.arange(2048 * 2048, dtype=np.float32).reshape(2048, 2048) % 60_000
    for place in range(4):

        def number(dataset: Dataset, place: int = place) -> None:
            dataset.SOPInstanceUID = f"2.25.59{place}"
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID

        write(folder / f"{place}.dcm", 5, "p5", values, number)


def dying_with_its_first_piece(
    process: subprocess.Popen[bytes],
) -> Callable[[httpx.Response], Iterator[bytes]]:
    """How an answer is read, but that the archive is killed when the first piece of images came."""
    read = httpx.Response.iter_raw

    def iter_raw(answer: httpx.Response) -> Iterator[bytes]:
        for piece in read(answer):
            yield piece
            if answer.headers["Content-Type"].startswith("multipart/"):
                process.kill()
                process.wait()

    return iter_raw
