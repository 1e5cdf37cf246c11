"""Debian's Orthanc on loopback: its DICOMweb root, its DICOM port, and its process."""

from __future__ import annotations

import io
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pydicom
import pytest
from pydicom.dataset import Dataset

from connectors.dicom import DicomFolder
from connectors.dicom.web.address import address_of
from connectors.dicom.web.session import Session
from connectors.dicom.web.storing import store_study
from prognosis.record import Quarantine

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
READY_SECONDS = 60.0


@dataclass
class Orthanc:
    """A running archive: its DICOMweb root, its REST root, and its process."""

    root: str
    process: subprocess.Popen[bytes]

    @property
    def rest(self) -> str:
        """Of Orthanc's own REST API."""
        return self.root.removesuffix("/dicom-web")


@contextmanager
def running(folder: Path, more: Mapping[str, Any] | None = None) -> Iterator[Orthanc]:
    """An empty archive on a free port that answers this machine only; stopped by its process at the end.

    Args:
        folder: Where it keeps what it is given.
        more: Settings beside these.
    """
    program = shutil.which("Orthanc", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if program is None or not PLUGIN.exists():
        pytest.skip("Orthanc is absent: apt-get install orthanc orthanc-dicomweb orthanc-gdcm")
    port = free_port()
    folder.mkdir()
    settings = {
        "StorageDirectory": str(folder),
        "IndexDirectory": str(folder),
        "HttpPort": port,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        **(more or {}),
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, str(folder / "orthanc.json")], stdout=log, stderr=log)
    try:
        root = f"http://127.0.0.1:{port}/dicom-web"
        _wait_until_ready(root, process)
        yield Orthanc(root, process)
    finally:
        process.kill()
        process.wait()


def load(archive: Orthanc, folder: Path) -> int:
    """Every study under a folder, sent and found again; how many instances."""
    session = Session(address_of(archive.root), f"dicomweb:{archive.root}")
    source = DicomFolder(folder, "dicom-folder:x")
    return sum(
        store_study(session, study.study_uid, study.contents())  # type: ignore[arg-type]
        for record in source.records(Quarantine())
        for study in record.studies
    )


def instances(archive: Orthanc, study_uid: str) -> dict[str, Dataset]:
    """Every object of a study as the archive holds it, by SOP instance UID."""
    rest = httpx.Client(base_url=archive.rest, trust_env=False)
    with rest:
        (study,) = rest.post("/tools/lookup", content=study_uid).json()
        held = rest.get(f"/studies/{study['ID']}/instances").json()
        files = [rest.get(f"/instances/{each['ID']}/file").content for each in held]
    read = [pydicom.dcmread(io.BytesIO(each)) for each in files]
    return {str(each.SOPInstanceUID): each for each in read}


def results(archive: Orthanc, study_uid: str) -> dict[str, Dataset]:
    """Those of a study's objects that this project wrote."""
    return {
        uid: each
        for uid, each in instances(archive, study_uid).items()
        if each.get("Manufacturer") == "prognosis" and each.Modality in {"SEG", "OT", "SR", "KO"}
    }


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_until_ready(root: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{root}/studies?limit=1", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("Orthanc did not start")
