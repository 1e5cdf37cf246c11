"""A real archive pushes a study by C-STORE, and it comes out of the folder as it went into the archive.

Skipped where Orthanc is absent: apt-get install orthanc orthanc-dicomweb orthanc-gdcm.
"""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import numpy as np
import pytest

from connectors.dicom import DicomFolder
from connectors.dicom.receive.inbox import Bounds
from connectors.dicom.receive.receiver import Callers, Receiver
from prognosis.record import Quarantine
from tests.connectors.dicom.films import slices, write
from tests.live.orthanc import load, running

pytest.importorskip("pynetdicom")
PATIENCE_SECONDS = 20.0


def test_orthanc_pushes_studies_and_they_are_read_as_they_were(tmp_path: Path) -> None:
    slices(tmp_path / "sent" / "ct", [0.0, 5.0, 2.5])
    write(tmp_path / "sent" / "film.dcm", 2)
    receiver = Receiver(
        tmp_path / "in",
        title="PROGNOSIS",
        host="127.0.0.1",
        port=0,
        callers=Callers(("ORTHANC",)),
        bounds=Bounds(free_bytes=0, quiet_seconds=0.2),
    )
    to = {"DicomModalities": {"us": ["PROGNOSIS", "127.0.0.1", receiver.port]}, "DicomAet": "ORTHANC"}
    whole = []
    with receiver, running(tmp_path / "orthanc", to) as archive:
        assert load(archive, tmp_path / "sent") == 4
        assert httpx.post(f"{archive.rest}/modalities/us/echo", json={}, trust_env=False).status_code == 200
        for again in (False, True):
            for study in httpx.get(f"{archive.rest}/studies", trust_env=False).json():
                sent = httpx.post(f"{archive.rest}/modalities/us/store", json=study, trust_env=False)
                assert sent.status_code == 200, sent.text
                assert sent.json()["FailedInstancesCount"] == 0
            until = time.monotonic() + PATIENCE_SECONDS
            while not again and len(whole) < 2 and time.monotonic() < until:
                whole += receiver.whole_studies()
                time.sleep(0.05)
    assert sorted(each.instances for each in whole) == [1, 3]
    assert receiver.inbox.counts == {"received": 8, "kept": 4, "duplicate": 4}
    ours = list(DicomFolder(tmp_path / "in", "dicom-folder:x").records(Quarantine()))
    theirs = list(DicomFolder(tmp_path / "sent", "dicom-folder:x").records(Quarantine()))
    assert [each.studies for each in ours] == [each.studies for each in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        for study, expected in zip(mine.studies, other.studies, strict=True):
            for volume, meant in zip(study.volumes(), expected.volumes(), strict=True):
                np.testing.assert_array_equal(volume.voxels, meant.voxels)
                np.testing.assert_array_equal(volume.affine, meant.affine)
