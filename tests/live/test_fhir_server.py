"""A real FHIR server that no one here wrote gives back the records that were put into it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.fhir import FhirFolder, FhirServer, write_bulk
from prognosis.record import Code, Event, PatientRecord, Quarantine
from prognosis.record.patient import sorted_record
from prognosis.simulate import Dials, simulate_cohort

PATIENTS = 20
HISTORY = ("MedicationStatement", "Immunization", "AllergyIntolerance", "CarePlan")
BEARER = "of-this-test-only"
READY_S = 120
SETTINGS = """\
host: 127.0.0.1
port: {port}
base_url: http://127.0.0.1:{port}/fhir
data_dir: {folder}
own_private_key_path: {folder}/key.pem
log_inbound: false
simulator: {{enabled: false}}
server_auth: {{types: [bearer], tokens: [{token}]}}
"""


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated cohort as Bulk NDJSON; the simulator knows no allergies, vaccines, statements and plans."""
    folder = tmp_path_factory.mktemp("export")
    write_bulk(map(with_history, simulate_cohort(Dials(patients=PATIENTS), 3).records), folder)
    return folder


def with_history(record: PatientRecord) -> PatientRecord:
    known = record.events[0].time
    rxnorm, snomed = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://snomed.info/sct"
    stated = [
        ("MedicationStatement", Code(rxnorm, "1191")),
        ("Immunization", Code("http://hl7.org/fhir/sid/cvx", "140")),
        ("AllergyIntolerance", Code(f"allergy|{rxnorm}", "7980")),
        ("CarePlan", Code(f"care-plan|{snomed}", "736366004")),
    ]
    own = [Event(known, code, source=f"{kind}/h-{record.patient_id}") for kind, code in stated]
    return sorted_record(replace(record, events=(*record.events, *own)))


@pytest.fixture(scope="module")
def address(export: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A FHIR server on loopback that holds the cohort, stopped afterwards."""
    program = shutil.which("sekmet")
    if program is None:
        pytest.skip("no FHIR server here: install sekmet-fhir 0.1.1 apart and put its `sekmet` on PATH")
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = folder / "settings.yaml"
    settings.write_text(SETTINGS.format(port=port, folder=folder, token=BEARER), encoding="utf-8")
    log = (folder / "log").open("wb")
    server = subprocess.Popen([program, "serve", "-c", str(settings)], cwd=folder, stdout=log, stderr=log)
    try:
        base = f"http://127.0.0.1:{port}/fhir"
        wait_until_ready(base, server, folder / "log")
        load(base, export)
        yield base
    finally:
        server.kill()
        server.wait()
        log.close()


def wait_until_ready(base: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text(encoding="utf-8")
        try:
            asked(base, "metadata")
        except (OSError, urllib.error.URLError):
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"the FHIR server was not ready within {READY_S} s: {log.read_text(encoding='utf-8')}")


def asked(base: str, path: str, resource: dict[str, Any] | None = None) -> dict[str, Any]:
    """The server's answer to a GET, or to a POST of a resource."""
    headers = {"Content-Type": "application/fhir+json", "Authorization": f"Bearer {BEARER}"}
    content = None if resource is None else json.dumps(resource).encode()
    request = urllib.request.Request(f"{base}/{path}".rstrip("/"), content, headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=READY_S) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def load(base: str, export: Path) -> None:
    """Put every resource of a Bulk folder into the server, those that others refer to first."""
    names = [path.stem for path in export.glob("*.ndjson")]
    first = [name for name in ("Organization", "Patient") if name in names]
    entries = []
    for name in [*first, *sorted(set(names) - set(first))]:
        for line in (export / f"{name}.ndjson").read_text(encoding="utf-8").splitlines():
            resource = json.loads(line)
            url = f"{name}/{resource['id']}"
            entries.append({"resource": resource, "request": {"method": "PUT", "url": url}})
    done = asked(base, "", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert len(done["entry"]) == len(entries)


def test_records_pulled_by_rest_equal_those_read_from_the_files(export: Path, address: str) -> None:
    from_files, from_server = Quarantine(), Quarantine()
    expected = list(FhirFolder(export, "fhir-folder:export").records(from_files))
    server = FhirServer(address, f"fhir-server:{address}", token=lambda: BEARER, patients_at_once=8)
    assert list(server.records(from_server)) == expected
    assert len(expected) == PATIENTS
    assert all(any(getattr(each, kind) for each in expected) for kind in ("events", "notes", "studies"))
    assert from_server.accepted == from_files.accepted
    assert not from_server.rejections
    assert {from_server.accepted[kind] for kind in HISTORY} == {PATIENTS}
    assert from_server.notices == {
        "FamilyMemberHistory: the server offers no search for it: none was read": 1
    }
