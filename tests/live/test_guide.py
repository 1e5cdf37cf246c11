"""The guide "Connect your EHR and PACS", command by command, with a real FHIR server and archive."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from prognosis.cli.live.process import free_port
from prognosis.cli.sources import export_fhir_dicom
from prognosis.record import Quarantine
from prognosis.simulate import Dials, simulate_cohort
from tests.live import orthanc, sekmet

PATIENTS = 60
WITH_FILMS = "sim0-00048"
INSTALLING = "make install"
LONGEST_S = 400.0


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of the guide: what was printed, with the commands between, and the folder that it left."""

    printed: str
    folder: Path


def commands(repository: Path, put: dict[str, str]) -> str:
    """The guide's shell from naming the servers on, with what a reader puts in."""
    guide = (repository / "docs" / "connect.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    assert INSTALLING in blocks[0]
    script = "\n".join(blocks[1:])
    for name, place in put.items():
        script, found = re.subn(rf"^export {name}=.*$", f"export {name}={place}", script, flags=re.MULTILINE)
        assert found == 1, name
    return script


@pytest.fixture(scope="module")
def tried(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    """The guide, done once."""
    hospital = tmp_path_factory.mktemp("hospital")
    clone = tmp_path_factory.mktemp("clone")
    (clone / "configs").symlink_to(repository / "configs")
    (clone / "runs").mkdir()
    tools = clone / "bin"
    tools.mkdir()
    entry = f"#!{sys.executable}\nfrom prognosis.cli.main import run\nrun()\n"
    (tools / "prognosis").write_text(entry, encoding="utf-8")
    (tools / "prognosis").chmod(0o755)
    with ExitStack() as stack:
        (hospital / "ehr").mkdir()
        base = stack.enter_context(sekmet.running(hospital / "ehr"))
        archive = stack.enter_context(orthanc.running(hospital / "pacs"))
        films = hospital / "files"
        export_fhir_dicom(simulate_cohort(Dials(patients=PATIENTS), seed=0).records, films, Quarantine())
        sekmet.load(base, films / "fhir")
        for film in sorted(films.rglob("*.dcm")):
            httpx.post(f"{archive.rest}/instances", content=film.read_bytes(), trust_env=False)
        yield Tried(done(clone, repository, base, archive.root), clone)


def done(clone: Path, repository: Path, base: str, root: str) -> str:
    port = str(free_port())
    script = commands(
        repository,
        {"FHIR": base, "PACS": root, "PROGNOSIS_FHIR_TOKEN": sekmet.BEARER, "PATIENT": WITH_FILMS},
    )
    script = script.replace("prognosis serve ", f"prognosis serve --port {port} ").replace(
        ":8080", f":{port}"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PROGNOSIS_")}
    path = os.pathsep.join([str(clone / "bin"), str(Path(sys.executable).parent), kept["PATH"]])
    with (clone / "printed").open("w+b") as printed:
        shell = subprocess.Popen(
            ["/bin/bash", "-e", "-x", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            cwd=clone,
            env={**kept, "PATH": path, "PYTHONPATH": str(repository), "no_proxy": "127.0.0.1"},
            start_new_session=True,
        )
        try:
            status = shell.wait(LONGEST_S)
        finally:
            with suppress(ProcessLookupError):  # a service that a failed command left behind
                os.killpg(shell.pid, signal.SIGKILL)
    told = (clone / "printed").read_text(encoding="utf-8")
    assert status == 0, told[-6000:]
    return told


@pytest.mark.slow
def test_the_guide_leads_from_two_servers_to_a_card(tried: Tried) -> None:
    cards = re.findall(r'"summary": ?"(progression \d+% \(.*?) by 2 years, read', tried.printed)
    assert len(cards) == 2, "one without tokens and one with"
    assert len(set(cards)) == 1
    assert '"status":401' in tried.printed
    assert "each as written" in tried.printed


@pytest.mark.slow
def test_what_the_guide_leaves_is_what_it_says(tried: Tried) -> None:
    runs = tried.folder / "runs"
    assert {"export", "store", "model", "service"} <= {each.name for each in runs.iterdir() if each.is_dir()}
    assert (runs / "patient.html").stat().st_size > 0
    assert (runs / "model.html").stat().st_size > 0
    assert json.loads((runs / "ehr-keys.json").read_text(encoding="utf-8"))["keys"][0]["kty"] == "EC"
    assert WITH_FILMS not in (runs / "service.log").read_text(encoding="utf-8")
