"""`prognosis ingest`, and the store as a source."""

from pathlib import Path

from tests.cli.program import Program
from tests.simulated import TASK_PATH, Simulated


def test_an_ingested_export_gives_the_same_cohort_as_its_files(
    prognosis: Program, small: Simulated, tmp_path: Path
) -> None:
    export = small.uris[0]
    made = prognosis("ingest", export, "--out", tmp_path / "store", "--json").stated
    assert made["received"] == made["accepted"]
    assert made["written"]["subjects"] == len(small.written)
    source = f"meds:{tmp_path / 'store'}"
    from_store = prognosis("cohort", "describe", TASK_PATH, "--source", source, "--json").stated
    from_files = prognosis("cohort", "describe", TASK_PATH, "--source", export, "--json").stated
    alike = ("records", "cases", "patients", "sites", "labels", "with_notes", "with_images", "exclusions")
    assert {name: from_store[name] for name in alike} == {name: from_files[name] for name in alike}


def test_what_became_of_each_type_is_a_table(prognosis: Program, small: Simulated, tmp_path: Path) -> None:
    ran = prognosis("ingest", small.uris[0], "--out", tmp_path / "store")
    assert "Observation" in ran.out
    assert "read it with --source meds:" in ran.prose


def test_an_ingestion_is_noted_in_an_audit_where_one_is_named(
    prognosis: Program, small: Simulated, tmp_path: Path
) -> None:
    state, out = tmp_path / "state", tmp_path / "store"
    prognosis("ingest", small.uris[0], "--out", out, "--state", state)
    events = prognosis("audit", "export", "--state", state, "--to", tmp_path / "events", "--json").stated
    assert events == {"written": 2, "there_already": 0, "last": 2}
    assert (tmp_path / "events" / "AuditEvent.ndjson").read_text().count('"110107"') == 2


def test_only_files_are_ingested(prognosis: Program, tmp_path: Path) -> None:
    ran = prognosis("ingest", "fhir-server:https://x", "--out", tmp_path / "store")
    assert ran.status == 2
    assert "cannot be ingested" in ran.err
