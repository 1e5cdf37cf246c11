"""A service that cannot listen says so before it reads a model; one that is stopped says that it was."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.cli.program import Program


def serve(prognosis: Program, *where: object) -> str:
    ran = prognosis("serve", "--model", "no", "--state", "no", "--source", "meds:no", *where)
    assert (ran.status, ran.out) == (2, "")
    return ran.prose


def test_a_port_in_use_is_told_in_one_line_with_a_remedy(prognosis: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as used:
        port = used.getsockname()[1]
        told = serve(prognosis, "--port", port)
    assert told.startswith(f"error: 127.0.0.1:{port}: cannot be listened on (")
    assert "stop what uses it, or name another" in told


def test_a_port_that_is_free_is_not_what_ends_a_service_without_a_model(prognosis: Program) -> None:
    assert "no: does not exist" in serve(prognosis, "--port", 0)


def test_a_command_that_is_interrupted_says_so_and_ends_with_130(repository: Path, tmp_path: Path) -> None:
    task = tmp_path / "task.yaml"
    os.mkfifo(task)
    command = [sys.executable, "-c", "from prognosis.cli.main import run; run()", "cohort", "describe"]
    waiting = subprocess.Popen(
        [*command, str(task), "--source=meds:no"], stderr=subprocess.PIPE, text=True, cwd=repository
    )
    with task.open("w", encoding="utf-8"):  # which opens only when the command reads it
        waiting.send_signal(signal.SIGINT)
        _, told = waiting.communicate(timeout=60)
    assert (waiting.returncode, told.split()) == (130, ["stopped", "before", "the", "end"])
