"""What the architecture promises about files, folders and imports."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from prognosis.cohort.task import Task

PACKAGES = ("prognosis", "connectors")
LONGEST_FILE = 300
EMPTY_NAMES = {"utils", "util", "common", "helpers", "helper", "base", "manager", "misc"}
HEAVY = {
    "torch",
    "monai",
    "transformers",
    "openvino",
    "shap",
    "xgboost",
    "sklearn",
    "pandas",
    "pyarrow",
    "matplotlib",
    "numba",
    "pydicom",
    "fhir",
    "httpx",
}


def sources(repository: Path) -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((repository / package).rglob("*.py"))


def test_a_file_holds_one_idea_in_at_most_300_lines(repository: Path) -> None:
    paths = [*sources(repository), *(repository / "tests").rglob("*.py")]
    lengths = {str(path.relative_to(repository)): len(path.read_text().splitlines()) for path in paths}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_every_file_and_folder_is_named_for_what_it_holds(repository: Path) -> None:
    named = {
        part for path in sources(repository) for part in path.relative_to(repository).with_suffix("").parts
    }
    assert named & EMPTY_NAMES == set()


def test_every_configuration_can_be_read(repository: Path) -> None:
    paths = sorted((repository / "configs").rglob("*.yaml"))
    assert paths
    for path in paths:
        assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict), path


@pytest.mark.parametrize(
    "path", sorted(Path(__file__).parents[2].glob("configs/tasks/*.yaml")), ids=lambda p: p.stem
)
def test_every_task_states_a_question(path: Path) -> None:
    task = Task.load(path)
    assert task.question
    assert task.causes


def test_a_connector_may_import_records_and_errors_only(repository: Path) -> None:
    contracts = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    closed = next(c for c in contracts if c["name"].startswith("A connector knows"))["protected_modules"]
    found = {path.stem for path in (repository / "prognosis").iterdir() if path.name[0] not in "._"}
    assert {f"prognosis.{name}" for name in found - {"record", "errors"}} == set(closed)


def modules_after(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after a statement."""
    program = (
        f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    return set(json.loads(ran.stdout.splitlines()[-1]))


def test_importing_prognosis_costs_no_engine() -> None:
    assert modules_after("import prognosis") & HEAVY == set()


def test_the_help_is_shown_without_loading_an_engine() -> None:
    asked = (
        "import contextlib, io, sys\nfrom prognosis.cli.main import run\nsys.argv = ['prognosis', '--help']\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n    run()"
    )
    assert modules_after(asked) & HEAVY == set()
