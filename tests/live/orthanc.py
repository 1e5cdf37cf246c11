"""Debian's Orthanc on loopback for a test, filled and looked into."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pydicom
import pytest
from pydicom.dataset import Dataset

from prognosis.cli.live import orthanc
from prognosis.cli.live.orthanc import Orthanc
from prognosis.cli.sources.filling import fill_archive
from prognosis.errors import MissingDependencyError


@contextmanager
def running(folder: Path, more: Mapping[str, Any] | None = None) -> Iterator[Orthanc]:
    """An empty archive that is stopped at the end; the test is skipped where Orthanc is absent."""
    try:
        orthanc.find_orthanc()
    except MissingDependencyError as error:
        pytest.skip(str(error))
    with orthanc.running(folder, more) as archive:
        yield archive


def load(archive: Orthanc, folder: Path) -> int:
    """Every study under a folder, sent and found again; how many instances."""
    return fill_archive(archive.root, folder)


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
