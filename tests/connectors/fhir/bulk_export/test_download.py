"""A file counts when it is whole; one that broke off goes on, and no byte of another version joins it."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from connectors.fhir.bulk_export.download import counted_lines
from connectors.fhir.bulk_export.state import claimed
from prognosis.errors import SourceError
from prognosis.record import Quarantine
from tests.connectors.fhir.bulk_export.depot import AT_ONCE, FACTS, STAMP, Depot, at, exported, ndjson, run
from tests.connectors.fhir.resources import observation, read_folder
from tests.connectors.fhir.ward import Request, opened, reply

LARGE = "o.ndjson"
WHOLE = ndjson(FACTS)


def breaking(*cuts: int):
    """Damage: the file breaks off after so many bytes, the last first."""
    left = list(cuts)
    return at(f"files/{LARGE}", lambda request, good: good[: left.pop()] if left else good)


def test_a_download_that_breaks_off_goes_on_where_it_was(tmp_path: Path) -> None:
    depot = Depot([], breaking(9000, 20_000))
    exported(depot, tmp_path / "out")
    assert (tmp_path / "out" / "Observation.0002.ndjson").read_bytes() == WHOLE
    first, second, third = depot.asked(LARGE)
    assert "range" not in first.headers
    assert first.headers["accept-encoding"] == "identity"
    assert [each.headers["if-range"] for each in (second, third)] == [STAMP, STAMP]
    starts = [int(each.headers["range"][6:-1]) for each in (second, third)]
    assert 0 < starts[0] < starts[1] < len(WHOLE)


@pytest.mark.parametrize("kind", ["no ranges", "no stamp"])
def test_where_a_server_has_no_ranges_the_file_comes_from_its_start(tmp_path: Path, kind: str) -> None:
    def unstamped(request: Request, good: bytes) -> bytes:
        return good.replace(f"ETag: {STAMP}\r\n".encode(), b"") if request.place == f"files/{LARGE}" else good

    cut = breaking(9000)
    depot = Depot(
        [],
        lambda request, good: cut(request, unstamped(request, good) if kind == "no stamp" else good),
        ranges=kind != "no ranges",
    )
    exported(depot, tmp_path / "out")
    assert (tmp_path / "out" / "Observation.0002.ndjson").read_bytes() == WHOLE
    assert ("range" in depot.asked(LARGE)[1].headers) == (kind == "no ranges")


def test_a_file_that_comes_compressed_all_the_same_is_whole_and_never_joined(tmp_path: Path) -> None:
    packed = reply(gzip.compress(WHOLE), Content_Encoding="gzip", ETag=STAMP)
    cut = breaking(300)
    depot = Depot([], at(f"files/{LARGE}", lambda request, _: cut(request, packed)))
    exported(depot, tmp_path / "out")
    assert (tmp_path / "out" / "Observation.0002.ndjson").read_bytes() == WHOLE
    assert [each for each in depot.asked(LARGE) if "range" in each.headers] == []
    assert len(depot.asked(LARGE)) == 2


def test_another_range_than_was_asked_for_is_not_joined(tmp_path: Path) -> None:
    def damage(request: Request, good: bytes) -> bytes:
        if request.place != f"files/{LARGE}":
            return good
        if "range" in request.headers:
            return reply(
                WHOLE[5:], "206 Partial Content", Content_Range=f"bytes 5-9/{len(WHOLE)}", ETag=STAMP
            )
        return good if len(depot.asked(LARGE)) > 1 else good[:9000]

    depot = Depot([], damage)
    exported(depot, tmp_path / "out")
    assert (tmp_path / "out" / "Observation.0002.ndjson").read_bytes() == WHOLE


def test_a_download_that_was_stopped_goes_on_in_the_next_run(tmp_path: Path) -> None:
    broken = [True]

    def damage(request: Request, good: bytes) -> bytes:
        if request.place == f"files/{LARGE}" and broken[0]:
            return reply(b"", "404 Not Found") if "range" in request.headers else good[:9000]
        return good

    with opened(Depot([], damage)) as depot:
        with pytest.raises(SourceError, match="status 404"):
            run(depot, tmp_path / "out", Quarantine())
        broken[0] = False
        before = len(depot.requests)
        summary = run(depot, tmp_path / "out", Quarantine())
    assert summary.resources == {"Patient": 3, "Observation": 200}
    again = [each.place for each in depot.requests[before:]]
    assert again == [f"files/{LARGE}", "jobs/1"]  # neither asked for anew, nor the file that was here
    assert "range" in depot.asked(LARGE)[-1].headers
    assert (tmp_path / "out" / "Observation.0002.ndjson").read_bytes() == WHOLE


PROGRAM = """
import sys
from pathlib import Path
from connectors.fhir.bulk_export.export import BulkExport
from prognosis.record import Quarantine
BulkExport(sys.argv[1], Path(sys.argv[2])).run(Quarantine())
"""


def test_a_program_killed_within_a_file_goes_on_when_it_is_started_again(tmp_path: Path) -> None:
    large = ndjson([observation(f"crp-{n}", "Patient/anna") for n in range(20_000)])
    begun, killed = Event(), Event()

    def damage(request: Request, good: bytes) -> bytes:
        if request.place != f"files/{LARGE}" or killed.is_set():
            return good
        first = not begun.is_set()
        begun.set()
        return good[: len(good) // 2] if first else b""  # nothing more until it is killed

    depot = Depot([], damage, needs_token=False)
    depot.files[LARGE] = ("Observation", "output", large)
    out = tmp_path / "out"
    with opened(depot):
        command = [sys.executable, "-c", PROGRAM, depot.address, str(out)]
        first = subprocess.Popen(command)
        end = time.monotonic() + 60
        assert begun.wait(60)
        while not ((part := out / "Observation.0002.ndjson.part").exists() and part.stat().st_size):
            assert time.monotonic() < end
            time.sleep(0.001)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        killed.set()
        with_range = len(depot.asked(LARGE))
        assert not (out / "Observation.0002.ndjson").exists()
        subprocess.run(command, check=True, timeout=60)
    assert (out / "Observation.0002.ndjson").read_bytes() == large
    assert all("range" in each.headers for each in depot.asked(LARGE)[with_range:])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (WHOLE[:-30], "no whole NDJSON .line 200"),
        (WHOLE[: WHOLE.rindex(b"{")], "no whole NDJSON .line 200"),
        (b"".join(WHOLE.splitlines(keepends=True)[:-1]), "said to hold 200 resources and holds 199"),
        (WHOLE + WHOLE.splitlines(keepends=True)[0], "said to hold 200 resources and holds 201"),
        (b"<html>anna</html>\n", "no whole NDJSON .line 1"),
        (b"", "said to hold 200 resources and holds 0"),
    ],
    ids=["cut in a line", "cut in the last object", "a line short", "a line long", "a login page", "empty"],
)
def test_a_file_that_is_not_what_the_manifest_says_does_not_stay(
    tmp_path: Path, content: bytes, why: str
) -> None:
    depot = Depot([], at(f"files/{LARGE}", lambda *_: reply(content)))
    with pytest.raises(SourceError, match=why) as caught:
        exported(depot, tmp_path / "out")
    assert "anna" not in str(caught.value)
    assert not list((tmp_path / "out").glob("Observation*"))


def test_a_line_that_ends_the_file_without_a_line_end_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(WHOLE.rstrip(b"\n"))
    assert counted_lines(tmp_path / "x") == 200


@pytest.mark.parametrize("status", ["500 Internal Server Error", "404 Not Found", "302 Found"])
def test_a_file_that_cannot_be_had_is_a_typed_error(tmp_path: Path, status: str) -> None:
    depot = Depot(
        [], at(f"files/{LARGE}", lambda *_: reply(b"anna", status, Location="https://evil.example/"))
    )
    with pytest.raises(SourceError, match=f"status {status[:3]}") as caught:
        exported(depot, tmp_path / "out")
    assert not [word for word in ("anna", "evil") if word in str(caught.value)]
    assert len(depot.asked(LARGE)) == (3 if status.startswith("5") else 1)


def test_a_file_that_stops_coming_ends_when_its_time_is_over(tmp_path: Path) -> None:
    release = Event()

    def damage(request: Request, good: bytes) -> bytes:
        release.wait(30)
        return good

    depot = Depot([], at(f"files/{LARGE}", damage))
    try:
        with pytest.raises(SourceError, match="is not here after"):
            exported(depot, tmp_path / "out", patience=replace(AT_ONCE, file_s=0.3))
    finally:
        release.set()


LASTING = {
    "reset": lambda _: b"",
    "half of the answer": lambda good: good[: len(good) // 2],
    "a length too long": lambda good: good.replace(b"Content-Length: ", b"Content-Length: 9"),
    "no HTTP": lambda _: b"\x00\x01\x02\r\n\r\n",
    "429": lambda _: reply(b"", "429 Too Many Requests", Retry_After="0"),
    "502 in HTML": lambda _: reply(b"<html>anna</html>", "502 Bad Gateway"),
}


@pytest.mark.parametrize("fault", LASTING.values(), ids=LASTING.keys())
def test_a_fault_that_lasts_ends_typed_and_one_that_passes_loses_nothing(
    tmp_path: Path, fault: Callable[[bytes], bytes]
) -> None:
    lasting = Depot([], at(f"files/{LARGE}", lambda _, good: fault(good)), ranges=False)
    with pytest.raises(SourceError, match="in 3 attempts") as caught:
        exported(lasting, tmp_path / "lasting")
    assert "anna" not in str(caught.value)
    assert not (tmp_path / "lasting" / "Observation.0002.ndjson").exists()
    times = iter([True, True])
    passing = Depot([], at(f"files/{LARGE}", lambda _, good: fault(good) if next(times, False) else good))
    exported(passing, tmp_path / "passing")
    assert (tmp_path / "passing" / "Observation.0002.ndjson").read_bytes() == WHOLE


def test_two_programs_do_not_write_to_one_folder(tmp_path: Path) -> None:
    depot = Depot([])
    with claimed(tmp_path / "out"), pytest.raises(SourceError, match="written to by another export"):
        exported(depot, tmp_path / "out")
    assert not depot.requests
    assert exported(depot, tmp_path / "out")[0].resources["Patient"] == 3


def test_an_export_larger_than_is_taken_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="larger than is taken"):
        exported(Depot([]), tmp_path / "out", patience=replace(AT_ONCE, file_bytes=1000))


def test_the_files_of_an_export_are_all_that_is_read(tmp_path: Path) -> None:
    exported(Depot([]), tmp_path / "out")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["Observation.0002.ndjson", "Patient.0001.ndjson", "bulk-export.state"]
    assert len(read_folder(tmp_path / "out")[0]) == 3
