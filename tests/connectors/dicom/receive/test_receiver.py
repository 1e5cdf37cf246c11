"""Pushed studies: kept byte for byte, read when whole, never in part; strangers are turned away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian

from connectors.dicom import DicomFolder
from connectors.dicom.receive.inbox import Bounds
from connectors.dicom.receive.receiver import STORED, Callers, Receiver
from prognosis.errors import SourceError
from prognosis.record import Quarantine
from tests.connectors.dicom.films import slices, write

pynetdicom = pytest.importorskip("pynetdicom")
CT = "1.2.840.10008.5.1.4.1.1.2"
ECHO = "1.2.840.10008.1.1"
CR = "1.2.840.10008.5.1.4.1.1.1"


def receiver(folder: Path, *, titles: tuple[str, ...] = ("SCANNER",), **bounds: float) -> Receiver:
    limits = {"quiet_seconds": 0.0, "free_bytes": 0, **bounds}
    return Receiver(
        folder,
        title="PROGNOSIS",
        host="127.0.0.1",
        port=0,
        callers=Callers(titles),
        bounds=Bounds(**limits),  # type: ignore[arg-type]
    )


@contextmanager
def sender(port: int, title: str = "SCANNER", called: str = "PROGNOSIS") -> Iterator[pynetdicom.Association]:
    """An association with it, released at the end unless the test ended it."""
    entity = pynetdicom.AE(ae_title=title)
    for kind in (ECHO, CR, *STORED[1:5]):
        entity.add_requested_context(kind, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", port, ae_title=called)
    try:
        yield association
    finally:
        if association.is_established:
            association.release()
        own = association.dul.socket.socket if association.dul.socket else None
        if own is not None:  # of an association that the other side broke off
            own.close()


def send(association: pynetdicom.Association, path: Path) -> int | None:
    """The status of the answer; None without one."""
    return association.send_c_store(path).get("Status")


def seen(folder: Path) -> dict[str, int]:
    """How many instances of each study a reader of the folder finds."""
    quarantine = Quarantine()
    try:
        DicomFolder(folder, "dicom-folder:x").study_patients(quarantine)
    except SourceError:
        return {}
    return {
        path.name: len(list(path.glob("*.dcm"))) for path in sorted(folder.iterdir()) if path.name[0] != "."
    }


def eventually(holds: object, seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < until, "it never came to be"
        time.sleep(0.02)


def scan(folder: Path, count: int = 3) -> list[Path]:
    return sorted(slices(folder, [2.5 * place for place in range(count)]).iterdir())


def test_a_study_is_read_when_its_association_was_released_and_it_was_quiet_and_not_before(tmp_path: Path):
    paths, place = scan(tmp_path / "ct"), tmp_path / "received" / "in"
    now = [0.0]
    with receiver(place, quiet_seconds=60.0) as running:
        running.inbox._clock = lambda: now[0]
        with sender(running.port) as association:
            assert association.send_c_echo().Status == 0x0000
            for path in paths:
                assert send(association, path) == 0x0000
                now[0] += 100.0
                assert running.whole_studies() == ()  # however long it takes, it goes on
                assert seen(place) == {}
            told = Quarantine()
            with pytest.raises(SourceError, match="holds no usable DICOM image"):
                DicomFolder(place, "dicom-folder:x").study_patients(told)
            assert told.notices == {"DICOM study that is still being received: not read": 1}
            with pytest.raises(SourceError):  # nor from a folder above it
                DicomFolder(place.parent, "dicom-folder:x").study_patients(told)
            assert told.notices == {"DICOM study that is still being received: not read": 2}
        eventually(lambda: not running.inbox._carried)
        now[0] -= 41.0
        assert running.whole_studies() == ()
        now[0] += 41.0
        assert [(each.study_uid, each.instances) for each in running.whole_studies()] == [("2.25.9", 3)]
    assert seen(place) == {"2.25.9": 3}
    there = sorted((place / "2.25.9").iterdir())
    for path, sent in zip(there, paths, strict=True):
        assert pydicom.dcmread(path) == pydicom.dcmread(sent)
    assert running.inbox.counts == {"received": 3, "kept": 3}


def test_an_association_that_breaks_off_leaves_nothing_to_read_until_the_study_was_sent_again(tmp_path: Path):
    paths = scan(tmp_path / "ct")
    with receiver(tmp_path / "in") as running:
        with sender(running.port) as association:
            assert send(association, paths[0]) == 0x0000
            association.abort()
        eventually(lambda: running.inbox.waiting() == (1, 1))
        assert running.whole_studies() == ()
        with sender(running.port) as association:
            assert [send(association, path) for path in paths] == [0x0000] * 3
        eventually(lambda: running.inbox.waiting() == (1, 0))
        (whole,) = running.whole_studies()
    assert (whole.study_uid, whole.instances) == ("2.25.9", 3)
    assert running.inbox.counts == {"received": 4, "kept": 3, "duplicate": 1}


def test_what_comes_later_of_a_whole_study_is_added_when_it_is_whole_too(tmp_path: Path):
    paths = scan(tmp_path / "ct")
    with receiver(tmp_path / "in") as running:
        for batch in (paths[:2], paths[1:]):
            with sender(running.port) as association:
                assert [send(association, path) for path in batch] == [0x0000] * 2
            eventually(lambda: not running.inbox._carried)
            running.whole_studies()
    assert seen(tmp_path / "in") == {"2.25.9": 2, "2.25.9+2": 1}
    (record,) = DicomFolder(tmp_path / "in", "dicom-folder:x").records(Quarantine())
    (study,) = record.studies
    assert study.volumes()[0].voxels.shape == (3, 3, 4)


@pytest.mark.parametrize(("title", "called"), [("STRANGER", "PROGNOSIS"), ("SCANNER", "OTHER")])
def test_another_title_is_turned_away(tmp_path: Path, title: str, called: str):
    with receiver(tmp_path / "in") as running:
        with sender(running.port, title, called) as association:
            assert association.is_rejected
        eventually(lambda: not running._server.active_associations)  # aborting a closing one raises


def test_another_machine_is_turned_away(tmp_path: Path):
    with receiver(tmp_path / "in") as running:
        running.callers = Callers(("SCANNER",), ("192.0.2.1",))
        with sender(running.port) as association:
            assert association.is_rejected
        eventually(lambda: not running._server.active_associations)
    assert running.inbox.counts["connections refused"] == 1


def test_kinds_of_objects_that_are_not_read_are_refused_as_the_sender_connects(tmp_path: Path):
    entity = pynetdicom.AE(ae_title="SCANNER")
    entity.add_requested_context("1.2.840.10008.5.1.4.1.1.88.33")  # a comprehensive report
    with receiver(tmp_path / "in") as running:
        association = entity.associate("127.0.0.1", running.port, ae_title="PROGNOSIS")
        assert not association.accepted_contexts
        association.abort()


def test_what_cannot_be_read_is_set_aside_and_counted_and_the_rest_goes_on(tmp_path: Path):
    good = write(tmp_path / "good.dcm", 1)
    without = write(tmp_path / "bad.dcm", 2, edit=lambda each: each.__setattr__("Rows", 0))
    with receiver(tmp_path / "in") as running:
        with sender(running.port) as association:
            assert send(association, without) == 0xC000
            assert send(association, good) == 0x0000
        eventually(lambda: not running.inbox._carried)
        assert len(running.whole_studies()) == 1
    assert running.inbox.counts == {"received": 2, "set aside": 1, "kept": 1}
    assert [each.problem for each in running.inbox.quarantine] == ["claims no pixels"]
    assert seen(tmp_path / "in") == {"2.25.1": 1}
    assert len(list((tmp_path / "in" / ".quarantine").iterdir())) == 1


def test_one_uid_for_two_images_is_refused_and_the_first_is_kept(tmp_path: Path):
    first, other = write(tmp_path / "a.dcm", 1), write(tmp_path / "b.dcm", 1, patient_id="p2")
    with receiver(tmp_path / "in") as running, sender(running.port) as association:
        assert [send(association, each) for each in (first, first, other)] == [0x0000, 0x0000, 0x0111]
    assert running.inbox.counts == {
        "received": 3,
        "kept": 1,
        "duplicate": 1,
        "duplicate that differs": 1,
    }


def test_without_room_on_the_disk_the_sender_is_told_and_the_study_is_held_back(tmp_path: Path):
    paths = scan(tmp_path / "ct", 2)
    with receiver(tmp_path / "in") as running:
        with sender(running.port) as association:
            assert send(association, paths[0]) == 0x0000
            running.inbox.bounds = Bounds(free_bytes=2**62, quiet_seconds=0.0)
            assert send(association, paths[1]) == 0xA700
        eventually(lambda: running.inbox.waiting() == (1, 1))
        running.inbox.bounds = Bounds(free_bytes=0, quiet_seconds=0.0)
        assert running.whole_studies() == ()
        with sender(running.port) as association:
            assert send(association, paths[1]) == 0x0000
        eventually(lambda: len(running.whole_studies()) == 1)
    assert seen(tmp_path / "in") == {"2.25.9": 2}


def test_a_disk_that_refuses_to_hold_an_instance_is_told_to_the_sender(tmp_path: Path):
    path = write(tmp_path / "one.dcm", 1)
    with receiver(tmp_path / "in") as running:
        (tmp_path / "in" / ".arriving" / "instance.part").symlink_to("/dev/full")
        with sender(running.port) as association:
            assert send(association, path) == 0xA700
            assert send(association, path) == 0x0000  # what lay in the way went with the failure
        eventually(lambda: len(running.whole_studies()) == 1)
    assert seen(tmp_path / "in") == {"2.25.1": 1}


def test_an_instance_larger_than_allowed_never_fills_the_memory(tmp_path: Path):
    path = write(tmp_path / "large.dcm", 1)
    large = pydicom.dcmread(path)
    large.Rows, large.Columns = 2048, 1024
    large.PixelData = b"\0" * (4 * 2**20)
    with receiver(tmp_path / "in", largest_bytes=1000) as running:
        with sender(running.port) as association:
            assert association.send_c_store(large).get("Status") is None
        eventually(lambda: running.inbox.counts["broken off for their size"] == 1)
    assert seen(tmp_path / "in") == {}


def test_two_receivers_cannot_keep_one_folder(tmp_path: Path):
    with receiver(tmp_path / "in"), pytest.raises(SourceError, match="kept by another receiver"):
        receiver(tmp_path / "in")


RUN = """
import sys, time
from pathlib import Path
from connectors.dicom.receive.inbox import Bounds
from connectors.dicom.receive.receiver import Callers, Receiver
bounds = Bounds(free_bytes=0, quiet_seconds=0.0)
running = Receiver(Path(sys.argv[1]), title="PROGNOSIS", host="127.0.0.1", port=0,
                   callers=Callers(("SCANNER",)), bounds=bounds)
