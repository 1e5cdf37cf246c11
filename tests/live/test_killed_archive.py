"""A real archive killed while a study comes from it: no answer is given, least of all one as if without film.

Skipped where Orthanc is absent: apt-get install orthanc orthanc-dicomweb orthanc-gdcm.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from prognosis.serve.settings import ServiceSettings
from tests.cli.program import Program
from tests.connectors.dicom.films import write
from tests.live.orthanc import Orthanc, load, running
from tests.live.test_orthanc import dying_with_its_first_piece
from tests.serve.hospital import FHIR
from tests.serve.hospital import running as serving
from tests.simulated import Simulated

INSTANCES = 4
SIDE = 2048


@dataclass(frozen=True, slots=True)
class Hospital:
    """A patient whose records are in files and whose last study, of several films, is in the archive.

    Attributes:
        orthanc: The archive.
        patient: Who.
        uris: Of both.
    """

    orthanc: Orthanc
    patient: str
    uris: tuple[str, str]


@pytest.fixture
def prognosis(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Program:
    """The command line."""
    monkeypatch.setenv("COLUMNS", "200")
    return Program(capsys, monkeypatch)


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive that is dead is asked again at once."""
    monkeypatch.setattr("connectors.dicom.web.session.wait_seconds", lambda *_: 0.0)


@pytest.fixture
def hospital(small: Simulated, tmp_path: Path) -> Iterator[Hospital]:
    """32 MB of films, more than waits between two programs when one of them dies."""
    record = small.complete[0].record
    study = max(record.studies, key=lambda each: each.time)
    film = study.volumes()[0].voxels[0]
    enlarged = np.kron(film, np.ones((SIDE // film.shape[0] + 1, SIDE // film.shape[1] + 1)))

    for place in range(INSTANCES):

        def edit(dataset: Dataset, place: int = place) -> None:
            dataset.StudyInstanceUID = study.study_uid
            dataset.SeriesInstanceUID = study.series[0].series_uid
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"2.25.77{place}"
            dataset.PatientBirthDate = ""

        write(tmp_path / "films" / f"{place}.dcm", 7, record.patient_id, enlarged.astype(np.float32), edit)
    with running(tmp_path / "orthanc") as orthanc:
        assert load(orthanc, tmp_path / "films") == INSTANCES
        uris = (f"fhir-folder:{small.folder}", f"dicomweb:{orthanc.root}")
        yield Hospital(orthanc, record.patient_id, uris)


def test_risk_says_that_the_archive_broke_off_and_gives_no_number(
    hospital: Hospital, small: Simulated, prognosis: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = [word for uri in hospital.uris for word in ("--source", uri)]
    asked = ("risk", hospital.patient, "--model", small.model_folder, *named, "--json")
    whole = prognosis(*asked)
    assert whole.status == 0, whole.err
    assert "imaging" in whole.stated["modalities_used"], whole.stated["modalities_missing"]
    monkeypatch.setattr("httpx.Response.iter_raw", dying_with_its_first_piece(hospital.orthanc.process))
    broken = prognosis(*asked)
    assert hospital.orthanc.process.poll() is not None
    assert broken.status != 0
    assert "could not be reached" in broken.prose or "broke off" in broken.prose
    assert not broken.out
    again = prognosis(*asked)  # now it is not there at all
    assert again.status != 0
    assert not again.out


def test_the_service_says_that_a_source_cannot_be_read_and_keeps_no_score(
    hospital: Hospital, small: Simulated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ServiceSettings.model_validate({"fhir_servers": [{"base": FHIR, "same_patients": True}]})
    with serving(small, tmp_path, settings, uris=hospital.uris) as service:
        monkeypatch.setattr("httpx.Response.iter_raw", dying_with_its_first_piece(hospital.orthanc.process))
        for _ in range(2):  # in the middle of the study, and when it is not there at all
            for answer in (
                service.http.get(f"/risk/{hospital.patient}"),
                service.http.get(f"/explain/{hospital.patient}"),
                service.call({"patientId": hospital.patient}),
            ):
                assert answer.status_code == 502, answer.text
                assert "probability" not in answer.text
                assert "cards" not in json.loads(answer.text)
        assert hospital.orthanc.process.poll() is not None
        assert service.service.scores.counts(small.model.model_id) == (0, 0)
