"""Debian's Orthanc on loopback: an empty archive with DICOMweb, for the demonstration and for tests."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prognosis.cli.live.process import answers, free_port, started
from prognosis.errors import MissingDependencyError

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
PROGRAM_FOLDERS = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"


@dataclass(frozen=True, slots=True)
class Orthanc:
    """An archive that is running: its DICOMweb root and its process."""

    root: str
    process: subprocess.Popen[bytes]

    @property
    def rest(self) -> str:
        """The root of Orthanc's own REST API."""
        return self.root.removesuffix("/dicom-web")


def find_orthanc() -> str:
    """The program.

    Raises:
        MissingDependencyError: It or its DICOMweb plugin is not installed.
    """
    program = shutil.which("Orthanc", path=PROGRAM_FOLDERS)
    if program is None or not PLUGIN.exists():
        what = "the program" if program is None else f"its plugin {PLUGIN}"
        raise MissingDependencyError(
            "Orthanc, the image archive",
            f"{what} is not installed",
            "apt-get install --no-install-recommends orthanc orthanc-dicomweb orthanc-gdcm",
        )
    return program


@contextmanager
def running(folder: Path, more: Mapping[str, Any] | None = None) -> Iterator[Orthanc]:
    """An empty archive on a free port, stopped by its process id at the end.

    It listens on every address, which its configuration cannot change, and answers this machine's only: other
    machines are refused whatever they ask, and there is no DICOM port.

    Args:
        folder: Where it keeps what it is given; made.
        more: Settings beside these.

    Raises:
        MissingDependencyError: It is not installed.
        SourceError: It does not start.
    """
    program, port = find_orthanc(), free_port()
    folder.mkdir(mode=0o700)
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
    stated = folder / "orthanc.json"
    stated.write_text(json.dumps(settings), encoding="utf-8")
    root = f"http://127.0.0.1:{port}/dicom-web"
    with started(
        [program, str(stated)], folder / "log", lambda: answers(f"{root}/studies?limit=1")
    ) as process:
        yield Orthanc(root, process)