print(running.port, flush=True)
while True:
    running.whole_studies()
    time.sleep(0.01)
"""


@pytest.mark.parametrize("sent", [1, 2])
def test_a_receiver_killed_within_a_study_leaves_no_part_of_it_to_read_even_when_started_again(
    tmp_path: Path, sent: int
):
    paths = scan(tmp_path / "ct")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])}
    command = [sys.executable, "-c", RUN, str(tmp_path / "in")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    port = int(process.stdout.readline())
    with sender(port) as association:
        assert [send(association, path) for path in paths[:sent]] == [0x0000] * sent
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    (tmp_path / "in" / ".arriving" / "instance.part").write_bytes(b"cut off")
    assert seen(tmp_path / "in") == {}
    with receiver(tmp_path / "in") as again:
        assert again.whole_studies() == ()
        assert again.inbox.waiting() == (1, 1)
        assert not list((tmp_path / "in").rglob("*.part"))
        with sender(again.port) as association:
            assert [send(association, path) for path in paths] == [0x0000] * 3
        eventually(lambda: len(again.whole_studies()) == 1)
    assert again.inbox.counts["duplicate"] == sent  # what was acknowledged was not lost
    assert seen(tmp_path / "in") == {"2.25.9": 3}


def test_a_receiver_that_stops_while_a_study_is_quiet_hands_it_on_at_the_next_start(tmp_path: Path):
    path = write(tmp_path / "one.dcm", 1)
    with receiver(tmp_path / "in", quiet_seconds=1e9) as running:
        with sender(running.port) as association:
            assert send(association, path) == 0x0000
        eventually(lambda: not running.inbox._carried)
        assert running.whole_studies() == ()
    with receiver(tmp_path / "in") as again:
        assert len(again.whole_studies()) == 1
    assert not list((tmp_path / "in").rglob("*.released"))
