"""What the live demonstration says where a server is absent, and what becomes of what it starts."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from prognosis.cli.live.fhir_server import find_fhir_server
from prognosis.cli.live.orthanc import find_orthanc
from prognosis.cli.live.process import answers, free_port, started
from prognosis.errors import MissingDependencyError, SourceError
from tests.cli.program import Program


def test_without_the_fhir_server_it_says_how_to_install_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingDependencyError, match=r"pip install sekmet-fhir==0\.1\.1"):
        find_fhir_server()


def test_a_fhir_server_that_is_named_and_is_not_there_is_not_replaced_by_another(tmp_path: Path) -> None:
    with pytest.raises(MissingDependencyError, match=f"no program sekmet at {tmp_path}"):
        find_fhir_server(tmp_path / "sekmet")


def test_without_orthanc_it_says_which_packages_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prognosis.cli.live.orthanc.PROGRAM_FOLDERS", "")
    with pytest.raises(MissingDependencyError, match=r"apt-get install .*orthanc-dicomweb"):
        find_orthanc()


def test_nothing_is_made_where_a_server_is_absent(
    prognosis: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prognosis.cli.live.orthanc.PROGRAM_FOLDERS", "")
    ran = prognosis("demo", "--live", "--out", tmp_path / "out")
    assert ran.status == 2
    assert "apt-get install" in ran.prose
    assert not (tmp_path / "out").exists()


def test_a_model_belongs_to_the_live_demonstration(prognosis: Program, tmp_path: Path) -> None:
    ran = prognosis("demo", "--model", tmp_path, "--out", tmp_path / "out")
    assert ran.status == 2
    assert "add --live" in ran.prose


def test_a_program_that_ends_at_once_is_an_error_that_names_its_log(tmp_path: Path) -> None:
    with (
        pytest.raises(SourceError, match=rf"ended with status 3 before it was ready; see {tmp_path}"),
        started([sys.executable, "-c", "raise SystemExit(3)"], tmp_path / "log", lambda: False),
    ):
        pytest.fail("it was not ready")


def test_what_a_program_started_ends_with_it(tmp_path: Path) -> None:
    child = tmp_path / "child"
    program = (
        "import pathlib, subprocess, sys, time; "
        "made = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
        f"pathlib.Path({str(child)!r}).write_text(str(made.pid)); time.sleep(600)"
    )
    with started(
        [sys.executable, "-c", program], tmp_path / "log", lambda: child.exists() and child.read_text() != ""
    ):
        own = Path("/proc") / child.read_text()
        assert own.exists()
    until = time.monotonic() + 10
    while own.exists() and "\nState:\tZ" not in (own / "status").read_text():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_port_that_is_free_has_nobody_who_answers() -> None:
    assert not answers(f"http://127.0.0.1:{free_port()}/")
