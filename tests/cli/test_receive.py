"""`prognosis receive`: it listens until it is told to stop, and tells of each study that became whole."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import Program
from tests.connectors.dicom.films import write
from tests.connectors.dicom.receive.test_receiver import send, sender

pytest.importorskip("pynetdicom")
COMMAND = "from prognosis.cli.main import run; run()"


def test_a_study_that_is_pushed_is_told_of_and_stopping_tells_what_came(tmp_path: Path):
    path = write(tmp_path / "one.dcm", 1)
    asked = ["receive", "--out", str(tmp_path / "in"), "--sender", "SCANNER", "--port", "0", "--quiet", "0.1"]
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *asked, "--keep-free-mib", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    found = re.search(r":(\d+) as PROGNOSIS", process.stderr.readline())
    assert found is not None
    with sender(int(found[1])) as association:
        assert send(association, path) == 0x0000
    told = json.loads(process.stdout.readline())
    assert (told["study"], told["instances"]) == ("2.25.1", 1)
    process.send_signal(signal.SIGTERM)
    _, prose = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "1 kept, 1 received" in prose
    assert "p1" not in prose  # whose image it was


def test_nobody_may_send_unless_named(prognosis: Program, tmp_path: Path):
    assert prognosis("receive", "--out", tmp_path / "in").status == 2
    long = prognosis("receive", "--out", tmp_path / "in", "--sender", "A TITLE OF FAR TOO MANY LETTERS")
    assert long.status == 2
    assert "1 to 16 characters" in long.prose
