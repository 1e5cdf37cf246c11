"""A small hospital on this machine: a FHIR server and an image archive, filled from one export."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prognosis.cli.live import fhir_server, orthanc
from prognosis.cli.sources.fhir_login import BEARER_VARIABLE, CREDENTIALS, SCOPES_VARIABLE, TOKEN_URL_VARIABLE
from prognosis.cli.sources.filling import fill_archive, fill_fhir_server
from prognosis.cli.sources.opening import DICOMWEB_TOKEN

OTHERS_LOGINS = (*CREDENTIALS, SCOPES_VARIABLE, TOKEN_URL_VARIABLE, DICOMWEB_TOKEN)


@dataclass(frozen=True, slots=True)
class Hospital:
    """Two servers that are running.

    Attributes:
        fhir: The FHIR server's address.
        archive: The archive's DICOMweb root.
        loaded: How many of each resource type, and "DICOM instance", they were filled with.
    """

    fhir: str
    archive: str
    loaded: dict[str, int]

    @property
    def records_uri(self) -> str:
        """The FHIR server as a source."""
        return f"fhir-server:{self.fhir}"

    @property
    def films_uri(self) -> str:
        """The archive as a source."""
        return f"dicomweb:{self.archive}"

    @property
    def uris(self) -> tuple[str, str]:
        """Both."""
        return self.records_uri, self.films_uri


@contextmanager
def running(program: str, export: Path, folder: Path) -> Iterator[Hospital]:
    """Both servers with an export in them; they end, and their copies go, when this is left.

    In the meantime the environment holds the login of this FHIR server and of no other: what the user set for
    a hospital's own server is not sent here, and is there again afterwards.

    Args:
        program: Of the FHIR server.
        export: With `fhir` and `dicom` in it.
        folder: Empty, for what the servers keep.

    Raises:
        SourceError: A server does not start or does not take the export.
        StudyError: The archive does not hold what it was given.
    """
    token = secrets.token_urlsafe()
    with (
        fhir_server.running(program, folder / "fhir", token) as base,
        orthanc.running(folder / "orthanc") as archive,
    ):
        loaded = fill_fhir_server(base, export / "fhir", token)
        loaded["DICOM instance"] = fill_archive(archive.root, export / "dicom")
        with _login(token):
            yield Hospital(base, archive.root, loaded)


@contextmanager
def _login(token: str) -> Iterator[None]:
    kept = {name: os.environ.pop(name) for name in OTHERS_LOGINS if name in os.environ}
    os.environ[BEARER_VARIABLE] = token
    try:
        yield
    finally:
        del os.environ[BEARER_VARIABLE]
        os.environ.update(kept)
