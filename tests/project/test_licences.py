"""The project is Apache-2.0: what it imports, and what it makes a user install, must allow that."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

# Licences that place no condition on a program that imports the package. MPL-2.0 binds its own files only.
ALLOWED = re.compile(
    r"0BSD|Apache|BSD|BSL-1\.0|CC0|CNRI|HPND|ISC|MIT|MPL|Mozilla Public|PSF|Python Software Foundation"
    r"|Unlicense|Zlib|LLVM-exception",
    re.IGNORECASE,
)
FORBIDDEN = re.compile(r"(?<!L)GPL|GNU (Affero )?General Public", re.IGNORECASE)


def licence_of(distribution: metadata.Distribution) -> str:
    """What a distribution says its licence is: the SPDX expression, else classifiers, else a short name."""
    stated = distribution.metadata
    expression = stated.get("License-Expression")
    if expression:
        return expression
    classifiers = [line for line in stated.get_all("Classifier") or [] if line.startswith("License ::")]
    named = [line.split(" :: ")[-1] for line in classifiers if line != "License :: OSI Approved"]
    return " AND ".join(named) or (stated.get("License") or "").strip().split("\n")[0][:100]


def imported_packages(folder: Path) -> dict[str, str]:
    """Top-level packages that the Python files under a folder import anywhere, each with one such file."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                names = [node.module]
            for name in names:
                found.setdefault(name.split(".")[0], str(path.relative_to(folder.parent)))
    return found


def core_distributions(repository: Path) -> Iterator[metadata.Distribution]:
    """Everything that installing the project without extras installs."""
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting = [Requirement(line) for line in project["dependencies"]]
    seen: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        key = re.sub(r"[-_.]+", "-", requirement.name).lower()
        if key in seen:
            continue
        seen.add(key)
        distribution = metadata.distribution(requirement.name)
        yield distribution
        for line in distribution.requires or []:
            further = Requirement(line)
            extras = {"", *requirement.extras}
            if further.marker is None or any(further.marker.evaluate({"extra": name}) for name in extras):
                waiting.append(further)


@pytest.mark.parametrize("package", ["prognosis", "connectors"])
def test_nothing_imported_is_under_a_licence_that_would_bind_this_project(
    package: str, repository: Path
) -> None:
    providers = metadata.packages_distributions()
    faults = []
    for name, file in imported_packages(repository / package).items():
        if name in sys.stdlib_module_names or name in {"prognosis", "connectors"}:
            continue
        for provider in providers.get(name, []):
            licence = licence_of(metadata.distribution(provider))
            if FORBIDDEN.search(licence) or not ALLOWED.search(licence):
                faults.append(f"{file} imports {name} from {provider}: {licence or 'no licence stated'}")
    assert not faults, faults


def test_an_import_of_a_gpl_package_would_be_found(tmp_path: Path) -> None:
    module = tmp_path / "package" / "module.py"
    module.parent.mkdir()
    module.write_text("def f():\n    from sksurv.metrics import brier_score\n", encoding="utf-8")
    assert imported_packages(module.parent) == {"sksurv": "package/module.py"}
    assert FORBIDDEN.search("GPL-3.0-or-later")
    assert FORBIDDEN.search("GNU General Public License v3 (GPLv3)")
    assert not FORBIDDEN.search("LGPL-2.1")


def test_installing_the_project_without_extras_installs_no_gpl(repository: Path) -> None:
    faults = {
        distribution.metadata["Name"]: licence_of(distribution)
        for distribution in core_distributions(repository)
        if FORBIDDEN.search(licence_of(distribution)) or not ALLOWED.search(licence_of(distribution))
    }
    assert not faults
