"""The linters run as tests, so that one command says whether a change can be merged."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import pytest

CHECKED = ("prognosis", "connectors", "tests", "benchmarks")


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "format", "--check", *CHECKED),
        ("ruff", "check", *CHECKED),
        ("lint-imports",),
        ("mypy",),
    ],
    ids=lambda command: " ".join(command[:2]) if command[0] == "ruff" else command[0],
)
def test_the_code_passes(command: tuple[str, ...], repository: Path) -> None:
    program = Path(sysconfig.get_path("scripts")) / command[0]
    ran = subprocess.run(
        [program, *command[1:]], cwd=repository, capture_output=True, text=True, check=False, timeout=600
    )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
