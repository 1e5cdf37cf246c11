"""The live demonstration: what it says it did, and that nothing of it is left when it ends or is ended.

Skipped where a server is absent: tests/live/install, apt-get install orthanc orthanc-dicomweb.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from prognosis.cli.live.fhir_server import find_fhir_server
from prognosis.cli.live.orthanc import find_orthanc
from prognosis.errors import MissingDependencyError
from tests.cli.program import Program
from tests.simulated import Simulated

pytest.importorskip("highdicom")
PATIENTS = 24
PATIENCE_S = 120.0
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _servers() -> None:
    try:
        find_orthanc()
        find_fhir_server()
    except MissingDependencyError as error:
        pytest.skip(str(error))


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the demonstration has its servers' data: a path that no other process names."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def running(named: Path) -> Iterator[list[str]]:
    """The command of every process on this machine that names a path."""
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = process.read_bytes().decode(errors="replace").split("\0")
        except OSError:  # it has ended
            continue
        if any(str(named) in word for word in command):
            yield command


def test_it_pulls_what_it_loaded_and_writes_what_it_answers_once(
    prognosis: Program, small: Simulated, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROGNOSIS_LIVE_APART", "no")  # this process itself cannot move
    monkeypatch.setenv("PROGNOSIS_FHIR_CLIENT_ID", "of-a-hospital")  # beside a token it would be refused
    asked = ("--patients", PATIENTS, "--seed", 1, "--model", small.model_folder, "--out", tmp_path / "out")
    ran = prognosis("demo", "--live", *asked, "--json")
    assert ran.status == 0, ran.err
    told = ran.stated
    assert told["as_it_should_be"]
    films = told["loaded"].pop("DICOM instance")
    for pulled in told["pulled"].values():
        assert pulled["patients"] == told["loaded"]["Patient"] == PATIENTS
        assert pulled["resources"] == sum(told["loaded"].values())
        assert pulled["studies"] == films > 0
    assert told["scored"]["largest_difference_from_files"] == {"REST": 0.0, "bulk": 0.0}
    assert (told["written"]["patients"], told["written"]["objects"]) == (3, 12)
    again = told["written_again"]
    assert (again["resources"], again["objects"], again["objects_there"]) == (0, 0, 12)
    assert (
        0 < again["found"] < told["written"]["resources"]
    )  # audit events of a second run are not of the first

    (card,) = told["card"]["cards"]
    assert json.loads((tmp_path / "out" / "card.json").read_text())["cards"] == [card]
    assert card["summary"] in (tmp_path / "out" / "card.html").read_text()
    assert card["summary"] in ran.prose
    assert os.environ["PROGNOSIS_FHIR_CLIENT_ID"] == "of-a-hospital"
    assert list(running(tmp_path)) == []
    assert list(temporary.iterdir()) == []


def test_patients_of_files_that_are_named_go_the_same_road(
    prognosis: Program, small: Simulated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROGNOSIS_LIVE_APART", "no")
    sources = [word for uri in small.uris for word in ("--source", uri)]
    asked = ("--patients", 10, "--model", small.model_folder, "--out", tmp_path / "out", "--json")
    ran = prognosis("demo", "--live", *sources, *asked)
    assert ran.status == 0, ran.err
    told = ran.stated
    assert told["as_it_should_be"]
    assert told["evidence"].startswith("records of the sources named")
    assert (told["loaded"]["Patient"], told["films_left_out"]) == (10, 0)
    assert told["loaded"]["DICOM instance"] >= 10


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_nothing_that_it_started_outlives_it(tmp_path: Path, temporary: Path, sent: signal.Signals) -> None:
    program = "from prognosis.cli.main import run; run()"
    command = [sys.executable, "-c", program, "demo", "--live", "--patients", "60", "--out", tmp_path / "out"]
    known = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)}
    with (tmp_path / "told").open("wb") as told:
        demo = subprocess.Popen(command, env=known, stdout=told, stderr=told)
    try:
        until = time.monotonic() + PATIENCE_S
        while not {"Orthanc", "sekmet"} <= {Path(word).name for each in running(temporary) for word in each}:
            assert demo.poll() is None, (tmp_path / "told").read_text()
            assert time.monotonic() < until
            time.sleep(0.05)
        demo.send_signal(sent)
        assert demo.wait(PATIENCE_S) != 0
    finally:
        demo.kill()
        demo.wait()
    assert list(running(tmp_path)) == []
    assert list(temporary.iterdir()) == []
    assert "Traceback" not in (tmp_path / "told").read_text()
