"""A real FHIR server that no one here wrote gives back the records that were put into it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.fhir import FhirFolder, FhirServer, write_bulk
from prognosis.record import Code, Event, PatientRecord, Quarantine
from prognosis.record.patient import sorted_record
from prognosis.simulate import Dials, simulate_cohort
from tests.live.sekmet import BEARER, load, running

PATIENTS = 20
HISTORY = ("MedicationStatement", "Immunization", "AllergyIntolerance", "CarePlan")


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
    assert {from_server.accepted[kind] for kind in HISTORY} == {PATIENTS}
    assert from_server.notices == {
        "FamilyMemberHistory: the server offers no search for it: none was read": 1
    }
