"""A real FHIR server that no one here wrote: one patient alone, and what changed, equal a whole pull."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from connectors.fhir import FhirServer, write_bulk
from prognosis.cli.sources.refreshing import Refreshed
from prognosis.cohort import Task
from prognosis.record import Quarantine
from prognosis.simulate import Dials, simulate_cohort
from tests.connectors.fhir.resources import observation
from tests.live.sekmet import BEARER, load, put, running
from tests.simulated import TASK_PATH

PATIENTS = 8


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A FHIR server on loopback that holds a cohort, stopped afterwards."""
    export = tmp_path_factory.mktemp("export")
    write_bulk(simulate_cohort(Dials(patients=PATIENTS), 5).records, export)
    with running(tmp_path_factory.mktemp("server")) as base:
        load(base, export)
        yield base


def server(address: str) -> FhirServer:
    return FhirServer(address, f"fhir-server:{address}", token=lambda: BEARER)


def second_after(address: str) -> datetime:
    """The server's time, once it shows another second than now.

    A clock that shows whole seconds counts what was loaded in this one, its Organization too.
    """
    first = shown = server(address).clock()
    while shown == first:
        time.sleep(0.05)
        shown = server(address).clock()
    assert shown is not None
    return shown


def test_each_patient_read_alone_equals_the_one_of_the_whole_pull(address: str) -> None:
    whole = list(server(address).records(Quarantine()))
    assert len(whole) == PATIENTS
    for record in whole:
        assert server(address).patient(record.patient_id, Quarantine()) == (record,)
    assert server(address).patient("nobody", Quarantine()) == ()


def test_what_changed_is_found_by_the_server_s_own_clock(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROGNOSIS_FHIR_TOKEN", BEARER)
    sources = Refreshed((f"fhir-server:{address}",), Task.load(TASK_PATH))
    before = sources.read(Quarantine())
    name = before[0].patient_id
    put(address, [observation("new", f"Patient/{name}", issued="2030-01-01T00:00:00Z")])
    after = sources.read(Quarantine())
    assert len(after[0].events) == len(before[0].events) + 1
    assert after[1:] == before[1:]
    since = second_after(address)
    put(address, [observation("newer", f"Patient/{name}", issued="2030-01-02T00:00:00Z")])
    changes = server(address).changes(since, Quarantine())
    assert changes is not None
    assert name in changes.patient_ids
    assert set(changes.records) <= set(server(address).records(Quarantine()))
    after = sources.read(Quarantine())
    assert sorted(server(address).records(Quarantine()), key=lambda each: each.key) == list(after)
