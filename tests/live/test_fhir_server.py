"""A real FHIR server that no one here wrote gives back the records that were put into it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.fhir import FhirFolder, FhirServer, write_bulk
from prognosis.record import Quarantine
from prognosis.simulate import Dials, simulate_cohort
from tests.live.sekmet import BEARER, load, running

PATIENTS = 20


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated cohort as Bulk NDJSON."""
    folder = tmp_path_factory.mktemp("export")
    write_bulk(simulate_cohort(Dials(patients=PATIENTS), 3).records, folder)
    return folder


@pytest.fixture(scope="module")
def address(export: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A FHIR server on loopback that holds the cohort, stopped afterwards."""
    with running(tmp_path_factory.mktemp("server")) as base:
        load(base, export)
        yield base


def test_records_pulled_by_rest_equal_those_read_from_the_files(export: Path, address: str) -> None:
    from_files, from_server = Quarantine(), Quarantine()
    expected = list(FhirFolder(export, "fhir-folder:export").records(from_files))
    server = FhirServer(address, f"fhir-server:{address}", token=lambda: BEARER, patients_at_once=8)
    assert list(server.records(from_server)) == expected
    assert len(expected) == PATIENTS
    assert all(any(getattr(each, kind) for each in expected) for kind in ("events", "notes", "studies"))
    assert from_server.accepted == from_files.accepted
    assert not from_server.rejections
    assert not from_server.notices
