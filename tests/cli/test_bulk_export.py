"""`prognosis bulk-export`: a folder that `fhir-folder:` reads, and a status that tells whether all came."""

from __future__ import annotations

from pathlib import Path

import pytest

from prognosis.cli.sources import read_records
from prognosis.record import Quarantine
from tests.cli.program import Program
from tests.connectors.fhir.bulk_export.depot import TIME, Depot, ndjson
from tests.connectors.fhir.ward import opened

OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}


@pytest.fixture
def depot(monkeypatch: pytest.MonkeyPatch) -> Depot:
    """A server whose export is ready at once."""
    monkeypatch.setenv("PROGNOSIS_FHIR_TOKEN", "secret")
    return Depot([], polls=2)


@pytest.mark.parametrize("form", ["{}", "fhir-server:{}"])
def test_an_export_is_a_folder_that_is_a_source(
    prognosis: Program, depot: Depot, tmp_path: Path, form: str
) -> None:
    out = tmp_path / "out"
    with opened(depot):
        ran = prognosis("bulk-export", form.format(depot.address), "--out", out, "--json")
    assert ran.status == 0, ran.err
    assert ran.stated["resources"] == {"Patient": 3, "Observation": 200}
    assert ran.stated["transaction_time"] == TIME
    assert {each.headers["authorization"] for each in depot.requests} == {"Bearer secret"}
    assert len(read_records([f"fhir-folder:{out}"], None, Quarantine())) == 3


def test_an_export_that_lacks_something_says_so_and_ends_with_1(
    prognosis: Program, depot: Depot, tmp_path: Path
) -> None:
    depot.files["e.ndjson"] = ("OperationOutcome", "error", ndjson([OUTCOME]))
    with opened(depot):
        ran = prognosis("bulk-export", depot.address, "--out", tmp_path / "out")
    assert ran.status == 1
    assert "could not export 1 resources" in ran.prose
    assert "Observation" in ran.out


def test_options_are_asked_for_and_a_wrong_one_is_one_line(
    prognosis: Program, depot: Depot, tmp_path: Path
) -> None:
    with opened(depot):
        options = ("--group", "g1", "--type", "Patient", "--type", "Observation")
        options += ("--type-filter", "Observation?status=final", "--since", TIME)
        assert prognosis("bulk-export", depot.address, "--out", tmp_path / "out", *options).status == 0
        wrong = prognosis("bulk-export", depot.address, "--out", tmp_path / "other", "--since", "monday")
    assert depot.requests[0].place == "Group/g1/$export"
    assert (wrong.status, wrong.out) == (2, "")
    assert "write it as 2024-01-31T00:00:00Z" in wrong.prose
