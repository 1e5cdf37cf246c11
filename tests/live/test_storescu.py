"""DCMTK's sender, not written here: what it pushes is kept, and killed in mid-study it leaves nothing.

Skipped where storescu is absent: apt-get install dcmtk.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from connectors.dicom import DicomFolder
from connectors.dicom.receive.inbox import Bounds
from connectors.dicom.receive.receiver import Callers, Receiver
from prognosis.errors import SourceError
from prognosis.record import Quarantine
from tests.connectors.dicom.films import slices

pytest.importorskip("pynetdicom")
STORESCU = shutil.which("storescu")
PATIENCE_SECONDS = 20.0
SLICES = 60

pytestmark = pytest.mark.skipif(STORESCU is None, reason="storescu is absent: apt-get install dcmtk")


def sending(port: int, folder: Path) -> subprocess.Popen[bytes]:
    """The sender at work on a folder."""
    titles = ("-aet", "SCANNER", "-aec", "PROGNOSIS")
    command = [str(STORESCU), *titles, "127.0.0.1", str(port), "+sd", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_a_sender_killed_in_mid_study_leaves_nothing_to_read_and_sends_it_whole_the_next_time(
    tmp_path: Path,
) -> None:
    sent = slices(tmp_path / "ct", [2.5 * place for place in range(SLICES)])
    receiver = Receiver(
        tmp_path / "in",
        title="PROGNOSIS",
        host="127.0.0.1",
        port=0,
        callers=Callers(("SCANNER",)),
        bounds=Bounds(free_bytes=0, quiet_seconds=0.0),
    )
    with receiver:
        process = sending(receiver.port, sent)
        until = time.monotonic() + PATIENCE_SECONDS
        while receiver.inbox.counts["kept"] < 3:
            assert time.monotonic() < until
            time.sleep(0.001)
        process.kill()
        process.wait()
        while receiver.inbox.waiting() != (1, 1):
            assert time.monotonic() < until
            time.sleep(0.01)
        assert 3 <= receiver.inbox.counts["kept"] < SLICES
        assert receiver.whole_studies() == ()
        with pytest.raises(SourceError, match="no usable DICOM image"):
            DicomFolder(tmp_path / "in", "dicom-folder:x").study_patients(Quarantine())

        assert sending(receiver.port, sent).wait(timeout=PATIENCE_SECONDS) == 0
        while not (whole := receiver.whole_studies()):
            assert time.monotonic() < until + PATIENCE_SECONDS
            time.sleep(0.01)
    assert [each.instances for each in whole] == [SLICES]
    counts = receiver.inbox.counts
    assert counts["received"] == counts["kept"] + counts["duplicate"]
    (record,) = DicomFolder(tmp_path / "in", "dicom-folder:x").records(Quarantine())
    assert record.studies[0].volumes()[0].voxels.shape == (SLICES, 3, 4)
